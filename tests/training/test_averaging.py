"""The averaged generator against NumPy, tensorflow-addons' recorded average, and on disk."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import kgan
from kgan.models.rebuild import all_layers, copy_network
from kgan.training.averaging import ramped_up, update_average


def dense_network(kernel):
    network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, use_bias=False)])
    network.set_weights([kernel])
    return network


def test_it_equals_tensorflow_addons_moving_average():
    """TFA's decay of 0.9 an update is a half-life of log(0.5) / log(0.9) updates."""
    goldens = np.load(Path(__file__).parents[1] / "goldens" / "tfa.npz")
    network = dense_network(goldens["moving_average/start"])
    average = copy_network(network)
    optimizer = keras.optimizers.SGD(float(goldens["moving_average/learning_rate"]))
    half_life = np.log(0.5) / np.log(float(goldens["moving_average/decay"]))
    for step, gradient in enumerate(goldens["moving_average/gradients"]):
        optimizer.apply([tf.constant(gradient)], network.trainable_variables)
        update_average(
            average,
            network,
            half_life,
            images=tf.constant(1.0),
        )
        for kind, model in (("weights", network), ("averaged", average)):
            expected = goldens[f"moving_average/{kind}"][step]
            np.testing.assert_allclose(model.get_weights()[0], expected, atol=1e-5)


def test_the_start_is_forgotten_within_a_twentieth_of_the_training():
    network, average = dense_network(np.ones((3, 4))), dense_network(np.zeros((3, 4)))
    half_life = ramped_up(1e6, images_seen=tf.constant(160.0))
    update_average(average, network, half_life, images=tf.constant(8.0))
    # 160 images seen: a half-life of 8, so that 8 images move it half the way
    np.testing.assert_allclose(average.get_weights()[0], 0.5, atol=1e-6)


@pytest.fixture
def gan():
    made = kgan.GAN.from_preset(
        "dcgan",
        image_shape=(16, 20, 1),
        latent_dim=8,
        filters=2,
        ema_half_life_images=64,
        seed=0,
    )
    rates = [keras.optimizers.Adam(5e-3, 0.5) for _ in range(2)]
    made.compile(g_optimizer=rates[0], d_optimizer=rates[1])
    return made


def learned(network):
    """All weights but the normalisation statistics, which the end of `fit` calibrates."""
    return [w for w in network.weights if w.name not in ("moving_mean", "moving_variance")]


def test_every_step_moves_it_and_pictures_are_made_with_it(gan, real_images):
    averages = [weight.numpy() for weight in learned(gan.ema_generator)]
    for step in range(3):
        gan.fit(real_images[:16], batch_size=16, verbose=0)
        seen = 16 * (step + 1)
        decay = 0.5 ** (16 / min(64, 0.05 * seen))
        averages = [
            decay * mean + (1 - decay) * weight.numpy()
            for mean, weight in zip(averages, learned(gan.generator), strict=True)
        ]
        for mean, weight in zip(averages, learned(gan.ema_generator), strict=True):
            np.testing.assert_allclose(weight.numpy(), mean, atol=1e-6, err_msg=weight.path)
    assert gan.inference_generator is gan.ema_generator
    latents = kgan.latents.from_seeds(range(4), 8)
    gan.calibrate()  # as all that makes images does
    expected = gan.ema_generator(latents, training=False)
    np.testing.assert_allclose(gan.predict(latents, verbose=0), expected, atol=1e-6)
    np.testing.assert_array_equal(gan.generate(4), kgan.images.to_uint8(expected))


@pytest.mark.slow
def test_all_that_is_shown_is_the_averages(gan, tmp_path):
    gan.ema_generator.set_weights([20.0 * weight for weight in gan.ema_generator.get_weights()])
    averaged = gan.generate(4).astype(int)
    live = gan.generator(kgan.latents.from_seeds(range(4), 8), training=False)
    assert np.abs(averaged - kgan.images.to_uint8(live)).mean() > 10  # another picture altogether
    export = kgan.export.export(gan, tmp_path / "averaged")
    drawn = kgan.runtime.Generator(export.path).generate(4)
    np.testing.assert_allclose(drawn.astype(int), averaged, atol=1)
    gan.save(tmp_path / "gan.keras")
    again = kgan.load_gan(tmp_path / "gan.keras")
    np.testing.assert_array_equal(again.generate(4), averaged)


