"""Gradient penalties against PyTorch's autograd and NumPy's finite differences."""

import numpy as np
import pytest
import tensorflow as tf

from kgan import losses
from kgan.errors import InputError
from tests.oracle import needs_torch, torch

RNG = np.random.default_rng(7)
W1 = RNG.normal(size=(18, 6)).astype(np.float32)
W2 = RNG.normal(size=(6, 1)).astype(np.float32)
IMAGES = RNG.uniform(-1, 1, (3, 3, 3, 2)).astype(np.float32)
FAKES = RNG.uniform(-1, 1, (3, 3, 3, 2)).astype(np.float32)
MIX = np.array([0.1, 0.5, 0.8], np.float32)


def judge_numpy(images, w1=W1):
    return np.tanh(images.reshape(len(images), -1).astype(np.float64) @ w1) @ W2


class Judge:
    """A two-layer network whose first weights are a variable."""

    def __init__(self):
        self.w1 = tf.Variable(W1)

    def __call__(self, images):
        return tf.tanh(tf.reshape(images, (len(images), -1)) @ self.w1) @ W2


def with_torch(penalty):
    """The penalty per picture and the gradient of its mean in w1, by PyTorch in float64."""
    w1 = torch.tensor(W1, dtype=torch.float64, requires_grad=True)
    real, fake, mix = (torch.tensor(a, dtype=torch.float64) for a in (IMAGES, FAKES, MIX))
    images = {
        "r1": real,
        "r2": fake,
        "gp": mix[:, None, None, None] * real + (1 - mix[:, None, None, None]) * fake,
    }[penalty].requires_grad_()
    logits = torch.tanh(images.reshape(len(images), -1) @ w1) @ torch.tensor(W2).double()
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    squares = gradient.square().sum((1, 2, 3))
    values = (squares.sqrt() - 1).square() if penalty == "gp" else squares
    values.mean().backward()
    return values.detach().numpy(), w1.grad.numpy()


@needs_torch
@pytest.mark.parametrize("penalty", ["r1", "r2", "gp"])
def test_values_and_their_gradients_equal_pytorchs(penalty):
    judge = Judge()
    with tf.GradientTape() as tape:
        values = {
            "r1": lambda: losses.r1_penalty(judge, IMAGES),
            "r2": lambda: losses.r2_penalty(judge, FAKES),
            "gp": lambda: losses.gradient_penalty(judge, IMAGES, FAKES, MIX),
        }[penalty]()
        mean = tf.reduce_mean(values)
    expected, expected_gradient = with_torch(penalty)
    assert values.shape == (3,)
    assert values.dtype == tf.float32
    np.testing.assert_allclose(values, expected, rtol=1e-5)
    np.testing.assert_allclose(
        tape.gradient(mean, judge.w1), expected_gradient, rtol=1e-4, atol=1e-5
    )


def test_r1_equals_central_differences():
    squares = np.zeros(len(IMAGES))
    for place in np.ndindex(IMAGES.shape[1:]):
        moved = np.zeros(IMAGES.shape)
        moved[(slice(None), *place)] = 1e-5
        squares += ((judge_numpy(IMAGES + moved) - judge_numpy(IMAGES - moved))[:, 0] / 2e-5) ** 2
    np.testing.assert_allclose(losses.r1_penalty(Judge(), IMAGES), squares, rtol=1e-4)


def test_float16_images_give_float32_and_a_flat_judge_no_nan():
    assert losses.r1_penalty(Judge(), tf.cast(IMAGES, tf.float16)).dtype == tf.float32
    weight = tf.Variable(0.0)
    with tf.GradientTape() as tape:

        def flat(images):
            return weight * tf.reduce_sum(images, (1, 2, 3))[:, None]

        value = tf.reduce_mean(losses.gradient_penalty(flat, IMAGES, FAKES, MIX))
    assert float(value) == pytest.approx(1.0, abs=1e-5)
    assert np.isfinite(float(tape.gradient(value, weight)))


def test_what_is_no_picture_is_the_same_numbers_in_another_shape():
    judge = Judge()
    real, fake = (np.reshape(images, (len(images), -1, 2)) for images in (IMAGES, FAKES))
    for shaped, flat in (
        (losses.r1_penalty(judge, IMAGES), losses.r1_penalty(judge, real)),
        (
            losses.gradient_penalty(judge, IMAGES, FAKES, MIX),
            losses.gradient_penalty(judge, real, fake, MIX),
        ),
    ):
        np.testing.assert_array_equal(shaped, flat)


def test_what_has_no_batch_is_named():
    with pytest.raises(InputError, match=r"\(B, \.\.\.\)\. Received: shape \(2,\)"):
        losses.r1_penalty(Judge(), IMAGES[0, 0, 0])
