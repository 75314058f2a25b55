"""What the discriminator's half of a step records, and what ADA and LeCam learn from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tensorflow as tf

from kgan.training import replicas

if TYPE_CHECKING:
    from kgan.training.gan import GAN
    from kgan.training.guarded_update import Update


def record_discriminator(
    gan: GAN, batch_size: int | tf.Tensor, update: Update, penalty: tf.Tensor
) -> None:
    """Records the figures of a discriminator's step, and what its logits move.

    That is the strength of an augmentation that adapts, and LeCam's anchors.

    Args:
        gan: a compiled `GAN`.
        batch_size: real images of this replica.
        update: the step's last update, whose `extra` is a `Judged`.
        penalty: the penalties of all its updates.
    """
    judged = update.extra
    optional = {"penalty": penalty}
    if gan.diff_augment is not None:
        sureness = replicas.mean([tf.reduce_mean(tf.sign(judged.real_logits))])[0]
        gan.diff_augment.adapt(sureness, batch_size * replicas.count())
        optional["augment_probability"] = gan.diff_augment.probability.value
    if gan.lecam_anchors is not None:
        gan.lecam_anchors.follow(judged.real_logits, judged.fake_logits, update.taken)
    gan.updates.record(
        update.taken,
        d_loss=update.loss - judged.penalty,
        **optional,
        real_logits=tf.reduce_mean(judged.real_logits),
        fake_logits=tf.reduce_mean(judged.fake_logits),
    )
