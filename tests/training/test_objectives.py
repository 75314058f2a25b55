"""The two objectives of a step by themselves, on arrays, against NumPy and against closed forms."""

import numpy as np
import pytest
import tensorflow as tf

from kgan.losses import get_loss
from kgan.losses.objectives import BCE, Wasserstein
from kgan.training.adversarial_step import discriminator_objective, generator_objective

RNG = np.random.default_rng(0)
REAL = RNG.normal(size=(5, 2, 2, 1)).astype(np.float32)
FAKE = RNG.normal(size=(5, 2, 2, 1)).astype(np.float32)
SLOPE = RNG.normal(size=(4, 1)).astype(np.float32)


def judge(images):
    """A linear discriminator: its gradient in every image is SLOPE."""
    return tf.reshape(tf.cast(images, tf.float32), (-1, 4)) @ SLOPE


def logits(images):
    return images.reshape(-1, 4).astype(np.float64) @ SLOPE


def softplus(x):
    return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)


def objective(loss, **arguments):
    judged = discriminator_objective(
        [judge] * 3, tf.constant(REAL), tf.constant(FAKE), loss, **arguments
    )
    return [np.asarray(part, np.float64) for part in judged]


def test_the_discriminators_is_the_papers():
    loss, penalty, real_logits, fake_logits = objective(BCE())
    np.testing.assert_allclose(real_logits, logits(REAL), rtol=1e-5)
    np.testing.assert_allclose(fake_logits, logits(FAKE), rtol=1e-5)
    expected = softplus(-logits(REAL)).mean() + softplus(logits(FAKE)).mean()
    np.testing.assert_allclose(loss, expected, rtol=1e-6)
    assert penalty == 0


def test_r1_and_r2_are_half_gamma_times_the_squared_slope():
    steepness = np.sum(SLOPE.astype(np.float64) ** 2)
    loss, penalty, *_ = objective(BCE(r1_gamma=3.0, r2_gamma=5.0))
    np.testing.assert_allclose(penalty, (3.0 + 5.0) / 2 * steepness, rtol=1e-6)
    np.testing.assert_allclose(loss - penalty, objective(BCE())[0], rtol=1e-6)
    # A turn that learns from one kind alone has that kind's penalty.
    for kind, gamma in (("real", 3.0), ("fake", 5.0)):
        part = objective(BCE(r1_gamma=3.0, r2_gamma=5.0), learn_from=(kind,))[1]
        np.testing.assert_allclose(part, gamma / 2 * steepness, rtol=1e-6)


def test_wgan_gp_is_ten_times_the_squared_distance_of_the_slope_from_1():
    mix = tf.constant(RNG.uniform(size=5).astype(np.float32))
    loss, penalty, *_ = objective(Wasserstein(), mix=mix)
    slope = np.sqrt(np.sum(SLOPE.astype(np.float64) ** 2))
    np.testing.assert_allclose(penalty, 10 * (slope - 1) ** 2, rtol=1e-5)
    np.testing.assert_allclose(loss - penalty, logits(FAKE).mean() - logits(REAL).mean(), rtol=1e-5)


@pytest.mark.parametrize("learn_from", [("real",), ("fake",)])
def test_the_other_kind_teaches_nothing_in_its_turn(learn_from):
    slope = tf.Variable(SLOPE)

    def learning(images):
        return tf.reshape(images, (-1, 4)) @ slope

    with tf.GradientTape() as tape:
        judged = discriminator_objective([learning] * 3, REAL, FAKE, BCE(), learn_from)
    shown = (REAL if learn_from == ("real",) else FAKE).reshape(-1, 4).astype(np.float64)
    sign = -1 if learn_from == ("real",) else 1
    scores = shown @ SLOPE
    expected = (sign / (1 + np.exp(-sign * scores)) * shown).mean(0)
    gradient = np.asarray(tape.gradient(judged.loss, slope))[:, 0]
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-6)


def test_the_generators_does_not_saturate_and_pairs_where_the_loss_does():
    loss, fake_logits = generator_objective([judge] * 2, REAL, FAKE, BCE())
    np.testing.assert_allclose(fake_logits, logits(FAKE), rtol=1e-5)
    np.testing.assert_allclose(loss, softplus(-logits(FAKE)).mean(), rtol=1e-6)
    loss, _ = generator_objective([judge] * 2, REAL, FAKE, get_loss("relativistic"))
    np.testing.assert_allclose(loss, softplus(logits(REAL) - logits(FAKE)).mean(), rtol=1e-5)
