"""Inference shows what training did: statistics against NumPy, pictures after 50 steps, on disk."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import kgan
from kgan.export.signatures import parts_of
from kgan.images import to_uint8
from kgan.layers import ConditionalBatchNormalization, SpectralNormalization
from kgan.models.rebuild import all_layers, copy_network, float32_copy
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
    mean, variance = (
        average.get_layer("twice").moving_mean,
        average.get_layer("twice").moving_variance,
    )
    met = keras.Model(average.inputs[0], average.get_layer("renorm").output)
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
    changed = [
        v.path.split("/")[-1] for v in network.variables if (v.numpy() != before[v.path]).any()
    ]
    assert changed == ["moving_mean", "moving_variance"]
    once = network.get_weights()
    set_statistics(network, network, batches_of(2, 8, 4))
    for one, other in zip(once, network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


RECIPES = {
    "dcgan": ("dcgan", {}),
    "dcgan, averaged": ("dcgan", {"ema_half_life_images": 640}),
    "dcgan, classes": ("dcgan", {"num_classes": 10}),
    "sagan, classes": ("sagan", {"num_classes": 10, "image_shape": (16, 16, 1), "filters": 4}),
    "gan": ("gan", {"filters": 32, "rate": 1e-2}),
}
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def made(preset, rate=2e-3, **given):
    given = {"image_shape": (16, 20, 1), "filters": 8, "latent_dim": 16, **given}
    gan = kgan.GAN.from_preset(preset, seed=1, **given)
    rates = [keras.optimizers.Adam(rate, 0.5) for _ in range(2)]
    gan.compile(g_optimizer=rates[0], d_optimizer=rates[1])
    return gan


def train(gan, steps):
    """Steps alone: nothing is calibrated after them."""
    data = kgan.data.embedded(
        batch_size=64,
        image_shape=gan.image_shape,
        value_range=gan.value_range,
        labels=gan.num_classes is not None,
        seed=1,
    )
    for batch in data.take(steps):
        gan.train_on_batch(*(batch if isinstance(batch, tuple) else [batch]))


def inputs_of(gan, n=calibration.IMAGES, first=0):
    """The latents that calibrate, or others: those add the chance of another 512."""
    latents = kgan.latents.from_seeds(range(first, first + n), gan.latent_dim)
    return latents if gan.num_classes is None else [latents, np.arange(n) % gan.num_classes]


def in_training_mode(gan, inputs):
    """What training shows, in one batch so large that its own chance hardly counts."""
    network = copy_network(gan.inference_generator)
    network.trainable = True
    return np.asarray(network(inputs, training=True))


def differences(shown, trained):
    """Of contrast (a share), of the mean and of a pixel's quantiles on average (shares of std)."""
    contrast = trained.std()
    quantiles = np.quantile(shown, QUANTILES, axis=0) - np.quantile(trained, QUANTILES, axis=0)
    return (
        abs(shown.std() / contrast - 1),
        abs(shown.mean() - trained.mean()) / contrast,
        np.abs(quantiles).mean() / contrast,
    )


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES)
def test_after_50_steps_inference_shows_what_training_did(recipe):
    preset, given = RECIPES[recipe]
    gan = made(preset, **given)
    train(gan, 50)
    others, inputs = inputs_of(gan, first=9000), inputs_of(gan)
    lagging = np.asarray(gan.inference_generator(others))
    before = differences(lagging, in_training_mode(gan, others))
    expected = in_training_mode(gan, inputs)
    after = differences(gan.predict(inputs, verbose=0), expected)
    assert expected.std() > 0.1
    assert max(before) > 0.07
    # A Dense layer has one value a picture to measure by, a convolution many.
    assert max(after) < (0.05 if preset == "gan" else 0.03)


def loose(gan):
    """The inference statistics by name."""
    return {
        v.path: v.numpy()
        for v in gan.inference_generator.non_trainable_variables
        if v.path.endswith(("moving_mean", "moving_variance"))
    }


def equal(one, other):
    return all(np.array_equal(one[path], other[path]) for path in one)


