"""Schedules of a training: their values by NumPy, what they drive, and on disk."""

import io
import zipfile

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

import kgan
from kgan.training import Cosine
from kgan.training.saving import restore
from kgan.training.schedules import lower_rates

RNG = np.random.default_rng(0)
REAL = RNG.uniform(-1, 1, (32, 4, 4, 1)).astype(np.float32)


def cosine(start, end, seen, images):
    share = min(seen / images, 1.0)
    return end + (start - end) * (1 + np.cos(np.pi * share)) / 2


def linear_gan(**arguments):
    """G(z) = z W, D(x) = w . x, whose gradient in x is w everywhere; SGD shows it."""
    generator = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(16, "tanh"), keras.layers.Reshape((4, 4, 1))]
    )
    judge = keras.layers.Dense(1, use_bias=False)
    discriminator = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), judge])
    return kgan.GAN(generator, discriminator, seed=0, **arguments), judge.kernel


def nothing(real_logits=0.0, fake_logits=0.0):
    return 0.0 * keras.ops.mean(real_logits + fake_logits)


def nothing_generator_loss(fake_logits):
    return 0.0 * keras.ops.mean(fake_logits)


@pytest.mark.parametrize(("seen", "images"), [(0, 200), (50, 200), (200, 200), (10**8, 2 * 10**8)])
def test_a_cosine(seen, images):
    found = Cosine(2e-4, 5e-5).at(tf.constant(seen, tf.int64), tf.constant(images, tf.int64))
    np.testing.assert_allclose(found, cosine(2e-4, 5e-5, seen, images), rtol=1e-5)


def test_a_cosine_stays_at_its_end_and_at_its_beginning_without_a_length():
    assert float(Cosine(3, 1, images=10).at(11, 10)) == 1.0
    assert float(Cosine(3, 1).at(11, 0)) == 3.0


def test_rate_and_penalty_of_each_step_are_those_of_the_images_seen_before_it():
    """gamma / 2 |w|^2 has the gradient gamma w: each step leaves (1 - rate gamma) w."""
    gan, kernel = linear_gan()
    loss = kgan.losses.LossPair(nothing_generator_loss, nothing)
    gan.compile(
        loss,
        *(keras.optimizers.SGD(9.0) for _ in "gd"),
        schedules={"learning_rate": (0.5, 0.1), "r1_gamma": Cosine(0.0, 1.0, images=16)},
    )
    weights, expected = kernel.numpy(), []
    history = gan.fit(REAL, batch_size=8, epochs=2, shuffle=False, verbose=0).history
    for step in range(8):  # 64 images in all
        rate, gamma = cosine(0.5, 0.1, 8 * step, 64), cosine(0.0, 1.0, 8 * step, 16)
        weights = weights - rate * gamma * weights
        expected.append((rate, gamma))
    np.testing.assert_allclose(kernel.numpy(), weights, rtol=1e-4)
    # The logs have what the next step would take; `penalty` shows without a gamma of the loss's.
    ends = [[cosine(0.5, 0.1, seen, 64), cosine(0.0, 1.0, seen, 16)] for seen in (32, 64)]
    logged = np.transpose([history["learning_rate"], history["r1_gamma"]])
    np.testing.assert_allclose(logged, ends, rtol=1e-5)
    assert history["penalty"][0] > 0
    assert (int(gan.images_seen), int(gan.schedule_images)) == (64, 64)
    # What is trained later has the last values.
    gan.fit(REAL[:8], batch_size=8, verbose=0)
    np.testing.assert_allclose(kernel.numpy(), (1 - 0.1) * weights, rtol=1e-4)
    # Schedules that are compiled later begin then, over the fit that follows.
    gan.compile(schedules={"learning_rate": (0.4, 0.0)})
    history = gan.fit(REAL, batch_size=8, epochs=2, shuffle=False, verbose=0).history
    np.testing.assert_allclose(history["learning_rate"], [0.2, 0.0], atol=1e-6)


def test_networks_can_have_rates_of_their_own():
    gan, _ = linear_gan()
    gan.compile(schedules={"d_learning_rate": (0.5, 0.1)})
    gan.fit(REAL, batch_size=8, verbose=0)
    np.testing.assert_allclose(float(gan.g_optimizer.learning_rate), 2e-4)
    np.testing.assert_allclose(float(gan.d_optimizer.learning_rate), cosine(0.5, 0.1, 24, 32))


