"""What a network's outputs are: read off its structure, or tried."""

import keras
import numpy as np
import pytest
from keras import layers

import kgan
from kgan.training import network_probes


def generator(*last, shape=(4, 4, 1)):
    first = [keras.Input((3,)), layers.Dense(int(np.prod(shape))), layers.Reshape(shape)]
    return keras.Sequential([*first, *last])


def discriminator(*last, shape=(4, 4, 1)):
    return keras.Sequential([keras.Input(shape), layers.Flatten(), *last])


class Gated(keras.Model):
    """Its images are a tanh's, though a sigmoid is the last of its layers."""

    def __init__(self):
        super().__init__()
        self.hidden, self.out = layers.Dense(8, "relu"), layers.Dense(16, "tanh")
        self.shape_, self.gate = layers.Reshape((4, 4, 1)), layers.Dense(8, "sigmoid")

    def call(self, latents):
        hidden = self.hidden(latents)
        return self.shape_(self.out(hidden * self.gate(hidden)))


def own(function):
    """A functional generator that ends in a function of keras.ops."""
    latents = keras.Input((3,))
    images = layers.Reshape((4, 4, 1))(layers.Dense(16)(latents))
    return keras.Model(latents, function(images))


def gated():
    network = Gated()
    network(np.zeros((1, 3), np.float32))
    return network


RANGES = {
    "tanh": (lambda: generator(layers.Activation("tanh")), (-1, 1)),
    "sigmoid": (lambda: generator(layers.Activation("sigmoid")), (0, 1)),
    "sigmoid, then moved": (
        lambda: generator(layers.Activation("sigmoid"), layers.Reshape((2, 8, 1))),
        (0, 1),
    ),
    "subclassed": (gated, (-1, 1)),
    "an operation": (lambda: own(keras.ops.sigmoid), (0, 1)),
    "a slice": (lambda: own(lambda x: keras.ops.tanh(x)[:, 1:3, 1:3, :]), (-1, 1)),
    "rescaled": (lambda: generator(layers.Activation("tanh"), layers.Rescaling(0.5, 0.5)), (0, 1)),
    "nested": (lambda: generator(own_block()), (0, 1)),
    "clipped": (lambda: own(lambda x: keras.ops.clip(x, -1, 1)), (-1, 1)),
    "linear": (lambda: generator(layers.Dense(1)), (-1, 1)),
    "hard sigmoid": (lambda: generator(layers.Activation("hard_sigmoid")), (0, 1)),
}


def own_block():
    inputs = keras.Input((4, 4, 1))
    return keras.Model(inputs, keras.ops.sigmoid(layers.Conv2D(1, 3, padding="same")(inputs)))


@pytest.mark.parametrize("kind", RANGES)
def test_ranges(kind):
    make, expected = RANGES[kind]
    assert network_probes.range_of(make(), None) == expected


@pytest.mark.parametrize(
    "last", [[layers.ReLU()], [layers.Activation("sigmoid"), layers.Rescaling(255.0)]]
)
def test_a_range_that_is_not_clear_is_asked_for(last):
    with pytest.raises(kgan.InputError, match=r"give value_range=\(low, high\).*outputs from"):
        kgan.GAN(generator(*last), discriminator(layers.Dense(1)))
    gan = kgan.GAN(generator(*last), discriminator(layers.Dense(1)), value_range=(0, 255))
    assert gan.value_range == (0, 255)
    assert kgan.GAN.from_config(gan.get_config()).value_range == (0, 255)


class Judge(keras.Model):
    def __init__(self):
        super().__init__()
        self.flat, self.out = layers.Flatten(), layers.Dense(1)

    def call(self, images):
        return keras.ops.sigmoid(self.out(self.flat(images)))


def judge():
    network = Judge()
    network(np.zeros((1, 4, 4, 1), np.float32))
    return network


PROBABLE = {
    "dense": lambda: discriminator(layers.Dense(1, "sigmoid")),
    "layer": lambda: discriminator(layers.Dense(1), layers.Activation("sigmoid")),
    "softmax": lambda: discriminator(layers.Dense(1), layers.Softmax()),
    "wrapped": lambda: discriminator(layers.SpectralNormalization(layers.Dense(1, "sigmoid"))),
    "own function": lambda: discriminator(
        layers.Dense(1, activation=lambda x: 1.0 / (1.0 + keras.ops.exp(-x)))
    ),
    "subclassed": judge,
}


@pytest.mark.parametrize("kind", PROBABLE)
def test_a_discriminator_of_probabilities_is_refused_at_compile(kind):
    gan = kgan.GAN(generator(layers.Activation("tanh")), PROBABLE[kind]())
    with pytest.raises(kgan.InputError, match=r"logits, not probabilities.*Dense\(1\)"):
        gan.compile()


@pytest.mark.parametrize(
    "last",
    [
        lambda: layers.Dense(1),
        lambda: layers.Dense(1, "relu"),
        lambda: layers.Dense(1, activation=keras.ops.negative),
        lambda: layers.SpectralNormalization(layers.Dense(1)),
    ],
)
def test_a_discriminator_of_logits_is_not(last):
    kgan.GAN(generator(layers.Activation("tanh")), discriminator(last())).compile()


def test_a_network_with_nothing_to_train_is_told_at_compile_and_at_fit():
    images = np.random.default_rng(0).uniform(-1, 1, (8, 4, 4, 1)).astype(np.float32)
    for role in ("generator", "discriminator"):
        networks = generator(layers.Activation("tanh")), discriminator(layers.Dense(1))
        gan = kgan.GAN(*networks)
        getattr(gan, role).trainable = False
        with pytest.raises(kgan.InputError, match=f"{role} has nothing to train: set {role}.train"):
            gan.compile()
        getattr(gan, role).trainable = True
        gan.compile()
        getattr(gan, role).trainable = False  # of which Keras would only warn
        before = gan.get_weights()
        with pytest.raises(kgan.InputError, match=f"{role} has nothing to train"):
            gan.fit(images, batch_size=8, verbose=0)
        for old, new in zip(before, gan.get_weights(), strict=True):
            np.testing.assert_array_equal(old, new)


def test_what_was_frozen_when_it_was_saved_loads(tmp_path):
    gan = kgan.GAN(generator(layers.Activation("tanh")), discriminator(layers.Dense(1)))
    gan.compile()
    gan.generator.trainable = False
    gan.save(tmp_path / "gan.keras")
    again = keras.models.load_model(tmp_path / "gan.keras")
    np.testing.assert_array_equal(again.generate(2), gan.generate(2))
    with pytest.raises(kgan.InputError, match="nothing to train"):
        again.compile()
