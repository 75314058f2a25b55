"""The anchors of LeCam regularisation: what the discriminator has said of either kind of images."""

from __future__ import annotations

from typing import NamedTuple

import keras
import tensorflow as tf

from kgan.training import replicas

DECAY = 0.99  # of the authors' code for StyleGAN2


class Anchors(NamedTuple):
    """Constants of one step: the two anchors, and 1.0; 0.0 before there are any."""

    real: tf.Tensor
    fake: tf.Tensor
    known: tf.Tensor


class LeCamAnchors(keras.layers.Layer):
    """Moving means of the logits on real and on fake images, which begin as the first batch's.

    A layer, so that Keras tracks and saves them with the model.

    Reference:
        Tseng et al. 2021, https://arxiv.org/abs/2104.03310
    """

    def __init__(self) -> None:
        super().__init__(name="lecam_anchors")
        number = {"shape": (), "initializer": "zeros", "trainable": False, "autocast": False}
        self.real = self.add_weight(name="real", dtype="float32", **number)
        self.fake = self.add_weight(name="fake", dtype="float32", **number)
        self.batches = self.add_weight(name="batches", dtype="int64", **number)
        self.built = True

    def values(self) -> Anchors:
        """The anchors as they are before a step."""
        real, fake, batches = map(tf.convert_to_tensor, (self.real, self.fake, self.batches))
        return Anchors(real, fake, tf.cast(batches > 0, tf.float32))

    def follow(self, real_logits: tf.Tensor, fake_logits: tf.Tensor, taken: tf.Tensor) -> None:
        """Moves the anchors by one batch.

        Args:
            real_logits, fake_logits: float tensors (B, 1), of this replica.
            taken: bool scalar, the step was taken; the anchors stay where they are if not.
        """
        before = self.values()
        decay = DECAY * before.known
        means = replicas.mean([tf.reduce_mean(real_logits), tf.reduce_mean(fake_logits)])
        for anchor, old, mean in zip((self.real, self.fake), before[:2], means, strict=True):
            anchor.assign(tf.where(taken, decay * old + (1.0 - decay) * mean, old))
        self.batches.assign(self.batches + tf.cast(taken, tf.int64))
