"""Gradient penalties: how steep a discriminator is at images, one value per image.

All are differentiable in the discriminator's weights. Their sums and results are float32
under any dtype policy; the gradient itself passes through the discriminator's layers in
the dtype of each layer. The gradient is TensorFlow's: other backends of Keras's have none here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import tensorflow as tf

from kgan.errors import InputError
from kgan.losses.gradients_of import gradients_of
from kgan.tensors import of_tensorflow

Discriminator: TypeAlias = Callable[[tf.Tensor], tf.Tensor]


@of_tensorflow
def logits_and_squared_gradient(
    discriminator: Discriminator, images: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """The logits and the squared norm of their gradient in the images, in one pass.

    Args:
        discriminator: maps images (B, H, W, C) to logits (B, 1).
        images: float tensor (B, H, W, C).

    Returns:
        (logits float32 (B, 1), squared norms float32 (B,), >= 0).

    Raises:
        InputError: `images` has no dimensions beside the batch.
    """
    images = tf.convert_to_tensor(images)
    if images.shape.rank is None or images.shape.rank < 2:
        raise InputError(
            f"images must be (B, H, W, C), or (B, ...). Received: shape {images.shape}"
        )
    images = tf.cast(images, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = tf.cast(discriminator(images), tf.float32)
        # An image's logit depends on that image alone (batch statistics aside), so the
        # gradient of the sum holds the gradient of each.
        total = tf.reduce_sum(logits)
    with gradients_of(()):
        gradients = tf.cast(tape.gradient(total, images), tf.float32)
    return logits, tf.reduce_sum(tf.square(gradients), axis=_beside_the_batch(images))


def r1_penalty(discriminator: Discriminator, real_images: tf.Tensor) -> tf.Tensor:
    """Squared gradient norm of the discriminator at real images.

    The caller multiplies by `r1_gamma / 2`.

    Args:
        discriminator: maps images (B, H, W, C) to logits (B, 1).
        real_images: float tensor (B, H, W, C) in the model's range.

    Returns:
        float32 tensor (B,), >= 0.

    Raises:
        InputError: `real_images` has no dimensions beside the batch.

    Reference:
        Mescheder et al. 2018, equation 9, https://arxiv.org/abs/1801.04406
    """
    return logits_and_squared_gradient(discriminator, real_images)[1]


def r2_penalty(discriminator: Discriminator, fake_images: tf.Tensor) -> tf.Tensor:
    """Squared gradient norm of the discriminator at fake images.

    The caller multiplies by `r2_gamma / 2`.

    Args:
        discriminator: maps images (B, H, W, C) to logits (B, 1).
        fake_images: float tensor (B, H, W, C) in the model's range.

    Returns:
        float32 tensor (B,), >= 0.

    Raises:
        InputError: `fake_images` has no dimensions beside the batch.

    Reference:
        Mescheder et al. 2018, equation 10, https://arxiv.org/abs/1801.04406
    """
    return logits_and_squared_gradient(discriminator, fake_images)[1]


def gradient_penalty(
    discriminator: Discriminator, real_images: tf.Tensor, fake_images: tf.Tensor, mix: tf.Tensor
) -> tf.Tensor:
    """Squared distance from 1 of the gradient norm between real and fake images (WGAN-GP).

    The caller multiplies by the weight, 10 in the paper.

    Args:
        discriminator: maps images (B, H, W, C) to logits (B, 1).
        real_images: float tensor (B, H, W, C).
        fake_images: float tensor of the same shape.
        mix: float tensor (B,) drawn from U(0, 1): the share of the real image
            in each interpolation.

    Returns:
        float32 tensor (B,), >= 0.

    Raises:
        InputError: the images have no dimensions beside the batch.

    Reference:
        Gulrajani et al. 2017, equation 3, https://arxiv.org/abs/1704.00028
    """
    ones = [1 for _ in _beside_the_batch(real_images)]
    mix = tf.reshape(tf.cast(mix, tf.float32), (-1, *ones))
    between = mix * tf.cast(real_images, tf.float32) + (1.0 - mix) * tf.cast(
        fake_images, tf.float32
    )
    _, squares = logits_and_squared_gradient(discriminator, between)
    # The derivative of the square root is infinite at 0, the value of a flat discriminator.
    return tf.square(tf.sqrt(squares + 1e-12) - 1.0)


def _beside_the_batch(images: tf.Tensor) -> list[int]:
    """The axes of each image: three, or what else a GAN trains on."""
    return list(range(1, len(images.shape)))
