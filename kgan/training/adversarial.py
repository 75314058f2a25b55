"""The two halves of an adversarial step (Goodfellow et al. 2014, algorithm 1).

Each half changes the variables of one network and of no other: weights,
normalisation statistics and random seeds alike.
"""

import keras
import tensorflow as tf

# What each of the discriminator's updates learns from, by `d_update`.
TURNS = {"joint": [("real", "fake")], "sequential": [("fake",), ("real",)]}


def discriminator_step(gan, real_images):
    """Updates the discriminator from one batch of real images and one of fakes.

    Args:
        gan: a compiled `GAN`.
        real_images: float tensor (B, H, W, C) in the model's range.
    """
    latents = gan.draw_latents(real_images.shape[0] or tf.shape(real_images)[0])

    def objective(learn_from):
        # Real and fake go through separately: one mixed batch would be normalised as one.
        real_logits = _logits(gan.discriminator, real_images, constant="real" not in learn_from)
        fake_images = gan.generator(latents, training=True)
        fake_logits = _logits(gan.discriminator, fake_images, constant="fake" not in learn_from)
        return gan.discriminator_loss(real_logits, fake_logits), (real_logits, fake_logits)

    for turn in TURNS[gan.d_update]:
        loss, (real_logits, fake_logits), finite = gan.updates.apply(
            gan.discriminator, gan.d_optimizer, lambda turn=turn: objective(turn)
        )
    gan.updates.record(
        finite,
        d_loss=loss,
        real_logits=tf.reduce_mean(real_logits),
        fake_logits=tf.reduce_mean(fake_logits),
    )


def generator_step(gan, batch_size):
    """Updates the generator through the frozen discriminator.

    The discriminator normalises the fakes by their own statistics, as in
    training; what it would write of them is dropped.

    Args:
        gan: a compiled `GAN`.
        batch_size: fakes to make.
    """
    latents = gan.draw_latents(batch_size)

    def objective():
        fake_images = gan.generator(latents, training=True)
        return gan.generator_loss(_logits(gan.discriminator, fake_images)), None

    loss, _, finite = gan.updates.apply(gan.generator, gan.g_optimizer, objective)
    gan.updates.record(finite, g_loss=loss)


def _logits(discriminator, images, constant=False):
    """Training-mode logits in float32; as constants they teach and change nothing."""
    if not constant:
        return tf.cast(discriminator(images, training=True), tf.float32)
    with keras.StatelessScope():
        return tf.stop_gradient(_logits(discriminator, images))
