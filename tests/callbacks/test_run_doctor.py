"""The run doctor at real trainings: made to fail in each way it knows, and healthy ones."""

import dataclasses
import logging

import keras
import numpy as np
import pytest
import tensorflow as tf

import kgan
from kgan import InputError
from tests.callbacks.test_sample_sheets import events, scalars


@pytest.fixture(scope="module")
def clothes():
    """The embedded set at 16x16 in a drawn order, uint8 (6000, 16, 16, 1)."""
    source = kgan.data.open_source(None, image_shape=(16, 16, 1))
    return np.random.default_rng(0).permutation(source.images)


def adam(rate, beta_1=0.5):
    return keras.optimizers.Adam(rate, beta_1)


def small(preset="gan", filters=64, **changes):
    gan = kgan.GAN.from_preset(preset, image_shape=(16, 16, 1), filters=filters, seed=0)
    gan.compile(**changes)
    return gan


class Stop(keras.callbacks.Callback):
    """Ends training once the doctor has reported these illnesses: no need to watch longer."""

    def __init__(self, doctor, illnesses):
        super().__init__()
        self.doctor = doctor
        self.illnesses = set(illnesses)

    def on_train_batch_end(self, batch, logs=None):
        if self.illnesses and self.illnesses <= set(self.doctor.ills):
            self.model.stop_training = True


def watch(gan, images, caplog, steps, every_steps, batch_size=64, expected=(), **more):
    """Trains and returns (the doctor, what it warned of)."""
    batches = kgan.data.from_arrays(
        np.resize(images, (max(len(images), 1024), *images.shape[1:])),
        batch_size=batch_size,
        value_range=gan.value_range,
        seed=0,
    )
    doctor = kgan.callbacks.RunDoctor(images[:1000], every_steps=every_steps, **more)
    with caplog.at_level(logging.INFO, "kgan"):
        gan.fit(
            batches,
            epochs=10**6,
            callbacks=[doctor, kgan.callbacks.StopAfter(steps), Stop(doctor, expected)],
            verbose=0,
        )
    return doctor, [record.getMessage() for record in caplog.records if record.name == "kgan"]


@pytest.mark.slow
def test_overwhelmed_by_a_gradient_that_vanishes(clothes, caplog, tmp_path):
    """The plain minimax loss under a strong discriminator: what Goodfellow et al. warn of."""
    gan = small(loss="minimax", d_optimizer=adam(5e-3))
    doctor, (told,) = watch(
        gan, clothes, caplog, 400, 25, expected=["overwhelmed"], log_dir=tmp_path
    )
    assert list(doctor.ills) == ["overwhelmed"]
    assert "all but vanished" in told
    read = events(tmp_path)
    pulls = scalars(read, "doctor/pull")
    step = int(gan.batches_seen)
    assert sorted(pulls) == list(range(25, step + 1, 25))
    assert all(pulls[s] < 0.1 for s in range(step - 100, step + 1, 25))
    (text,) = read.Tensors("doctor/overwhelmed")
    assert text.step == step
    assert "run doctor: " + text.tensor_proto.string_val[0].decode() == told


@pytest.mark.slow
def test_overwhelmed_by_a_generator_too_slow(clothes, caplog):
    gan = small(d_optimizer=adam(2e-3), g_optimizer=adam(1e-6))
    doctor, (told,) = watch(gan, clothes, caplog, 400, 20, expected=["overwhelmed"])
    assert list(doctor.ills) == ["overwhelmed"]
    assert "came no nearer" in told


@keras.saving.register_keras_serializable(package="tests")
class Ignore(keras.layers.Layer):
    def call(self, latents):
        return 0.0 * latents


@pytest.mark.slow
def test_collapsed_to_one_picture(clothes, caplog):
    """A generator that ignores its latents."""
    gan = small()
    latents = keras.Input((100,))
    deaf = keras.Model(latents, gan.generator(Ignore()(latents)))
    gan = kgan.GAN(deaf, gan.discriminator, preset="gan", seed=0)
    gan.compile()
    doctor, told = watch(gan, clothes, caplog, 300, 25, expected=["mode collapse"])
    assert "mode collapse" in doctor.ills
    assert any("nearly the same picture" in words for words in told)


