"""Conditional batch normalisation, grouped convolution and gated unit against NumPy and Keras."""

import keras
import numpy as np
import pytest

from kgan.errors import InputError
from kgan.layers import (
    AttributeBatchNormalization,
    AttributeScaling,
    ConditionalBatchNormalization,
    GatedLinearUnit,
    GroupedConv2D,
)

RNG = np.random.default_rng(5)
FEATURES = RNG.normal(2.0, 3.0, size=(6, 4, 3, 8)).astype(np.float32)
LABELS = np.array([0, 2, 1, 2, 0, 2])


def test_conditional_batch_norm_normalises_together_and_scales_apart():
    layer = ConditionalBatchNormalization(3, momentum=0.9, epsilon=1e-5)
    layer.build(FEATURES.shape, LABELS.shape)
    gamma, beta = RNG.normal(size=(2, 3, 8)).astype(np.float32)
    layer.gamma.assign(gamma)
    layer.beta.assign(beta)
    outputs = layer(FEATURES, LABELS, training=True)
    mean, variance = FEATURES.mean((0, 1, 2)), FEATURES.var((0, 1, 2))
    for index, label in enumerate(LABELS):
        expected = gamma[label] * (FEATURES[index] - mean) / np.sqrt(variance + 1e-5) + beta[label]
        np.testing.assert_allclose(outputs[index], expected, atol=1e-4)
    np.testing.assert_allclose(layer.norm.moving_mean, 0.1 * mean, rtol=1e-4)
    moved = (layer.norm.moving_mean.numpy(), layer.norm.moving_variance.numpy())
    shown = layer(FEATURES, LABELS, training=False)
    expected = gamma[2] * (FEATURES[1] - moved[0]) / np.sqrt(moved[1] + 1e-5) + beta[2]
    np.testing.assert_allclose(shown[1], expected, atol=1e-4)


def test_attribute_batch_norm_normalises_together_and_scales_by_the_attributes():
    attributes = RNG.uniform(-1, 1, (6, 2)).astype(np.float32)
    layer = AttributeBatchNormalization(epsilon=1e-5)
    layer.build(FEATURES.shape, attributes.shape)
    mean, variance = FEATURES.mean((0, 1, 2)), FEATURES.var((0, 1, 2))
    normalised = (FEATURES - mean) / np.sqrt(variance + 1e-5)
    # As it begins, the attributes change nothing.
    np.testing.assert_allclose(layer(FEATURES, attributes, training=True), normalised, atol=1e-4)
    gamma, beta = RNG.normal(size=(2, 8)).astype(np.float32)
    gamma_kernel, beta_kernel = RNG.normal(size=(2, 2, 8)).astype(np.float32)
    weights = (layer.gamma, layer.beta, layer.gamma_kernel, layer.beta_kernel)
    for weight, value in zip(weights, (gamma, beta, gamma_kernel, beta_kernel), strict=True):
        weight.assign(value)
    scale, shift = attributes @ gamma_kernel + gamma, attributes @ beta_kernel + beta
    expected = scale[:, None, None] * normalised + shift[:, None, None]
    np.testing.assert_allclose(layer(FEATURES, attributes, training=True), expected, atol=1e-4)


def test_attributes_are_scaled_from_their_ranges():
    layer = AttributeScaling([(0, 1), (-2, 6), (10, 20)])
    given = np.array([[0, -2, 10], [1, 6, 20], [0.5, 2, 30]], np.float32)
    expected = [[-1, -1, -1], [1, 1, 1], [0, 0, 3]]
    np.testing.assert_allclose(layer(given), expected, atol=1e-6)
    ends = [(1e8, 1e8 + 8), (2e-38, 6e-38), (-8e37, 8e37)]  # far from 0, tiny and huge
    shown = AttributeScaling(ends)(np.array(ends, np.float32).T)
    np.testing.assert_allclose(shown, [[-1] * 3, [1] * 3], atol=1e-6)


@pytest.mark.parametrize("groups", [1, 2, 8])
def test_grouped_convolution_equals_keras(groups):
    ours = GroupedConv2D(16, 3, groups)
    theirs = keras.layers.Conv2D(16, 3, padding="same", groups=groups, use_bias=False)
    theirs.build(FEATURES.shape)
    ours.build(FEATURES.shape)
    ours.kernel.assign(theirs.kernel)
    np.testing.assert_allclose(ours(FEATURES), theirs(FEATURES), atol=1e-4)


def test_channels_that_groups_do_not_divide_are_named():
    with pytest.raises(InputError, match="Received: 10 and 3"):
        GroupedConv2D(10, 3, groups=3)
    with pytest.raises(InputError, match="Received: 8 and 3"):
        GroupedConv2D(12, 3, groups=3)(FEATURES)


def test_the_gated_unit_halves_the_channels():
    values, gates = FEATURES[..., :4].astype(np.float64), FEATURES[..., 4:].astype(np.float64)
    expected = values / (1 + np.exp(-gates))
    np.testing.assert_allclose(GatedLinearUnit()(FEATURES), expected, atol=1e-5)
    with pytest.raises(InputError, match=r"even number of channels\. Received: 5"):
        GatedLinearUnit()(FEATURES[..., :5])
