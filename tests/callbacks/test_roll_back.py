"""Trainings whose numbers do not stay finite: skipped, rolled back once, then ended with a line."""

import dataclasses
import inspect
import logging
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

import kgan
from kgan.callbacks import roll_back
from kgan.data import open_source
from kgan.errors import NotFinite
from kgan.runs.directory import CHECKPOINT_FILE
from kgan.runs.options import RunOptions
from kgan.runs.run_checkpoint import RunCheckpoint
from kgan.training.saving import batches_seen

SHAPE = (8, 8, 1)
REAL = np.random.default_rng(0).uniform(-0.9, 0.9, (16, *SHAPE)).astype(np.float32)


def small(seed=0, activation=None, **compiled):
    """A GAN of dense layers."""
    keras.utils.set_random_seed(seed)
    generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(64, "tanh")])
    generator.add(keras.layers.Reshape(SHAPE))
    layers = [keras.layers.Flatten(), keras.layers.Dense(8, "elu"), keras.layers.Dense(1)]
    if activation:
        layers.append(keras.layers.Activation(activation))
    gan = kgan.GAN(generator, keras.Sequential([keras.Input(SHAPE), *layers]), seed=seed)
    gan.compile(**compiled)
    return gan


def batches(spoil=lambda number, images: images, n=200):
    """n batches; `spoil` changes those it wants to, by their number."""

    def each():
        for number in range(n):
            yield spoil(number, REAL)

    return tf.data.Dataset.from_generator(
        each, output_signature=tf.TensorSpec((16, *SHAPE), tf.float32)
    )


def fit(gan, data, tmp_path, after=6, every_seconds=0):
    checkpoint = kgan.callbacks.Checkpoint(tmp_path / "last.keras", every_seconds)
    callbacks = [checkpoint, kgan.callbacks.RollBack(checkpoint.path, after=after)]
    return gan.fit(data, callbacks=callbacks, verbose=0).history


def spoil_from(first, last=10**9):
    def spoil(number, images):
        if not first <= number < last:
            return images
        images = images.copy()
        images[5, 1, 1] = np.nan
        return images

    return spoil


def test_the_length_of_schedules_is_kept_as_the_count_of_images_is(tmp_path):
    gan = small(schedules={"learning_rate": (1e-3, 0.0)})
    gan.save(tmp_path / "last.keras")  # before the length is known
    gan.images_seen.assign(16)
    lengths = {"schedule_images": 640, "schedule_begun": 16}
    for name, value in lengths.items():
        getattr(gan, name).assign(value)
    roll_back = kgan.callbacks.RollBack(tmp_path / "last.keras", after=6)
    gan.fit(batches(spoil_from(0, 8), n=9), callbacks=[roll_back], verbose=0)
    assert {name: int(getattr(gan, name)) for name in lengths} == lengths


@pytest.mark.slow
def test_a_few_bad_batches_are_skipped_and_nothing_else(tmp_path, caplog):
    gan = small()
    history = fit(gan, batches(spoil_from(10, 14), n=30), tmp_path)
    assert history["skipped_updates"] == [4.0]
    assert gan.d_optimizer.iterations.numpy() == 26
    assert not caplog.records
    assert float(gan.d_optimizer.learning_rate) == pytest.approx(2e-4)


@pytest.mark.slow
def test_many_bad_batches_roll_back_once_with_lower_rates(tmp_path, caplog):
    gan = small()
    with caplog.at_level(logging.WARNING, "kgan"):
        history = fit(gan, batches(spoil_from(10, 19), n=40), tmp_path)
    (record,) = caplog.records
    assert " updates of the discriminator in a row were not finite: back to step " in record.message
    assert (
        "halved to 0.0001 and 0.0001. Likely cause: the training pictures contain" in record.message
    )
    assert history["skipped_updates"][0] >= 9
    assert gan.batches_seen.numpy() == 40  # where the data are
    assert float(gan.g_optimizer.learning_rate) == pytest.approx(1e-4)
    assert all(np.isfinite(w).all() for w in gan.get_weights())


@pytest.mark.slow
def test_pictures_that_stay_bad_end_it_at_the_last_good_checkpoint(tmp_path):
    gan = small()
    with pytest.raises(
        NotFinite, match=r"again after going back to step \d+ .*pictures contain num"
    ):
        fit(gan, batches(spoil_from(15)), tmp_path)
    saved = kgan.load_gan(tmp_path / "last.keras")
    assert 15 <= saved.batches_seen.numpy() == gan.batches_seen.numpy() < 15 + 2 * 10
    for kept, restored in zip(saved.generator.variables, gan.generator.variables, strict=True):
        np.testing.assert_array_equal(kept.numpy(), restored.numpy())


@pytest.mark.slow
def test_infinite_logits_are_named(tmp_path):
    factor = tf.Variable(1.0)
    gan = small(activation=lambda logits: logits * factor)
    spoil = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: factor.assign(np.inf if batch >= 12 else 1.0)
    )
    checkpoint = kgan.callbacks.Checkpoint(tmp_path / "last.keras", 0)
    roll_back = kgan.callbacks.RollBack(checkpoint.path, after=6)
    with pytest.raises(NotFinite, match="Likely cause: in the logits, where an unb") as caught:
        gan.fit(batches(), callbacks=[spoil, checkpoint, roll_back], verbose=0)
    assert "\n" not in str(caught.value)


