"""Inference shows what training did: statistics against NumPy, pictures after 50 steps, on disk."""

import keras
import numpy as np
import pytest
from keras import layers

import kgan
from kgan.layers import ConditionalBatchNormalization, SpectralNormalization
from kgan.models.copies import all_layers
from kgan.training import calibration
from kgan.training.calibration import set_statistics

@keras.saving.register_keras_serializable(package="test_calibration")
class OwnNormalization(layers.BatchNormalization):
    """A user's layer with statistics that mean something else."""

    def call(self, inputs, training=None, mask=None):
        return super().call(inputs, training=training, mask=mask)


@keras.saving.register_keras_serializable(package="test_calibration")
class AsInInference(layers.Layer):
    """Always normalises by the statistics it came with."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.norm = layers.BatchNormalization(name="norm")

    def build(self, shape):
        self.norm.build(shape)

    def call(self, inputs):
        return self.norm(inputs, training=False)


def statistics(network):
    """(mean, variance) of every batch normalisation, in order."""
    return [
        (layer.moving_mean.numpy(), layer.moving_variance.numpy())
        for layer in all_layers(network)
        if isinstance(layer, layers.BatchNormalization)
    ]


def batches_of(n, size, *shape):
    return list(np.random.default_rng(0).normal(0.5, 2.0, (n, size, *shape)).astype(np.float32))


def normalized(x, axes, epsilon):
    """By the batch's own moments, and those, in float64."""
    mean, variance = x.mean(axes), x.var(axes)
    return (x - mean) / np.sqrt(variance + epsilon), mean, variance


def pooled(moments):
    """Mean and variance of all values together, from those of batches of one size."""
    means, variances = (np.array(one) for one in zip(*moments, strict=True))
    return means.mean(0), (variances + means**2).mean(0) - means.mean(0) ** 2


def randomize(network):
    rng = np.random.default_rng(1)
    network.set_weights([rng.uniform(0.2, 1.0, w.shape) for w in network.get_weights()])


def test_dense_layers_against_numpy():
    network = keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(4, name="first"),
            layers.BatchNormalization(epsilon=0.01),
            keras.Sequential([layers.Dropout(0.5), layers.Dense(2), layers.BatchNormalization()]),
        ]
    )
    randomize(network)
    kernel, bias, gamma, beta, _, _, kernel2, bias2 = network.get_weights()[:8]
    batches = batches_of(5, 16, 3)
    first, second = [], []
    for batch in np.float64(batches):
        x, mean, variance = normalized(batch @ kernel + bias, 0, 0.01)
        first.append((mean, variance))
        x = (x * gamma + beta) @ kernel2 + bias2  # nothing is dropped
        second.append((x.mean(0), x.var(0)))
    set_statistics(network, network, batches)
    for got, expected in zip(statistics(network), map(pooled, (first, second)), strict=True):
        np.testing.assert_allclose(got, expected, rtol=2e-5)


def test_conditional_and_channels_first_against_numpy():
    """Features (B, 2, 3, 4) of a conditional layer, then one that normalises another axis."""
    features, labels = keras.Input((2, 3, 4)), keras.Input((), dtype="int32")
    x = ConditionalBatchNormalization(5)(features, labels)
    network = keras.Model([features, labels], layers.BatchNormalization(axis=1, scale=False)(x))
    randomize(network)
    conditional = network.get_layer(index=2)
    gamma, beta = conditional.gamma.numpy(), conditional.beta.numpy()
    classes = np.arange(10) % 5
    batches = batches_of(3, 10, 2, 3, 4)
    first, second = [], []
    for batch in np.float64(batches):
        x, mean, variance = normalized(batch, (0, 1, 2), 1e-5)
        first.append((mean, variance))
        x = x * gamma[classes][:, None, None] + beta[classes][:, None, None]
        second.append((x.mean((0, 2, 3)), x.var((0, 2, 3))))
    set_statistics(network, network, [[batch, classes] for batch in batches])
    for got, expected in zip(statistics(network), map(pooled, (first, second)), strict=True):
        np.testing.assert_allclose(got, expected, rtol=2e-5)


