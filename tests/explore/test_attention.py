"""Attention is drawn as the layer computes it, and a hand-set layer gives a known map."""

import keras
import numpy as np
import pytest

import kgan
from kgan.explore import attention
from kgan.explore.attention_maps import attention_weights
from kgan.layers import SelfAttention2D


def looking_right(side):
    """A network whose attention looks, from each position, at those of the same column's parity.

    Channel 0 is 1 in odd columns and -1 in even ones; query and key are 10 times channel 0.
    """
    images = keras.Input((side, side, 8))
    layer = SelfAttention2D(name="look")
    network = keras.Model(images, layer(images))
    kernel = np.zeros((1, 1, 8, 1), np.float32)
    kernel[0, 0, 0, 0] = 10
    for conv in (layer.query, layer.key):
        conv.set_weights([kernel, np.zeros(1, np.float32)])
    return network


def test_a_hand_set_layer_gives_a_known_map():
    side = 6
    network = looking_right(side)
    images = np.random.default_rng(0).normal(size=(2, side, side, 8)).astype(np.float32)
    images[..., 0] = np.where(np.arange(side) % 2, 1, -1)
    weights, positions = attention_weights(network, "look", [images])
    assert positions == (side, side)
    odd = np.tile(np.arange(side) % 2, side)
    same = odd[:, None] == odd[None]
    expected = np.broadcast_to(same * 2 / side**2, weights.shape)
    np.testing.assert_allclose(weights, expected, atol=1e-6)
    np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-6)


@pytest.fixture(scope="module")
def sagan():
    gan = kgan.GAN.from_preset("sagan", image_shape=(16, 16, 1), latent_dim=4, filters=8, seed=0)
    for network in (gan.generator, gan.discriminator):
        for layer in network.layers:
            if isinstance(layer, SelfAttention2D):
                layer.gamma.assign(0.5)
    return gan


def test_the_weights_are_numpys_softmax_of_query_and_key(sagan):
    finding = attention(sagan, [(3, 4), (12, 9)], [0, 5])
    figures = finding.figures
    assert figures["network"] == "generator"
    assert figures["rows_sum_to_1_within"] < 1e-6
    layer = sagan.generator.get_layer(figures["layer"])
    assert figures["positions"] == list(layer.output.shape[1:3])
    before = keras.Model(sagan.generator.inputs, layer.input)
    latents = kgan.latents.from_seeds([0, 5], 4)
    features = before.predict(latents, verbose=0)
    query, key = (
        conv(features).numpy().reshape(2, -1, conv.layer.filters)
        for conv in (layer.query, layer.key)
    )
    scores = np.exp(query @ key.transpose(0, 2, 1))
    expected = scores / scores.sum(axis=-1, keepdims=True)
    weights, _ = attention_weights(sagan.generator, figures["layer"], [latents])
    np.testing.assert_allclose(weights, expected, rtol=1e-4, atol=1e-7)


def test_a_layer_of_the_discriminator_is_found_by_name(sagan):
    names = [x.name for x in sagan.discriminator.layers if isinstance(x, SelfAttention2D)]
    finding = attention(sagan, seeds=[1], layer=names[0])
    assert finding.figures["network"] == "discriminator"
    assert len(finding.figures["queries"]) == 5


def test_mistakes(sagan, trained_gan):
    with pytest.raises(kgan.InputError, match="No layer of self-attention"):
        attention(trained_gan)
    with pytest.raises(kgan.InputError, match="Received: 16,3"):
        attention(sagan, [(16, 3)])
    with pytest.raises(kgan.InputError, match="is drawn of a SelfAttention2D"):
        attention(sagan, layer=sagan.generator.layers[1].name)