def test_an_exploding_learning_rate_is_named(tmp_path):
    loss = kgan.losses.Wasserstein(gradient_penalty=0.0)
    rates = {f"{role}_optimizer": keras.optimizers.SGD(1e4) for role in ("g", "d")}
    gan = small(loss=loss, **rates)
    with pytest.raises(NotFinite, match=r"too high: the largest weight .* --learning-rate"):
        fit(gan, batches(), tmp_path, every_seconds=3600)  # the only checkpoint is the first
    assert all(np.isfinite(w).all() and np.abs(w).max() < 10 for w in gan.get_weights())


def test_every_option_that_a_likely_cause_names_is_one_of_a_run():
    named = re.findall(r"--([a-z0-9-]+)", inspect.getsource(roll_back))
    assert "learning-rate" in named
    fields = {field.name for field in dataclasses.fields(RunOptions)}
    assert {option.replace("-", "_") for option in named} <= fields


def test_without_a_checkpoint_it_ends_at_once(tmp_path):
    gan = small()
    roll_back = kgan.callbacks.RollBack(tmp_path / "none.keras", after=4)
    with pytest.raises(
        NotFinite, match=r"there is no checkpoint\. Likely cause: the training pict"
    ):
        gan.fit(batches(spoil_from(3)), callbacks=[roll_back], verbose=0)


@pytest.mark.slow
def test_float16_may_settle_its_scale_and_is_named_when_it_cannot(tmp_path, caplog):
    keras.config.set_dtype_policy("mixed_float16")
    gan = small()
    gan.d_optimizer.dynamic_scale.assign(2.0**30)
    history = fit(gan, batches(n=60), tmp_path, after=20)
    assert 5 < history["skipped_updates"][0] < 20
    assert not caplog.records
    gan = small(loss=kgan.losses.Wasserstein(gradient_penalty=0.0))
    gan.discriminator.layers[-1].kernel.assign(np.full((8, 1), 6e4))
    gan.discriminator.layers[-2].bias.assign(np.full(8, 10.0))
    with pytest.raises(NotFinite, match="--precision mixed_bfloat16 has the range of float32"):
        fit(gan, batches(), tmp_path)


def test_a_gradient_whose_square_overflows_is_skipped(tmp_path):
    """Adam would keep an infinite mean of squares, and make the next, good step not a number."""
    factor = tf.Variable(1.0)
    gan = small(loss=(lambda fake: -factor * tf.reduce_mean(fake), losses_of_d))
    spike = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: factor.assign(1e22 if batch == 5 else 1.0)
    )
    history = gan.fit(batches(n=12), callbacks=[spike], verbose=0).history
    assert history["skipped_updates"] == [1.0]
    assert gan.g_optimizer.iterations.numpy() == 11
    every = [*gan.variables, *gan.g_optimizer.variables]
    assert all(np.isfinite(v.numpy()).all() for v in every)


def losses_of_d(real, fake):
    return tf.reduce_mean(fake) - tf.reduce_mean(real)


class ZeroGradient(keras.layers.Layer):
    """|x| ** 0.5: at 0 its gradient is not finite."""

    def call(self, x):
        return tf.sqrt(tf.abs(x))


@pytest.mark.slow
def test_one_half_of_a_sequential_step_that_always_fails_is_noticed(tmp_path):
    """The other half's success does not hide it."""
    generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(64, "tanh")])
    generator.add(keras.layers.Reshape(SHAPE))
    layers = [keras.Input(SHAPE), ZeroGradient(), keras.layers.Flatten(), keras.layers.Dense(1)]
    gan = kgan.GAN(generator, keras.Sequential(layers), seed=0)
    gan.compile(kgan.losses.BCE(r1_gamma=1.0), d_update="sequential")
    zeros = batches(lambda number, images: np.zeros_like(images), n=60)
    with pytest.raises(NotFinite, match="updates of the discriminator in a row"):
        fit(gan, zeros, tmp_path)


@pytest.mark.slow
def test_stopped_amid_trouble_the_last_good_state_is_what_is_kept(tmp_path):
    """Weights that have exploded are finite: neither the end nor a new start may save them."""
    factor = tf.Variable(1.0)
    gan = small(loss=(lambda fake: -tf.reduce_mean(fake), lambda r, f: factor * losses_of_d(r, f)))
    spoil = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: factor.assign(np.nan if batch >= 4 else 1.0)
    )
    checkpoint = kgan.callbacks.Checkpoint(tmp_path / CHECKPOINT_FILE, 0)
    gan.fit(batches(n=8), callbacks=[spoil, checkpoint], verbose=0)
    assert gan.batches_seen.numpy() == 8
    assert batches_seen(checkpoint.path) == 5
    gan.fit(batches(n=1), callbacks=[checkpoint], verbose=0)  # its beginning saves nothing either
    assert batches_seen(checkpoint.path) == 5
    run = RunCheckpoint(tmp_path, open_source(None), RunOptions(batch_size=8), seconds_before=0.0)
    run.set_model(gan)
    run.on_train_begin()
    run.finish()
    assert batches_seen(tmp_path / "model.keras") == 5