@pytest.mark.slow
def test_collapsed_to_few_images_that_swing(clothes, caplog):
    """A generator that learns far too fast jumps to whatever fools the discriminator now."""
    gan = small(g_optimizer=adam(1e-2))
    both = ["mode collapse", "oscillation"]
    doctor, told = watch(gan, clothes, caplog, 700, 50, expected=both)
    assert sorted(doctor.ills) == both
    assert len(told) == 2  # each once, though it lasted
    assert any("again and again" in words for words in told)
    assert any("back and forth" in words for words in told)


@pytest.mark.slow
def test_oscillation_by_momentum(clothes, caplog):
    gan = small(g_optimizer=adam(1e-3, 0.95), d_optimizer=adam(1e-3, 0.95))
    doctor, (told,) = watch(gan, clothes, caplog, 500, 50, expected=["oscillation"])
    assert list(doctor.ills) == ["oscillation"]
    assert "chased each other" in told


@pytest.mark.slow
def test_memorisation_of_eight_images(clothes, caplog):
    gan = small("dcgan", 8, g_optimizer=adam(2e-3), d_optimizer=adam(1e-3))
    doctor, (told,) = watch(gan, clothes[:8], caplog, 1200, 50, 16, expected=["memorisation"])
    assert list(doctor.ills) == ["memorisation"]
    assert "were copies of real pictures" in told


@pytest.mark.parametrize(
    ("preset", "filters", "steps"),
    [
        pytest.param("gan", 64, 700, marks=pytest.mark.slow),
        pytest.param("dcgan", 8, 500, marks=pytest.mark.slow),
        pytest.param("sagan", 8, 300, marks=pytest.mark.slow),
    ],
)
def test_silent_on_a_healthy_run(clothes, caplog, preset, filters, steps):
    doctor, told = watch(small(preset, filters), clothes, caplog, steps, 50)
    assert told == []
    assert doctor.ills == {}
    assert doctor._checks[-1].step == steps


def test_an_illness_is_told_once_and_so_is_its_end(clothes, caplog, tmp_path):
    doctor = kgan.callbacks.RunDoctor(clothes[:4], log_dir=tmp_path)
    doctor.set_model(small())
    doctor.on_train_begin()
    ill = {"mode collapse": "All alike."}
    with caplog.at_level(logging.WARNING, "kgan"):
        # Ill, well for two checks, ill again: still the same illness. Then well for good.
        for step, found in enumerate([ill, {}, {}, ill, *[{}] * 6, ill]):
            doctor._report(step, found)
    said = ["All alike.", "mode collapse is over at step 8.", "All alike."]
    assert [record.getMessage() for record in caplog.records] == [f"run doctor: {s}" for s in said]
    texts = events(tmp_path).Tensors("doctor/mode collapse")
    assert [text.tensor_proto.string_val[0].decode() for text in texts] == said
    assert [text.step for text in texts] == [0, 8, 10]
    assert doctor.ills == ill


def everything(gan):
    return [
        np.array(variable)
        for owner in (gan, gan.g_optimizer, gan.d_optimizer)
        for variable in owner.variables
    ]


def a_gan(preset, classes, policy):
    keras.config.set_dtype_policy(policy)
    gan = kgan.GAN.from_preset(
        preset,
        image_shape=(16, 16, 1),
        filters=4,
        num_classes=classes,
        ema_half_life_images=500,
        seed=0,
    )
    gan.compile(diff_augment="color,translation,cutout" if preset == "dcgan" else None)
    return gan


@pytest.mark.parametrize(
    ("preset", "classes", "policy"),
    [
        pytest.param("dcgan", 3, "float32", marks=pytest.mark.slow),
        pytest.param("sagan", None, "float32", marks=pytest.mark.slow),
        pytest.param("r3gan", None, "mixed_bfloat16", marks=pytest.mark.slow),
    ],
)
def test_a_check_changes_nothing(clothes, preset, classes, policy):
    gan = a_gan(preset, classes, policy)
    labels = None if classes is None else np.arange(64) % classes
    reals = kgan.images.from_uint8(clothes[:64])
    gan.fit(reals, labels, batch_size=32, epochs=1, verbose=0)
    doctor = kgan.callbacks.RunDoctor(clothes[:64], labels)
    doctor.set_model(gan)
    before = everything(gan)
    doctor.on_train_begin()
    doctor.check()
    check = doctor.check()
    assert 0 <= check.separation <= 1
    assert np.isfinite([check.pull, check.variety, check.nearness, check.offset]).all()
    assert check.swing == 0  # nothing was trained in between
    for value_before, value in zip(before, everything(gan), strict=True):
        np.testing.assert_array_equal(value_before, value)