SIX = {
    "learning_rate": (2e-3, 5e-4),
    "beta_2": (0.9, 0.99),
    "r1_gamma": (0.5, 0.05),
    "r2_gamma": (0.4, 0.04),
    "ema_half_life_images": (0, 500),
    "augment_probability": (0, 0.3),
}


def six(**compiled):
    """A small GAN with a schedule for everything that can have one."""
    keras.utils.set_random_seed(0)
    gan, _ = linear_gan(ema_half_life_images=500)
    with gan.distribute_strategy.scope():
        augment = kgan.layers.DiffAugment("cutout", probability=0.0)
    gan.compile(schedules=SIX, diff_augment=augment, **compiled)
    return gan


def everything(gan):
    states = [*gan.variables, *gan.g_optimizer.variables, *gan.d_optimizer.variables]
    return [np.asarray(keras.ops.convert_to_numpy(state)) for state in states]


def test_a_training_goes_on_exactly_where_it_was_saved(real_images, tmp_path):
    """With a schedule for each figure; nothing is traced anew from step to step."""
    images = real_images[:32, :4, :4]
    whole, parts = six(), six()
    traced = []
    take = whole.train_step
    whole.train_step = lambda data: traced.append(1) or take(data)
    for gan in (whole, parts):
        gan.schedule_images.assign(64)
    order = {"batch_size": 8, "shuffle": False, "verbose": 0}
    whole.fit(images, epochs=2, **order)
    assert len(traced) <= 2
    parts.fit(images, epochs=1, **order)
    parts.save(tmp_path / "gan.keras")
    parts = kgan.load_gan(tmp_path / "gan.keras")
    history = parts.fit(images, epochs=2, initial_epoch=1, **order).history
    for one, other in zip(everything(whole), everything(parts), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(history["augment_probability"], 0.3, rtol=1e-6)
    np.testing.assert_allclose(history["beta_2"], 0.99, rtol=1e-6)
    # No half-life is longer than a twentieth of the images seen.
    np.testing.assert_allclose(history["ema_half_life_images"], 0.05 * 64, rtol=1e-6)
    assert parts.g_optimizer.beta_2 == 0.999  # its own, again
    assert float(parts.diff_augment.probability) < 0.3


@pytest.mark.slow
@pytest.mark.parametrize("compiled", [{"steps_per_execution": 3}, {"jit_compile": True}])
def test_however_the_step_is_executed(compiled, real_images):
    images = real_images[:40, :4, :4]
    ended = []
    for options in ({}, compiled):
        gan = six(**options)
        gan.fit(images, batch_size=16, epochs=2, shuffle=False, verbose=0)
        ended.append(everything(gan))
    for one, other in zip(*ended, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


@pytest.mark.slow
def test_replicas_follow_the_same_schedules(two_replicas, real_images):
    """40 images in batches of 16: the last is 8, and all 40 are counted."""
    images = real_images[:40, :4, :4]
    one = six()
    with two_replicas.scope():
        two = six()
    logs = [
        gan.fit(images, batch_size=16, epochs=2, shuffle=False, verbose=0).history
        for gan in (one, two)
    ]
    for name in one.schedules:
        np.testing.assert_allclose(logs[0][name], logs[1][name], rtol=1e-5)
    assert int(one.images_seen) == int(two.images_seen.numpy()) == 80
    assert one.g_optimizer.beta_2 == two.g_optimizer.beta_2 == 0.999
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(policy, real_images):
    keras.config.set_dtype_policy(policy)
    gan = six()
    history = gan.fit(real_images[:32, :4, :4], batch_size=16, epochs=2, verbose=0).history
    np.testing.assert_allclose(history["learning_rate"][-1], 5e-4, rtol=1e-5)
    assert np.isfinite(list(history.values())).all()


def test_what_is_passed_otherwise_has_no_schedule_of_the_presets():
    gan = kgan.GAN.from_preset("r3gan", image_shape=(8, 8, 1), latent_dim=4, filters=8, seed=0)
    gan.compile()
    assert set(gan.schedules) == set(SIX)
    assert gan.diff_augment.policy == "bgc"
    # 8x8 is a sixteenth of 32x32, which has 0.05; a quarter of 64x64 has a twentieth.
    np.testing.assert_allclose(gan.adversarial_loss.r1_gamma, 0.05 / 20**2)
    gan.compile(kgan.losses.Relativistic(), keras.optimizers.Adam(), keras.optimizers.Adam())
    assert set(gan.schedules) == {"ema_half_life_images", "augment_probability"}
    gan.compile(diff_augment="color")
    assert "augment_probability" not in gan.schedules
    assert float(gan.diff_augment.probability) == 1.0
    gan.compile(schedules={})
    assert (gan.schedules, gan.diff_augment) == ({}, None)


def test_data_of_unknown_length_are_measured_by_their_first_epoch():
    gan, _ = linear_gan()
    gan.compile(schedules={"learning_rate": (0.1, 0.0)})
    data = tf.data.Dataset.from_tensor_slices(REAL).batch(8).filter(lambda batch: True)
    history = gan.fit(data, epochs=4, verbose=0).history
    assert int(gan.schedule_images) == 4 * 32
    expected = [cosine(0.1, 0.0, seen, 128) for seen in (64, 96, 128)]
    np.testing.assert_allclose(history["learning_rate"], [0.1, *expected], atol=1e-7)


def test_a_model_that_counted_its_batches_alone_goes_on_from_their_images():
    gan, _ = linear_gan()
    gan.compile()
    gan.batches_seen.assign(5)
    gan.train_on_batch(REAL[:8])
    assert int(gan.images_seen) == 6 * 8


def test_a_checkpoint_without_the_counts_of_images_is_restored(tmp_path):
    gan, _ = linear_gan()
    gan.compile()
    gan.fit(REAL[:8], batch_size=8, verbose=0)
    gan.save(tmp_path / "now.keras")
    with zipfile.ZipFile(tmp_path / "now.keras") as now:
        parts = {name: now.read(name) for name in now.namelist()}
    weights = io.BytesIO(parts["model.weights.h5"])
    with h5py.File(weights, "r+") as file:
        del file["vars/2"], file["vars/3"], file["vars/4"]
    with zipfile.ZipFile(tmp_path / "before.keras", "w") as before:
        for name, part in (parts | {"model.weights.h5": weights.getvalue()}).items():
            before.writestr(name, part)
    again, _ = linear_gan()
    again.compile()
    assert restore(again, tmp_path / "before.keras") == 1
    assert int(again.images_seen) == 0  # the next step puts it right
    np.testing.assert_array_equal(again.get_weights()[0], gan.get_weights()[0])


def test_lower_rates_keep_the_schedule():
    gan, _ = linear_gan()
    gan.compile(schedules={"learning_rate": (0.4, 0.2), "beta_2": (0.9, 0.99)})
    gan.fit(REAL, batch_size=8, verbose=0)
    lower_rates(gan, 2.0)
    gan.train_on_batch(REAL[:8])
    np.testing.assert_allclose(float(gan.d_optimizer.learning_rate), 0.1)


@pytest.mark.parametrize(
    ("schedules", "says"),
    [
        ([], "schedules must be a dict .* Received: \\[\\]"),
        ({"gamma": (1, 2)}, "What can follow a schedule: learning_rate, .* Received: 'gamma'"),
        ({"beta_2": 0.9}, r"beta_2 must be \(start, end\) or a Cosine. Received: 0.9"),
        ({"beta_2": (0.9, 1.0)}, "beta_2 cannot go there. Received: from 0.9 to 1"),
        ({"r1_gamma": (1, float("nan"))}, "from a number to a number"),
        ({"learning_rate": (1, 0), "g_learning_rate": (1, 0)}, "is that of both networks"),
        ({"ema_half_life_images": (0, 9)}, "needs an averaged generator"),
    ],
    ids=str,
)
def test_schedules_that_cannot_be(schedules, says):
    gan, _ = linear_gan()
    with pytest.raises(kgan.InputError, match=says):
        gan.compile(schedules=schedules)


def test_optimizers_and_augmentation_that_cannot_follow():
    gan, _ = linear_gan()
    sgd = [keras.optimizers.SGD() for _ in "gd"]
    with pytest.raises(kgan.InputError, match=r"such as Adam\. Received: SGD for the generator"):
        gan.compile(None, *sgd, schedules={"beta_2": (0.9, 0.99)})
    decays = [keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1, 2)) for _ in "gd"]
    with pytest.raises(kgan.InputError, match="a Keras LearningRateSchedule for the generator"):
        gan.compile(None, *decays, schedules={"learning_rate": (1, 0)})
    adaptive = kgan.layers.DiffAugment(target=0.6)
    with pytest.raises(kgan.InputError, match=r"without a target. Received: target=0.6"):
        gan.compile(diff_augment=adaptive, schedules={"augment_probability": (0, 0.5)})
