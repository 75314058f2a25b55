"""Self-attention against a NumPy computation of the paper's equations."""

import numpy as np
import onnx
import pytest

import kgan
from kgan.layers import SelfAttention2D

RNG = np.random.default_rng(11)
FEATURES = RNG.normal(size=(2, 3, 5, 16)).astype(np.float32)


def attend(features, layer):
    """Zhang et al. 2018, equations 1 and 2, position by position in float64."""
    x = features.astype(np.float64).reshape(len(features), -1, features.shape[-1])
    projections = []
    for conv in (layer.query, layer.key, layer.value):
        kernel, bias = conv.get_weights()
        projections.append(x @ kernel[0, 0].astype(np.float64) + bias)
    query, key, value = projections
    outputs, maps = np.zeros_like(x), []
    for b in range(len(x)):
        weights = np.zeros((x.shape[1], x.shape[1]))
        for j in range(x.shape[1]):
            scores = np.array([query[b, j] @ key[b, i] for i in range(x.shape[1])])
            weights[j] = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()
            outputs[b, j] = sum(weights[j, i] * value[b, i] for i in range(x.shape[1]))
        maps.append(weights)
    return outputs.reshape(features.shape), np.array(maps)


@pytest.fixture
def layer():
    made = SelfAttention2D()
    made.build(FEATURES.shape)
    for conv in (made.query, made.key, made.value):
        conv.bias.assign(RNG.normal(size=conv.bias.shape))
    return made


def test_it_starts_as_the_identity(layer):
    assert layer.gamma.shape == ()
    np.testing.assert_array_equal(layer(FEATURES), FEATURES)


def test_it_equals_the_papers_equations(layer):
    layer.gamma.assign(0.7)
    outputs, attention = layer(FEATURES, return_attention=True)
    seen, weights = attend(FEATURES, layer)
    np.testing.assert_allclose(outputs, FEATURES + 0.7 * seen, atol=1e-5)
    np.testing.assert_allclose(layer(FEATURES), outputs, atol=1e-6)
    assert attention.shape == (2, 15, 15)
    np.testing.assert_allclose(attention, weights, atol=1e-5)
    np.testing.assert_allclose(np.sum(attention, axis=-1), 1.0, atol=1e-5)


def test_query_and_key_have_an_eighth_of_the_channels_and_at_least_one(layer):
    assert [conv.filters for conv in (layer.query, layer.key, layer.value)] == [2, 2, 16]
    narrow = SelfAttention2D()
    narrow.build((None, 4, 4, 3))
    assert [conv.filters for conv in (narrow.query, narrow.key, narrow.value)] == [1, 1, 3]


def test_large_features_do_not_overflow_float16():
    layer = SelfAttention2D(dtype="mixed_float16")
    inputs = 100.0 * RNG.normal(size=(1, 3, 3, 64)).astype(np.float32)
    layer.build(inputs.shape)
    layer.gamma.assign(1.0)
    outputs, attention = layer(inputs, return_attention=True)
    assert np.isfinite(np.float32(outputs)).all()
    assert np.isfinite(np.asarray(attention)).all()


@pytest.mark.slow
def test_it_exports_to_standard_operators(tmp_path):
    gan = kgan.GAN.from_preset("sagan", image_shape=(16, 16, 1), filters=2, latent_dim=4)
    for weight in gan.generator.weights:
        if weight.path.endswith("gamma") and weight.shape == ():
            weight.assign(0.8)
    export = kgan.export.to_onnx(gan, tmp_path / "sagan")
    model = onnx.load(export.path / "model.onnx")
    assert {node.domain for node in model.graph.node} == {""}
    assert "Softmax" in {node.op_type for node in model.graph.node}
    assert export.parity["onnx"]["float_max_abs_difference"] <= 1e-5
