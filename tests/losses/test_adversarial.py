"""Losses at literal values, worked out from the papers' formulas by hand."""

import math

import keras
import numpy as np
import pytest

from kgan import losses
from kgan.errors import InputError

REAL = np.array([[2.0], [-1.0]], np.float32)
FAKE = np.array([[0.5], [-3.0]], np.float32)


def log_sigmoid(x):
    return math.log(1.0 / (1.0 + math.exp(-x)))


# name -> (generator's value, discriminator's value) at REAL and FAKE
EXPECTED = {
    # -mean log s(real) - mean log(1 - s(fake)); 1 - s(x) = s(-x)
    "bce": (
        -(log_sigmoid(0.5) + log_sigmoid(-3)) / 2,
        -(log_sigmoid(2) + log_sigmoid(-1)) / 2 - (log_sigmoid(-0.5) + log_sigmoid(3)) / 2,
    ),
    "minimax": (
        (log_sigmoid(-0.5) + log_sigmoid(3)) / 2,
        -(log_sigmoid(2) + log_sigmoid(-1)) / 2 - (log_sigmoid(-0.5) + log_sigmoid(3)) / 2,
    ),
    # real: max(0, 1 - 2), max(0, 1 + 1); fake: max(0, 1 + 0.5), max(0, 1 - 3)
    "hinge": (-(0.5 - 3.0) / 2, (0 + 2) / 2 + (1.5 + 0) / 2),
    # half the means of (real - 1)^2 and fake^2, of (fake - 1)^2 for the generator
    "lsgan": ((0.25 + 16) / 4, (1 + 4) / 4 + (0.25 + 9) / 4),
    "wasserstein": (1.25, -1.25 - 0.5),
    # pairs: 2 with 0.5, -1 with -3; the discriminator wants real above fake by both
    "relativistic": (
        -(log_sigmoid(0.5 - 2) + log_sigmoid(-3 + 1)) / 2,
        -(log_sigmoid(2 - 0.5) + log_sigmoid(-1 + 3)) / 2,
    ),
}


def test_the_expected_values_themselves():
    """Three of them to the digits of a pocket calculator, so that no formula above is idle."""
    assert EXPECTED["bce"] == pytest.approx((1.7613323, 1.2314270), abs=1e-6)
    assert EXPECTED["minimax"][0] == pytest.approx(-0.5113323, abs=1e-6)
    assert EXPECTED["relativistic"] == pytest.approx((1.9141708, 0.1641708), abs=1e-6)


@pytest.mark.parametrize("name", losses.LOSSES)
def test_functions_and_classes_give_the_papers_values(name):
    generator, discriminator = EXPECTED[name]
    loss = losses.get_loss(name)
    assert float(loss.discriminator_loss(REAL, FAKE)) == pytest.approx(discriminator, abs=1e-6)
    assert float(loss.generator_loss(FAKE, REAL)) == pytest.approx(generator, abs=1e-6)
    function = getattr(losses, f"{name}_generator_loss")
    arguments = (FAKE, REAL) if loss.pairs_real else (FAKE,)
    assert float(function(*arguments)) == pytest.approx(generator, abs=1e-6)
    function = getattr(losses, f"{'bce' if name == 'minimax' else name}_discriminator_loss")
    assert float(function(REAL, FAKE)) == pytest.approx(discriminator, abs=1e-6)


def test_label_smoothing_moves_the_real_label_alone():
    # label 0.9: -0.9 log s(x) - 0.1 log(1 - s(x)) on the real ones
    real = -np.mean([0.9 * log_sigmoid(x) + 0.1 * log_sigmoid(-x) for x in (2, -1)])
    fake = -(log_sigmoid(-0.5) + log_sigmoid(3)) / 2
    value = losses.bce_discriminator_loss(REAL, FAKE, label_smoothing=0.1)
    assert float(value) == pytest.approx(real + fake, abs=1e-6)
    smoothed = losses.BCE(label_smoothing=0.1)
    assert float(smoothed.discriminator_loss(REAL, FAKE)) == pytest.approx(real + fake, abs=1e-6)
    assert float(smoothed.generator_loss(FAKE)) == pytest.approx(EXPECTED["bce"][0], abs=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("logit", [1e4, -1e4])
@pytest.mark.parametrize("name", losses.LOSSES)
def test_extreme_logits_stay_finite_in_float32(name, logit, dtype):
    import tensorflow as tf

    loss = losses.get_loss(name)
    logits = tf.cast(np.full((2, 1), logit), dtype)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(logits)
        values = (
            loss.generator_loss(logits, -logits),
            loss.discriminator_loss(logits, -logits),
            loss.discriminator_loss(-logits, logits),
        )
    for value in values:
        assert keras.backend.standardize_dtype(value.dtype) == "float32"
        assert np.isfinite(float(value))
        assert np.isfinite(np.float32(tape.gradient(value, logits))).all()


def test_get_loss_takes_a_name_a_loss_or_a_pair():
    pair = (losses.bce_generator_loss, losses.bce_discriminator_loss)
    assert isinstance(losses.get_loss("wasserstein"), losses.Wasserstein)
    assert losses.get_loss("wasserstein").gradient_penalty == 10.0
    mine = losses.Hinge(r1_gamma=0.5)
    assert losses.get_loss(mine) is mine
    made = losses.get_loss(list(pair))
    assert (made.generator, made.discriminator, made.pairs_real) == (*pair, False)
    assert losses.get_loss((losses.relativistic_generator_loss, pair[1])).pairs_real
    for bad in ("BCE", None, pair[:1], (1, 2)):
        with pytest.raises(InputError, match="bce, minimax"):
            losses.get_loss(bad)
    for bad in (-1, "1", True, float("nan")):
        with pytest.raises(InputError, match="r1_gamma"):
            losses.BCE(r1_gamma=bad)
    with pytest.raises(InputError, match="below 1"):
        losses.BCE(label_smoothing=1)


@pytest.mark.parametrize(
    "loss",
    [
        losses.BCE(label_smoothing=0.1, r1_gamma=2.0),
        losses.Wasserstein(gradient_penalty=5.0, lecam=0.2),
        losses.Relativistic(r1_gamma=0.1, r2_gamma=0.2, lecam=0.3),
        losses.LossPair(losses.relativistic_generator_loss, losses.bce_discriminator_loss),
    ],
    ids=lambda loss: type(loss).__name__,
)
def test_losses_are_kept_by_config(loss):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()
    value = [float(one.generator_loss(FAKE, REAL)) for one in (loss, again)]
    assert value[0] == value[1]