def test_what_training_does_not_normalise_by_the_batch_stays():
    inputs = keras.Input((3,))
    frozen = layers.BatchNormalization(trainable=False, name="frozen")
    twice = layers.BatchNormalization(name="twice")
    x = AsInInference()(OwnNormalization(name="own")(frozen(inputs)))
    x = layers.BatchNormalization(renorm=True, name="renorm")(x)
    network = keras.Model(inputs, twice(twice(x) + 3.0))
    randomize(network)
    before = {v.path: v.numpy() for v in network.variables}
    average = keras.models.clone_model(network)
    average.set_weights(network.get_weights())
    average.trainable = False  # as an averaged generator is
    batches = batches_of(2, 16, 3)
    set_statistics(average, network, batches)
    np.testing.assert_array_equal(
        np.concatenate([v.numpy() for v in network.variables]), np.concatenate([*before.values()])
    )
    changed = [
        variable.path.split("/")[-2:]
        for variable, value in zip(average.variables, before.values(), strict=True)
        if not np.array_equal(variable.numpy(), value)
    ]
    assert changed == [["twice", "moving_mean"], ["twice", "moving_variance"]]
    # Half of what it meets is its own output, of mean beta, with 3 added.
    gamma, beta = average.get_layer("twice").gamma.numpy(), average.get_layer("twice").beta.numpy()
    mean, variance = average.get_layer("twice").moving_mean, average.get_layer("twice").moving_variance
    met = keras.Model(average.inputs, average.get_layer("renorm").output)
    first = np.concatenate([np.asarray(met(batch), np.float64) for batch in batches])
    expected = (first.mean(0) + beta + 3) / 2
    np.testing.assert_allclose(mean, expected, rtol=1e-4)
    squares = (first**2).mean(0) / 2 + (gamma**2 + (beta + 3) ** 2) / 2
    np.testing.assert_allclose(variance, squares - expected**2, rtol=0.02)  # epsilon; two batches


def test_spectral_vectors_seeds_and_weights_stay():
    network = keras.Sequential(
        [
            keras.Input((4,)),
            SpectralNormalization(layers.Dense(6)),
            layers.BatchNormalization(),
            layers.GaussianNoise(0.5, seed=3),
            layers.Reshape((2, 3, 1)),
        ]
    )
    before = {v.path: v.numpy() for v in network.variables}
    set_statistics(network, network, batches_of(2, 8, 4))
    changed = [v.path.split("/")[-1] for v in network.variables if (v.numpy() != before[v.path]).any()]
    assert changed == ["moving_mean", "moving_variance"]
    once = network.get_weights()
    set_statistics(network, network, batches_of(2, 8, 4))
    for one, other in zip(once, network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


RECIPES = {
    "dcgan": ("dcgan", {}),
    "dcgan, averaged": ("dcgan", {"ema_half_life_images": 640}),
    "dcgan, classes": ("dcgan", {"num_classes": 10}),
    "sagan, classes": ("sagan", {"num_classes": 10, "image_shape": (16, 16, 1)}),
    "gan": ("gan", {"filters": 32}),
}
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def trained(recipe):
    """A GAN after 50 steps, with the statistics that training alone has left.

    It learns fast, as a short training must: its generator changes much each step.
    """
    preset, given = RECIPES[recipe]
    given = {"image_shape": (16, 20, 1), "filters": 8, "latent_dim": 16, **given}
    gan = kgan.GAN.from_preset(preset, seed=1, **given)
    rates = [keras.optimizers.Adam(2e-3, 0.5) for _ in range(2)]
    gan.compile(g_optimizer=rates[0], d_optimizer=rates[1])
    data = kgan.data.embedded(
        batch_size=64,
        image_shape=given["image_shape"],
        value_range=gan.value_range,
        conditional="num_classes" in given,
        seed=1,
    )
    for batch in data.take(50):
        gan.train_on_batch(*(batch if isinstance(batch, tuple) else [batch]))
    return gan


def inputs_of(gan, n=512):
    """Other latents than those that calibrate."""
    latents = kgan.latents.from_seeds(range(9000, 9000 + n), gan.latent_dim)
    return latents if gan.num_classes is None else [latents, np.arange(n) % gan.num_classes]


def in_training_mode(gan):
    """What training shows, in batches of its size."""
    network = kgan.models.copies.copy_network(gan.inference_generator)
    network.trainable = True
    return network.predict if False else np.concatenate(
        [np.asarray(network(batch, training=True)) for batch in split(inputs_of(gan))]
    )


def split(inputs, size=64):
    several = inputs if isinstance(inputs, list) else [inputs]
    parts = [[one[at : at + size] for one in several] for at in range(0, len(several[0]), size)]
    return parts if isinstance(inputs, list) else [part[0] for part in parts]


def differences(shown, trained):
    """(ratio of contrasts, difference of means, mean difference of a pixel's quantiles)."""
    quantiles = np.abs(np.quantile(shown, QUANTILES, axis=0) - np.quantile(trained, QUANTILES, 0))
    return shown.std() / trained.std(), shown.mean() - trained.mean(), quantiles.mean()


@pytest.mark.parametrize("recipe", RECIPES)
def test_after_50_steps_inference_shows_what_training_did(recipe):
    gan = trained(recipe)
    expected = in_training_mode(gan)
    print(recipe, differences(np.asarray(gan.inference_generator(inputs_of(gan))), expected))
    print(recipe, differences(gan.predict(inputs_of(gan), verbose=0), expected))
    for k in ("x",):
        kgan.images.save_png(f"/tmp/bn_{recipe}.png", kgan.images.grid(gan.generate(32)))