@pytest.mark.slow
def test_every_way_to_pictures_calibrates_and_all_agree(tmp_path):
    gan = made("dcgan", filters=2, num_classes=10, ema_half_life_images=640)
    train(gan, 6)
    inputs = inputs_of(gan, 4)
    lagging = statistics(gan.inference_generator)
    gan.save(tmp_path / "between_steps.keras")
    images = np.zeros((4, 16, 20, 1), np.float32)
    found = []
    for make_pictures in (
        lambda one: one.generate(1),
        lambda one: one.predict(inputs, verbose=0),
        lambda one: one.predict_on_batch(inputs),
        lambda one: one(inputs),
        lambda one: one.evaluate(images, np.arange(4), verbose=0),
        parts_of,
    ):
        one = keras.models.load_model(tmp_path / "between_steps.keras")
        np.testing.assert_array_equal(statistics(one.inference_generator)[0], lagging[0])
        make_pictures(one)
        found.append(np.concatenate(sum(statistics(one.inference_generator), ())))
        assert int(one.calibrated_at) == int(one.batches_seen) == 6
    assert np.abs(found[0] - np.concatenate(sum(lagging, ()))).max() > 0.01
    for other in found[1:]:
        np.testing.assert_array_equal(found[0], other)

    labels = inputs[1].tolist()
    shown = gan.generate(4, seed=0, labels=labels)
    np.testing.assert_array_equal(gan.generate(4, seed=0, labels=labels), shown)
    np.testing.assert_array_equal(to_uint8(gan.predict(inputs, verbose=0)), shown)
    np.testing.assert_allclose(to_uint8(gan(inputs)).astype(int), shown, atol=1)
    export = kgan.export.export(gan, tmp_path / "export")
    drawn = kgan.runtime.Generator(export.path).generate(4, seed=0, labels=labels)
    np.testing.assert_allclose(drawn.astype(int), shown, atol=1)
    served = tf.saved_model.load(export.path).signatures["serving_default"]
    arrays = {"latents": tf.constant(inputs[0]), "labels": tf.constant(inputs[1])}
    np.testing.assert_allclose(served(**arrays)["images"].numpy().astype(int), shown, atol=1)
    gan.save(tmp_path / "gan.keras")
    again = keras.models.load_model(tmp_path / "gan.keras")
    for one, other in zip(statistics(gan), statistics(again), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(again.generate(4, seed=0, labels=labels), shown)


@pytest.mark.slow
@pytest.mark.parametrize("half_life", [0, 640])
def test_training_is_the_same_with_pictures_between(half_life, real_images):
    models = [made("dcgan", filters=2, ema_half_life_images=half_life) for _ in range(2)]
    models[1].set_weights(models[0].get_weights())
    draw = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: models[1].generate(1)
    )
    for model, callbacks in zip(models, ([], [draw]), strict=True):
        model.fit(real_images, batch_size=16, shuffle=False, callbacks=callbacks, verbose=0)
    models[0].calibrate()
    assert int(models[0].calibrated_at) == int(models[1].calibrated_at) == 4
    for one, other in zip(models[0].variables, models[1].variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy(), err_msg=one.path)


def test_only_training_calibrates(small_gan):
    """Networks from elsewhere keep their statistics."""
    rng = np.random.default_rng(0)
    weights = [rng.uniform(0.1, 1.0, w.shape) for w in small_gan.generator.get_weights()]
    small_gan.generator.set_weights(weights)
    small_gan.generate(2)
    small_gan.predict(inputs_of(small_gan, 2), verbose=0)
    for one, other in zip(small_gan.generator.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(one, np.float32(other))


def test_networks_without_it_are_not_run(monkeypatch):
    gan = kgan.GAN.from_preset("r3gan", image_shape=(8, 8, 1), filters=8)
    gan.batches_seen.assign(1)
    monkeypatch.setattr(type(gan.generator), "call", None)  # any pass would fail
    gan.calibrate()
    assert int(gan.calibrated_at) == 1


@pytest.mark.slow
def test_under_mixed_precision():
    """Statistics measured in 16 bits serve the float32 pictures as well."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    gan = made("dcgan", filters=2)
    train(gan, 6)
    gan.calibrate()
    exact = float32_copy(gan.generator)
    batches = np.arange(calibration.IMAGES).reshape(-1, calibration.BATCH_SIZE)
    set_statistics(exact, exact, [kgan.latents.from_seeds(seeds, 16) for seeds in batches])
    rounded = zip(statistics(gan.generator), statistics(exact), strict=True)
    for (mean, variance), (true_mean, true_variance) in rounded:
        np.testing.assert_allclose(mean, true_mean, atol=0.01 * np.sqrt(true_variance.min()))
        np.testing.assert_allclose(variance, true_variance, rtol=0.01)


def test_on_two_replicas(two_replicas):
    with two_replicas.scope():
        gan = made("dcgan", filters=2, ema_half_life_images=640)
    gan.batches_seen.assign(1)
    gan.calibrate()
    alone = made("dcgan", filters=2, ema_half_life_images=640)
    alone.set_weights(gan.get_weights())
    alone.calibrated_at.assign(0)
    alone.calibrate()
    for one, other in zip(statistics(gan), statistics(alone), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_only_images_from_new_weights_are_worth_calibrating(small_gan, real_images, tmp_path):
    """A loop of short fits pays for none; what makes images pays once."""
    small_gan.fit(real_images[:16], batch_size=8, verbose=0)
    small_gan.fit(real_images[:16], batch_size=8, verbose=0)
    assert int(small_gan.calibrated_at.numpy()) == 0
    small_gan.save(tmp_path / "gan.keras")
    images = small_gan.generate(4)
    assert int(small_gan.calibrated_at.numpy()) == int(small_gan.batches_seen.numpy()) == 4
    np.testing.assert_array_equal(kgan.load_gan(tmp_path / "gan.keras").generate(4), images)
