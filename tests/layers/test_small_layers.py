"""Conditional batch normalisation, grouped convolution and gated unit against NumPy and Keras."""

import keras
import numpy as np
import pytest

from kgan.errors import InputError
from kgan.layers import ConditionalBatchNormalization, GatedLinearUnit, GroupedConv2D

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
