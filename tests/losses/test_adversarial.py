"""Losses at literal values, worked out from the formulas by hand."""

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


def test_bce_discriminator_loss():
    # -mean log s(real) - mean log(1 - s(fake)); 1 - s(x) = s(-x)
    expected = -(log_sigmoid(2) + log_sigmoid(-1)) / 2 - (log_sigmoid(-0.5) + log_sigmoid(3)) / 2
    assert expected == pytest.approx(1.2314270, abs=1e-6)
    assert float(losses.bce_discriminator_loss(REAL, FAKE)) == pytest.approx(expected, abs=1e-6)
    zero = np.zeros((4, 1), np.float32)
    assert float(losses.bce_discriminator_loss(zero, zero)) == pytest.approx(2 * math.log(2))


def test_generator_losses():
    bce = -(log_sigmoid(0.5) + log_sigmoid(-3)) / 2
    minimax = (log_sigmoid(-0.5) + log_sigmoid(3)) / 2
    assert bce == pytest.approx(1.7613323, abs=1e-6)
    assert minimax == pytest.approx(-0.5113323, abs=1e-6)
    assert float(losses.bce_generator_loss(FAKE)) == pytest.approx(bce, abs=1e-6)
    assert float(losses.minimax_generator_loss(FAKE)) == pytest.approx(minimax, abs=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("logit", [1e4, -1e4])
@pytest.mark.parametrize("name", losses.LOSSES)
def test_extreme_logits_stay_finite_in_float32(name, logit, dtype):
    generator_loss, discriminator_loss = losses.get_loss(name)
    logits = keras.ops.cast(np.full((2, 1), logit), dtype)
    for value in (generator_loss(logits), discriminator_loss(logits, logits)):
        assert keras.backend.standardize_dtype(value.dtype) == "float32"
        assert np.isfinite(float(value))


def test_get_loss_takes_a_name_or_a_pair():
    pair = (losses.bce_generator_loss, losses.bce_discriminator_loss)
    assert losses.get_loss("bce") == pair
    assert losses.get_loss(list(pair)) == pair
    for bad in ("BCE", None, pair[:1], (1, 2)):
        with pytest.raises(InputError, match="bce, minimax"):
            losses.get_loss(bad)
