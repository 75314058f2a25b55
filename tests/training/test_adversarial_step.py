"""What a half step may change, and what it may not."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kgan
from kgan.training.adversarial_step import discriminator_step, generator_step


def values(network):
    return {v.path: v.numpy() for v in network.variables}


def changed(before, network):
    return {
        path for path, value in values(network).items() if not np.array_equal(before[path], value)
    }


@pytest.fixture(params=["float32", "mixed_bfloat16"])
def gan(request):
    """A dcgan whose discriminator also drops units: its seed state is a variable too."""
    keras.config.set_dtype_policy(request.param)
    generator = kgan.models.DCGANGenerator((16, 16, 1), latent_dim=8, filters=2)
    base = kgan.models.DCGANDiscriminator((16, 16, 1), filters=2)
    noisy = keras.layers.Dropout(0.3)(base.get_layer("features").output)
    logits = keras.layers.Dense(1, dtype="float32")(noisy)
    made = kgan.GAN(generator, keras.Model(base.inputs, logits), seed=0)
    made.compile()
    return made


@pytest.fixture
def real():
    return np.random.default_rng(0).uniform(-1, 1, (8, 16, 16, 1)).astype(np.float32)


@pytest.mark.slow
@pytest.mark.parametrize("graph", [False, True], ids=["eager", "tf.function"])
def test_the_discriminators_half_step_changes_no_variable_of_the_generator(gan, real, graph):
    step = tf.function(discriminator_step) if graph else discriminator_step
    g_before, d_before = values(gan.generator), values(gan.discriminator)
    step(gan, tf.constant(real))
    assert changed(g_before, gan.generator) == set()
    assert changed(d_before, gan.discriminator) == set(d_before)  # statistics and seed included


@pytest.mark.slow
@pytest.mark.parametrize("graph", [False, True], ids=["eager", "tf.function"])
def test_the_generators_half_step_changes_no_variable_of_the_discriminator(gan, real, graph):
    step = tf.function(generator_step) if graph else generator_step
    g_before, d_before = values(gan.generator), values(gan.discriminator)
    step(gan, tf.constant(real))
    assert changed(d_before, gan.discriminator) == set()
    assert changed(g_before, gan.generator) == set(g_before)


def test_real_and_fake_are_normalised_apart(small_gan):
    """The mean logits a step reports are those of two passes, far from those of one mixed batch."""
    discriminator = small_gan.discriminator
    for kernel in (w for w in discriminator.trainable_weights if w.path.endswith("kernel")):
        kernel.assign(10.0 * kernel)  # so that the normalisation has something to show
    real = np.full((8, 16, 20, 1), 0.9, np.float32) + np.linspace(0, 0.1, 8)[:, None, None, None]
    real = real.astype(np.float32)
    twin = kgan.GAN.from_config(small_gan.get_config())
    twin.set_weights(small_gan.get_weights())
    latents = twin.draw_latents(8)
    with keras.StatelessScope():
        fake = twin.generator(latents, training=True)
        apart = [twin.discriminator(x, training=True).numpy() for x in (real, fake)]
        mixed = twin.discriminator(np.concatenate([real, fake]), training=True).numpy()
    logs = small_gan.train_step(tf.constant(real))
    np.testing.assert_allclose(logs["real_logits"], apart[0].mean(), rtol=1e-5)
    np.testing.assert_allclose(logs["fake_logits"], apart[1].mean(), rtol=1e-5)
    assert abs(mixed[:8].mean() - apart[0].mean()) > 10 * abs(apart[0].mean()) * 1e-5


def test_the_frozen_discriminator_still_uses_the_batchs_own_statistics(small_gan):
    for variable in small_gan.discriminator.non_trainable_variables:
        variable.assign(variable + 5.0)  # moving statistics that would give other logits
    twin = kgan.GAN.from_config(small_gan.get_config())
    twin.set_weights(small_gan.get_weights())
    with keras.StatelessScope():
        fake = twin.generator(twin.draw_latents(8), training=True)
        expected = kgan.losses.bce_generator_loss(twin.discriminator(fake, training=True))
    generator_step(small_gan, tf.zeros((8, 16, 20, 1)))
    np.testing.assert_allclose(small_gan.get_metrics_result()["g_loss"], expected, rtol=1e-5)


def test_a_layer_that_writes_its_kernel_in_the_forward_pass_learns_all_the_same():
    wrapped = keras.layers.SpectralNormalization(keras.layers.Conv2D(4, 3, strides=2))
    layers = [keras.Input((8, 8, 1)), wrapped, keras.layers.Flatten(), keras.layers.Dense(1)]
    generator = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(64, "tanh"), keras.layers.Reshape((8, 8, 1))]
    )
    gan = kgan.GAN(generator, keras.Sequential(layers), seed=0)
    gan.compile(d_optimizer=keras.optimizers.SGD(0.1))
    real = np.random.default_rng(0).uniform(-1, 1, (16, 8, 8, 1)).astype(np.float32)
    gan.fit(real, batch_size=16, verbose=0)  # the first step normalises the kernel too
    before = wrapped.layer.kernel.numpy()
    gan.fit(real, batch_size=16, epochs=5, verbose=0)
    assert np.abs(wrapped.layer.kernel.numpy() - before).max() > 1e-3


def test_d_steps_updates_the_generator_every_third_batch(small_gan, real_images):
    small_gan.compile(d_steps=3)
    small_gan.fit(real_images[:56], batch_size=8, verbose=0)  # 7 batches
    assert int(small_gan.d_optimizer.iterations) == 7
    assert int(small_gan.g_optimizer.iterations) == 2
    assert int(small_gan.batches_seen) == 7


@pytest.mark.slow
def test_sequential_updates_the_discriminator_twice_a_batch(small_gan, real_images):
    small_gan.compile(d_update="sequential")
    small_gan.fit(real_images[:16], batch_size=8, verbose=0)
    assert int(small_gan.d_optimizer.iterations) == 4
    assert int(small_gan.g_optimizer.iterations) == 2


@pytest.mark.slow
def test_the_end_of_a_dataset_of_unknown_length_is_no_step(real_images):
    histories, models = [], []
    batches = tf.data.Dataset.from_tensor_slices(real_images).batch(16, drop_remainder=True)
    for data in (batches, batches.filter(lambda images: True)):
        keras.utils.set_random_seed(3)
        gan = kgan.GAN.from_preset(
            "dcgan", image_shape=(16, 20, 1), latent_dim=8, filters=1, seed=3
        )
        gan.compile()
        histories.append(gan.fit(data, epochs=3, shuffle=False, verbose=0).history)
        models.append(gan)
    assert histories[0] == histories[1]
    assert [int(gan.batches_seen) for gan in models] == [12, 12]
    for known, unknown in zip(models[0].variables, models[1].variables, strict=True):
        np.testing.assert_array_equal(known.numpy(), unknown.numpy(), err_msg=known.path)


def test_a_step_that_is_not_finite_is_skipped_counted_and_left_out_of_the_means(
    small_gan, real_images
):
    small_gan.fit(real_images[:8], batch_size=8, verbose=0)
    d_before = values(small_gan.discriminator)
    poisoned = real_images[:16].copy()
    poisoned[3, 2, 2, 0] = np.nan
    history = small_gan.fit(poisoned[:8], batch_size=8, verbose=0).history
    assert changed(d_before, small_gan.discriminator) == set()
    assert int(small_gan.d_optimizer.iterations) == 1
    assert history["skipped_updates"] == [1.0]
    history = small_gan.fit(poisoned, batch_size=8, shuffle=False, verbose=0).history
    assert history["skipped_updates"] == [1.0]
    assert np.isfinite(list(history.values())).all()
    assert history["d_loss"][0] > 0.1  # the mean of the one finite step
    assert np.isfinite(np.concatenate([w.ravel() for w in small_gan.get_weights()])).all()


@pytest.mark.slow
def test_float16_scales_both_losses_and_an_overflow_lowers_the_scale(real):
    keras.config.set_dtype_policy("mixed_float16")
    gan = kgan.GAN.from_preset("dcgan", image_shape=(16, 16, 1), latent_dim=8, filters=2)
    gan.compile()
    scales = [gan.d_optimizer.dynamic_scale, gan.g_optimizer.dynamic_scale]
    scales[0].assign(2.0**40)  # far above what a float16 gradient can hold
    before = values(gan.discriminator)
    history = gan.fit(real, batch_size=8, verbose=0).history
    assert changed(before, gan.discriminator) == set()
    assert history["skipped_updates"] == [1.0]
    assert float(scales[0]) == 2.0**39
    scales[0].assign(2.0**10)
    assert gan.fit(real, batch_size=8, epochs=3, verbose=0).history["skipped_updates"] == [0, 0, 0]
    assert {v.dtype for v in gan.trainable_variables} == {"float32"}


def test_a_loss_that_overflows_with_finite_gradients_is_skipped_too():
    """LossScaleOptimizer looks at the gradients alone; the step was counted and yet taken."""
    generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(4, "tanh")])
    generator.add(keras.layers.Reshape((2, 2, 1)))
    layers = [keras.Input((2, 2, 1)), keras.layers.Flatten()]
    layers += [
        keras.layers.Dense(1, kernel_initializer=keras.initializers.Constant(300.0), dtype=dtype)
        for dtype in ("mixed_float16", "mixed_float16")
    ]
    gan = kgan.GAN(generator, keras.Sequential(layers), seed=0)
    gan.compile(
        kgan.losses.Wasserstein(gradient_penalty=0.0),
        g_optimizer=keras.optimizers.SGD(1e-6),
        d_optimizer=keras.optimizers.SGD(1e-6),
    )
    generator.layers[0].kernel.assign(np.full((2, 4), 3.0))
    generator.layers[0].bias.assign(np.full(4, 5.0))  # tanh near 1: 4 * 300 * 300 is no float16
    for optimizer in (gan.g_optimizer, gan.d_optimizer):
        optimizer.dynamic_scale.assign(1.0)
    before = values(gan.generator) | values(gan.discriminator)
    history = gan.fit(np.ones((4, 2, 2, 1), np.float32), batch_size=4, verbose=0).history
    assert history["skipped_updates"] == [2.0]
    after = values(gan.generator) | values(gan.discriminator)
    assert {path for path in before if np.any(before[path] != after[path])} == set()