@pytest.mark.slow
def test_a_run_with_a_doctor_ends_in_the_same_weights(clothes):
    from tensorflow.python.framework import config as determinism

    def final(callbacks):
        keras.utils.set_random_seed(0)
        gan = small("dcgan", 2)
        reals = kgan.images.from_uint8(clothes[:64])
        gan.fit(reals, batch_size=8, epochs=1, callbacks=callbacks, verbose=0)
        return everything(gan)

    tf.config.experimental.enable_op_determinism()
    try:
        alone = final([])
        watched = final([kgan.callbacks.RunDoctor(clothes[:200], every_steps=2)])
    finally:
        determinism.disable_op_determinism()
    for value_alone, value_watched in zip(alone, watched, strict=True):
        np.testing.assert_array_equal(value_alone, value_watched)


def test_it_looks_at_a_mirrored_model_too(clothes, two_replicas):
    with two_replicas.scope():
        mirrored = small("dcgan", 2)
    alone = small("dcgan", 2)
    alone.set_weights(mirrored.get_weights())
    checks = []
    for gan in (mirrored, alone):
        doctor = kgan.callbacks.RunDoctor(clothes[:100])
        doctor.set_model(gan)
        doctor.on_train_begin()
        checks.append(dataclasses.asdict(doctor.check()))
    assert checks[0] == pytest.approx(checks[1], rel=1e-4, abs=1e-6, nan_ok=True)


def test_pull_is_the_slope_times_the_images_spread(clothes):
    """A linear discriminator's gradient is its kernel: norm times spread, by hand."""
    gan = small(loss="wasserstein")
    image = keras.Input((16, 16, 1))
    linear = keras.layers.Dense(1)
    gan = kgan.GAN(gan.generator, keras.Model(image, linear(keras.layers.Flatten()(image))), seed=0)
    gan.compile(loss="wasserstein")
    doctor = kgan.callbacks.RunDoctor(clothes[:300])
    doctor.set_model(gan)
    doctor.on_train_begin()
    reals = clothes[:300].reshape(300, -1) / 255.0  # the preset's range is (0, 1)
    spread = np.sqrt(np.square(reals - reals.mean(0)).sum(1).mean())
    norm = np.linalg.norm(linear.kernel.numpy())
    assert doctor.check().pull == pytest.approx(norm * spread, rel=1e-4)


@pytest.mark.parametrize(
    ("images", "labels", "classes", "said"),
    [
        ((4, 16, 20, 1), None, None, None),
        ((4, 20, 16, 1), None, None, r"the model's shape \(16, 20, 1\)\. Received: \(20, 16, 1\)"),
        ((4, 16, 20, 1), [0, 1, 0, 1], None, "needs no labels.*Received: 4"),
        ((4, 16, 20, 1), None, 2, "needs labels from 0 to 1.*Received: none"),
        ((4, 16, 20, 1), [0, 1, 0, 2], 2, "from 0 to 1. Received: 2"),
    ],
)
def test_images_that_do_not_fit_the_model(images, labels, classes, said):
    gan = kgan.GAN.from_preset(
        "dcgan", image_shape=(16, 20, 1), latent_dim=8, filters=2, num_classes=classes
    )
    gan.compile()
    doctor = kgan.callbacks.RunDoctor(
        np.arange(np.prod(images), dtype=np.uint8).reshape(images), labels
    )
    doctor.set_model(gan)
    if said is None:
        doctor.on_train_begin()
    else:
        with pytest.raises(InputError, match=said):
            doctor.on_train_begin()


def test_it_watches_gans_alone(clothes):
    doctor = kgan.callbacks.RunDoctor(clothes[:4])
    doctor.set_model(kgan.Autoencoder.from_preset("autoencoder", image_shape=(16, 16, 1)))
    with pytest.raises(InputError, match=r"watches a kgan\.GAN"):
        doctor.on_train_begin()
    with pytest.raises(InputError, match="every_steps"):
        kgan.callbacks.RunDoctor(clothes[:4], every_steps=0)
