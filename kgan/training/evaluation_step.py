"""One step of `GAN.evaluate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tensorflow as tf

from kgan.training.judging import with_labels

if TYPE_CHECKING:
    from kgan.training.gan import GAN


def evaluate(gan: GAN, real_images: tf.Tensor, labels: tf.Tensor | None = None) -> None:
    """Records losses and mean logits in inference mode; changes nothing else.

    Args:
        gan: a compiled `GAN`.
        real_images: float tensor (B, H, W, C) in the model's range.
        labels: tensor (B,) or (B, k), the images' classes or attributes; None for a model without.
    """
    # From a seed generator of its own, so that training draws the same with and without.
    latents = gan.draw_latents(tf.shape(real_images)[0], gan.evaluation_seed_generator)
    fake_images = gan(with_labels(latents, labels), training=False)
    real_logits = gan.discriminator(with_labels(real_images, labels), training=False)
    fake_logits = gan.discriminator(with_labels(fake_images, labels), training=False)
    gan.updates.record(
        True,
        images=tf.shape(real_images)[0],
        d_loss=gan.adversarial_loss.discriminator_loss(real_logits, fake_logits),
        g_loss=gan.adversarial_loss.generator_loss(fake_logits, real_logits),
        real_logits=tf.reduce_mean(real_logits),
        fake_logits=tf.reduce_mean(fake_logits),
    )
