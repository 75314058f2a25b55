"""The discriminator of a GAN as functions of images alone."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

import keras
import tensorflow as tf

from kgan.layers import draws

if TYPE_CHECKING:
    from kgan.training.gan import GAN

Judge = Callable[[tf.Tensor], tf.Tensor]  # images (B, H, W, C) -> float32 logits (B, 1)


def judges_of(gan: GAN, labels: tf.Tensor | None, n: int) -> list[Judge]:
    """The discriminator in training mode as n functions of images alone, logits in float32.

    Each augments its images by a seed of its own, the same one however often it is called.
    """
    augment = gan.diff_augment
    seeds: list[tf.Tensor | None] = [None] * n
    if augment is not None:
        seeds = tf.unstack(draws.seeds(gan.seed_generator.next(), n), num=n)

    def judge(images: tf.Tensor, seed: tf.Tensor | None) -> tf.Tensor:
        if augment is not None:
            images = augment(images, seed)
        return tf.cast(gan.discriminator(with_labels(images, labels), training=True), tf.float32)

    return [functools.partial(judge, seed=seed) for seed in seeds]


def with_labels(tensor: tf.Tensor, labels: tf.Tensor | None) -> tf.Tensor | list[tf.Tensor]:
    """What a network takes: a tensor, or it and the labels of a conditional model."""
    return tensor if labels is None else [tensor, labels]


def constant(judge: Judge, images: tf.Tensor) -> tf.Tensor:
    """Logits that teach and change nothing."""
    with keras.StatelessScope():
        return tf.stop_gradient(judge(images))
