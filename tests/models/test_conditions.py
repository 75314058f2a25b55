"""Attributes in the networks: the formulas, and what cannot be asked for."""

import keras
import numpy as np
import pytest

import kgan
from kgan.models.presets import make_networks

RANGES = ((0.0, 1.0), (-2.0, 6.0))
LABELS = np.array([[0, -2], [1, 2], [1, 6], [0, 0]], np.float32)
SCALED = np.array([[-1, -1], [1, 0], [1, 1], [-1, -0.5]], np.float32)
IMAGES = np.random.default_rng(0).uniform(-1, 1, (4, 16, 16, 1)).astype(np.float32)


def test_projection_of_attributes_equals_its_formula():
    """Miyato and Koyama 2018, equation 3, with y the vector of attributes."""
    judge = kgan.models.DCGANDiscriminator((16, 16, 1), filters=2, attribute_ranges=RANGES)
    last = keras.Model(judge.inputs, judge.get_layer("features").input)
    features = last.predict([IMAGES, LABELS], verbose=0)
    realness = judge.get_layer("realness").get_weights()
    (table,) = judge.get_layer("of_attributes").get_weights()
    expected = features.reshape(4, -1) @ realness[0] + realness[1]
    expected += (features.mean((1, 2)) * (SCALED @ table)).sum(1, keepdims=True)
    np.testing.assert_allclose(judge.predict([IMAGES, LABELS], verbose=0), expected, atol=1e-5)


def test_r3gans_logit_is_the_product_with_a_linear_map():
    judge = kgan.models.R3GANDiscriminator((16, 16, 1), filters=8, attribute_ranges=RANGES)
    last = keras.Model(judge.inputs, judge.get_layer("directions").output)
    directions = last.predict([IMAGES, LABELS], verbose=0)
    kernel, bias = judge.get_layer("of_attributes").get_weights()
    expected = (directions * (SCALED @ kernel + bias)).sum(1, keepdims=True)
    np.testing.assert_allclose(judge.predict([IMAGES, LABELS], verbose=0), expected, atol=1e-5)


@pytest.mark.parametrize("preset", ["dcgan", "sagan", "r3gan"])
def test_both_networks_take_attributes_and_use_them(preset):
    networks = make_networks(
        preset, image_shape=(16, 16, 1), filters=8, latent_dim=4, attribute_ranges=RANGES
    )
    latents = np.zeros((4, 4), np.float32)
    rng = np.random.default_rng(1)
    for network in networks.values():  # as they begin, some layers give zeros
        for weight in network.trainable_variables:
            weight.assign_add(rng.normal(0, 0.1, weight.shape))
    images = networks["generator"].predict([latents, LABELS], verbose=0)
    assert np.abs(images[0] - images[1]).max() > 1e-3
    logits = networks["discriminator"].predict([IMAGES[:1].repeat(4, 0), LABELS], verbose=0)
    assert np.ptp(logits) > 1e-4


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"num_classes": 3, "attribute_ranges": RANGES}, "classes or attributes, not both"),
        ({"attribute_ranges": []}, r"pairs \(lowest, highest\)"),
        ({"attribute_ranges": [(0, 1, 2)]}, r"pairs \(lowest, highest\)"),
        ({"attribute_ranges": [(1, 1)]}, r"pairs .* Received: \[\(1, 1\)\]"),
        ({"attribute_ranges": [(0, float("inf"))]}, "finite numbers"),
    ],
)
def test_what_no_network_can_take_is_named(options, says):
    with pytest.raises(kgan.InputError, match=says):
        make_networks("dcgan", image_shape=(16, 16, 1), **options)


def test_presets_without_labels_say_which_have_them():
    with pytest.raises(kgan.InputError, match=r"these can: r3gan, dcgan, sagan\. Received: gan"):
        make_networks("gan", image_shape=(16, 16, 1), attribute_ranges=RANGES)
