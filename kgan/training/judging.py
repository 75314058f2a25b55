"""The discriminator of a GAN as functions of images alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import keras
import tensorflow as tf

from kgan.layers import draws

if TYPE_CHECKING:
    from kgan.training.gan import GAN

Judge = Callable[[tf.Tensor], tf.Tensor]  # images (B, H, W, C) -> float32 logits (B, 1)
# The same, and a scalar that the discriminator also minimises.
Learner = Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]
# The part of a seed that a discriminator's own loss draws from; augmentations count from 0.
OWN_DRAWS = 1000


class DiscriminatorJudge:
    """The discriminator in training mode as a function of images alone, logits in float32.

    Args:
        gan: a compiled `GAN`.
        labels: tensor (B,) or (B, k), the images' classes or attributes; None without.
        seed: int tensor (2,) that the images are augmented by, the same one at each call; None
            where nothing is drawn.
    """

    def __init__(self, gan: GAN, labels: tf.Tensor | None, seed: tf.Tensor | None) -> None:
        self.gan, self.labels, self.seed = gan, labels, seed

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        inputs = with_labels(self._augmented(images), self.labels)
        return tf.cast(self.gan.discriminator(inputs, training=True), tf.float32)

    def learn(self, images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The logits of real images, and the loss of what the discriminator learns of them beside.

        What it learns of is augmented as what it judges. For a discriminator that `learns_beside`.
        """
        inputs = with_labels(self._augmented(images), self.labels)
        own = draws.fold_in(self.seed, OWN_DRAWS)
        logits, loss = self.gan.discriminator.logits_and_own_loss(inputs, own, training=True)
        return tf.cast(logits, tf.float32), tf.cast(loss, tf.float32)

    def _augmented(self, images: tf.Tensor) -> tf.Tensor:
        augment = self.gan.diff_augment
        return images if augment is None else augment(images, self.seed)


def learns_beside(discriminator: keras.Model) -> bool:
    """Whether a discriminator has a task of its own on real images: `logits_and_own_loss`."""
    return hasattr(discriminator, "logits_and_own_loss")


def judges_of(gan: GAN, labels: tf.Tensor | None, n: int) -> list[DiscriminatorJudge]:
    """n judges, each with a seed of its own where anything is drawn."""
    seeds: list[tf.Tensor | None] = [None] * n
    if gan.diff_augment is not None or learns_beside(gan.discriminator):
        seeds = tf.unstack(draws.seeds(gan.seed_generator.next(), n), num=n)
    return [DiscriminatorJudge(gan, labels, seed) for seed in seeds]


def with_labels(tensor: tf.Tensor, labels: tf.Tensor | None) -> tf.Tensor | list[tf.Tensor]:
    """What a network takes: a tensor, or it and the labels of a conditional model."""
    return tensor if labels is None else [tensor, labels]


def constant(judge: Judge, images: tf.Tensor) -> tf.Tensor:
    """Logits that teach and change nothing."""
    with keras.StatelessScope():
        return tf.stop_gradient(judge(images))
