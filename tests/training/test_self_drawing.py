"""Generators that draw random numbers by themselves: the same picture of a seed, no export."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import kgan
from kgan.models.self_drawing import what_draws


class Noise(layers.Layer):
    """Noise that learns its strength, as StyleGAN's does: none at the start."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seeds = keras.random.SeedGenerator()

    def build(self, shape):
        self.strength = self.add_weight(name="strength", shape=(), initializer="zeros")

    def call(self, inputs):
        noise = keras.random.normal(keras.ops.shape(inputs), seed=self.seeds)
        return inputs + self.strength * noise


class AlwaysOn(layers.Wrapper):
    """A model of layers passes on its own `training`, whatever they were called with."""

    def call(self, inputs):
        return self.layer(inputs, training=True)


class Unseeded(layers.Layer):
    def call(self, inputs):
        return inputs + tf.random.normal(tf.shape(inputs))


def made(draw, **kwargs):
    latents = keras.Input((4,))
    x = draw(layers.Dense(64)(latents))
    network = keras.Model(latents, layers.Reshape((8, 8, 1))(layers.Activation("tanh")(x)))
    images = keras.Input((8, 8, 1))
    judge = keras.Model(images, layers.Dense(1)(layers.Flatten()(images)))
    with pytest.warns(UserWarning, match="not a function of its latents"):
        return kgan.GAN(network, judge, seed=0, **kwargs)


CASES = {
    "noise": AlwaysOn(layers.GaussianNoise(0.5)),
    "dropout": AlwaysOn(layers.Dropout(0.5)),
    "own": Noise(name="own"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_picture_has_its_own_seed(name, tmp_path):
    gan = made(CASES[name], ema_half_life_images=100 if name == "own" else None)
    if name == "own":
        for network in (gan.generator, gan.ema_generator):
            weights = network.get_weights()
            network.set_weights([w + 1.0 if w.shape == () else w for w in weights])
    states = [v.numpy() for v in gan.variables if v.path.endswith("seed_generator_state")]
    pictures = gan.generate(4, seed=7)
    np.testing.assert_array_equal(gan.generate(4, seed=7, batch_size=3), pictures)
    np.testing.assert_array_equal(gan.generate(1, seed=9)[0], pictures[2])
    # What training draws next is not changed by it.
    after = [v.numpy() for v in gan.variables if v.path.endswith("seed_generator_state")]
    np.testing.assert_array_equal(after, states)
    # Two pictures of one latent, of two seeds, have other noise.
    latents = kgan.latents.from_seeds([7], 4)
    plain = gan.predict(latents, verbose=0)[0]
    assert np.abs(kgan.images.to_uint8(plain).astype(int) - pictures[0]).max() > 5
    with pytest.raises(kgan.InputError, match=r"function of its latents.*Received: ") as caught:
        kgan.export.to_onnx(gan, tmp_path / "export")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_noise_without_a_seed_of_keras_is_told_too(tmp_path):
    gan = made(Unseeded())
    assert gan.generate(2).shape == (2, 8, 8, 1)
    with pytest.raises(kgan.InputError, match="without a seed of Keras's, one of Unseeded"):
        kgan.export.to_saved_model(gan, tmp_path / "export")


def test_layers_that_draw_in_training_alone_are_fine(small_gan):
    network = keras.Sequential(
        [keras.Input((4,)), layers.Dense(9), layers.Dropout(0.5), layers.GaussianNoise(1.0)]
    )
    assert what_draws(network) == what_draws(small_gan.generator) == []


def test_an_encoder_that_samples_is_not_exported(tmp_path):
    """A variational autoencoder's."""
    images = keras.Input((8, 8, 1))
    codes = AlwaysOn(layers.GaussianNoise(1.0, name="vae"))(
        layers.Dense(3)(layers.Flatten()(images))
    )
    inputs = keras.Input((3,))
    decoder = keras.Model(inputs, layers.Reshape((8, 8, 1))(layers.Dense(64)(inputs)))
    model = kgan.Autoencoder(keras.Model(images, codes), decoder)
    with pytest.raises(kgan.InputError, match=r"exported encoder is a function of its images.*vae"):
        kgan.export.export(model, tmp_path / "export")