@pytest.mark.slow
def test_it_is_saved_and_goes_on(gan, real_images, tmp_path):
    gan.fit(real_images, batch_size=16, verbose=0)
    gan.save(tmp_path / "gan.keras")
    again = kgan.load_gan(tmp_path / "gan.keras")
    assert again.ema_half_life_images == 64
    for model in (gan, again):
        model.fit(real_images[:32], batch_size=16, shuffle=False, verbose=0)
    for one, other in zip(gan.ema_generator.weights, again.ema_generator.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy(), err_msg=one.path)


@pytest.mark.slow
def test_it_follows_only_the_generators_updates(gan, real_images):
    gan.compile(d_steps=2)
    before = [weight.numpy() for weight in learned(gan.ema_generator)]
    gan.fit(real_images[:16], batch_size=16, verbose=0)
    for one, other in zip(before, learned(gan.ema_generator), strict=True):
        np.testing.assert_array_equal(one, other.numpy())
    gan.fit(real_images[:16], batch_size=16, verbose=0)
    assert np.abs(learned(gan.ema_generator)[0].numpy() - before[0]).max() > 0


@pytest.mark.slow
def test_the_averaged_kernels_are_normalised_too(real_images):
    gan = kgan.GAN.from_preset(
        "sagan", image_shape=(16, 20, 1), filters=2, latent_dim=4, ema_half_life_images=1000
    )
    rates = [keras.optimizers.Adam(5e-3, 0.0, 0.9) for _ in range(2)]
    gan.compile(g_optimizer=rates[0], d_optimizer=rates[1])
    gan.fit(real_images, batch_size=16, epochs=10, verbose=0)
    layers = [
        layer
        for layer in all_layers(gan.ema_generator)
        if isinstance(layer, kgan.layers.SpectralNormalization)
    ]
    assert len(layers) == 9  # three convolutions and two attentions of three
    for layer in layers:
        kernel = np.moveaxis(layer.kernel.numpy(), layer.rows_axis, 0)
        matrix = kernel.reshape(len(kernel), -1)
        used = layer.u.numpy() @ matrix @ layer.v.numpy()
        assert used == pytest.approx(np.linalg.svd(matrix)[1][0], rel=0.01), layer.name


def test_presets_and_mistakes(small_gan):
    assert small_gan.ema_generator is None
    assert small_gan.inference_generator is small_gan.generator
    modern = {"image_shape": (8, 8, 1), "filters": 8}
    assert kgan.GAN.from_preset("r3gan", **modern).ema_half_life_images == 500_000
    off = kgan.GAN.from_preset("r3gan", **modern, ema_half_life_images=0)
    assert off.ema_generator is None
    with pytest.raises(kgan.InputError, match=r"from 0 up, or None\. Received: -5"):
        kgan.GAN(small_gan.generator, small_gan.discriminator, ema_half_life_images=-5)


@pytest.mark.slow
def test_the_callback_averages_as_the_argument_does(gan, real_images, tmp_path):
    """Also where the model was trained before, without an average."""
    plain = kgan.GAN.from_config(gan.get_config() | {"ema_half_life_images": None})
    plain.compile(g_optimizer="sgd", d_optimizer="sgd")
    plain.fit(real_images, batch_size=16, shuffle=False, verbose=0)
    plain.save(tmp_path / "plain.keras")
    shown = kgan.load_gan(tmp_path / "plain.keras")
    shown.start_average(64)
    for model, callbacks in ((plain, [kgan.callbacks.EMA(64)]), (shown, [])):
        model.fit(real_images, batch_size=16, shuffle=False, callbacks=callbacks, verbose=0)
    assert plain.ema_half_life_images == 64
    for one, other in zip(plain.variables, shown.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy(), err_msg=one.path)
    difference = plain.ema_generator.get_weights()[0] - plain.generator.get_weights()[0]
    assert np.abs(difference).max() > 1e-5
    plain.save(tmp_path / "averaged.keras")
    again = kgan.load_gan(tmp_path / "averaged.keras")
    np.testing.assert_array_equal(again.generate(2), plain.generate(2))
    fresh = kgan.GAN.from_config(gan.get_config() | {"ema_half_life_images": None})
    fresh.compile(g_optimizer="sgd", d_optimizer="sgd")
    assert kgan.callbacks.Checkpoint(tmp_path / "averaged.keras").restore(fresh) == 8
    np.testing.assert_array_equal(fresh.generate(2), plain.generate(2))
    plain.start_average(64)  # the same: nothing to do
    with pytest.raises(kgan.InputError, match=r"averaged already, half-life 64 .* Received: 65"):
        plain.start_average(65)
    with pytest.raises(kgan.InputError, match=r"above 0\. Received: 0"):
        kgan.callbacks.EMA(0)
