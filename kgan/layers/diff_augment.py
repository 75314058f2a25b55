"""Differentiable augmentation of real and fake images inside the train step."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import keras
import tensorflow as tf

from kgan.errors import InputError
from kgan.layers import draws

SHIFT_SHARE = 1 / 8
CUTOUT_SHARE = 1 / 2

# Draws one number per image, uniformly between two ends.
Draw: TypeAlias = Callable[[float, float], tf.Tensor]


def jitter_colour(
    images: tf.Tensor, brightness: tf.Tensor, saturation: tf.Tensor, contrast: tf.Tensor
) -> tf.Tensor:
    """Changes the brightness, then the saturation, then the contrast of each image.

    Args:
        images: float tensor (B, H, W, C) in [-1, 1].
        brightness: tensor (B,), added.
        saturation: tensor (B,), multiplies each pixel's distance from its grey.
        contrast: tensor (B,), multiplies each pixel's distance from the image's mean.

    Returns:
        Tensor of the same shape; values may leave [-1, 1].

    Reference:
        Zhao et al. 2020, section 3.2, https://arxiv.org/abs/2006.10738
    """
    images += _each(brightness, images)
    grey = tf.reduce_mean(images, axis=3, keepdims=True)
    images = grey + _each(saturation, images) * (images - grey)
    mean = tf.reduce_mean(images, axis=(1, 2, 3), keepdims=True)
    return mean + _each(contrast, images) * (images - mean)


def shift(images: tf.Tensor, down: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """Moves each image by whole pixels; uncovered pixels become 0, mid grey.

    Args:
        images: float tensor (B, H, W, C) in [-1, 1].
        down, right: int tensors (B,); negative values move up and to the left.

    Returns:
        Tensor of the same shape.

    Reference:
        Zhao et al. 2020, section 3.2, https://arxiv.org/abs/2006.10738
    """
    rows = _moving(down, tf.shape(images)[1], images.dtype)
    columns = _moving(right, tf.shape(images)[2], images.dtype)
    # Products with 0/1 matrices compile and differentiate everywhere, any number of times.
    return tf.einsum("bij,bjkc,blk->bilc", rows, images, columns)


def _moving(steps: tf.Tensor, size: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """0/1 matrices (B, size, size) that move a line by `steps` pixels."""
    places = tf.range(size)
    source = places[None, :, None] - tf.cast(steps, tf.int32)[:, None, None]
    return tf.cast(source == places[None, None, :], dtype)


def cut_out(images: tf.Tensor, middle_row: tf.Tensor, middle_column: tf.Tensor) -> tf.Tensor:
    """Sets a rectangle with half the image's sides to 0, mid grey, clipped at the edges.

    Args:
        images: float tensor (B, H, W, C) in [-1, 1].
        middle_row, middle_column: int tensors (B,), the centre of the rectangle.

    Returns:
        Tensor of the same shape.

    Reference:
        Zhao et al. 2020, section 3.2, https://arxiv.org/abs/2006.10738
    """

    def covered(middle: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
        length = tf.cast(tf.round(CUTOUT_SHARE * tf.cast(size, tf.float32)), tf.int32)
        first = (tf.cast(middle, tf.int32) - length // 2)[:, None]
        places = tf.range(size)[None]
        return (places >= first) & (places < first + length)

    rows = covered(middle_row, tf.shape(images)[1])
    columns = covered(middle_column, tf.shape(images)[2])
    kept = ~(rows[:, :, None] & columns[:, None, :])
    return images * tf.cast(kept, images.dtype)[..., None]


def _colour(images: tf.Tensor, draw: Draw) -> tf.Tensor:
    return jitter_colour(images, draw(-0.5, 0.5), draw(0.0, 2.0), draw(0.5, 1.5))


def _translation(images: tf.Tensor, draw: Draw) -> tf.Tensor:
    def steps(axis: int) -> tf.Tensor:
        most = tf.cast(tf.shape(images)[axis], tf.float32) * SHIFT_SHARE
        return tf.cast(tf.round(draw(-1.0, 1.0) * most), tf.int32)

    return shift(images, steps(1), steps(2))


def _cutout(images: tf.Tensor, draw: Draw) -> tf.Tensor:
    def middle(axis: int) -> tf.Tensor:
        return tf.cast(draw(0.0, 1.0) * tf.cast(tf.shape(images)[axis], tf.float32), tf.int32)

    return cut_out(images, middle(1), middle(2))


def _each(numbers: tf.Tensor, images: tf.Tensor) -> tf.Tensor:
    return tf.cast(numbers, images.dtype)[:, None, None, None]


KINDS = {"color": _colour, "translation": _translation, "cutout": _cutout}


@keras.saving.register_keras_serializable(package="kgan")
class DiffAugment(keras.layers.Layer):
    """Randomly changes every image that the discriminator sees, real or fake.

    Gradients flow through it to the generator, which therefore does not learn to
    imitate the changes. With `target` its strength adapts: `probability`, the share of
    images that each change is applied to, starts at 0, rises while the discriminator is
    surer of real images than the target and falls while it is less sure, by at most 1
    in `adapt_images` real images.

    Args:
        policy: comma-separated changes, from "color", "translation" and "cutout".
        target: None to change every image always; else the mean sign of the
            logits on real images to maintain, 0.6 in the paper.
        adapt_images: number of real images in which `probability` can go from 0 to 1.
        value_range: (low, high) of the images.
        probability: share of the images that each change is applied to at first, without `target`;
            below 1 it can be changed by assigning to the variable of that name.

    Called as `layer(images, seed)` with float images (B, H, W, C) and an int
    tensor (2,); the same seed changes them in the same way, however the batch
    is divided among the replicas of a strategy.

    Raises:
        InputError: a change is unknown, the target is outside -1 to 1, or
            `adapt_images` is below 1.

    Reference:
        Zhao et al. 2020, https://arxiv.org/abs/2006.10738; the adaptive
        strength: Karras et al. 2020, section 3, https://arxiv.org/abs/2006.06676
    """

    EVERYTHING = "color,translation,cutout"

    def __init__(
        self,
        policy: str = EVERYTHING,
        target: float | None = None,
        adapt_images: int = 500_000,
        value_range: Sequence[float] = (-1.0, 1.0),
        probability: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **kwargs)
        names = policy.split(",")
        unknown = [name for name in names if name not in KINDS]
        if unknown:
            raise InputError(
                f"A DiffAugment policy lists some of {', '.join(KINDS)}. Received: {policy!r}"
            )
        if target is not None and not -1.0 < target < 1.0:
            raise InputError(f"target must be between -1 and 1. Received: {target!r}")
        if not adapt_images >= 1:
            raise InputError(f"adapt_images must be at least 1. Received: {adapt_images!r}")
        self.policy = policy
        self.target = target
        self.adapt_images = adapt_images
        self.first_probability = probability
        self.value_range = tuple(value_range)
        self.probability = self.add_weight(
            name="probability",
            shape=(),
            initializer=keras.initializers.Constant(probability if target is None else 0.0),
            trainable=False,
            dtype="float32",
            autocast=False,  # compared with float32 draws, under a mixed policy too
        )
        self.built = True

    def call(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        low, high = self.value_range
        images = (images - low) * (2.0 / (high - low)) - 1.0
        count = tf.shape(images)[0]
        numbers = itertools.count()

        def draw(least: float, most: float) -> tf.Tensor:
            own = draws.fold_in(seed, next(numbers))
            return draws.of_this_replica(lambda n: draws.uniform(own, [n], least, most), count)

        for name in self.policy.split(","):
            changed = KINDS[name](images, draw)
            if self.target is None and self.first_probability == 1.0:
                images = changed
            else:
                chosen = draw(0.0, 1.0) < self.probability
                images = tf.where(chosen[:, None, None, None], changed, images)
        return (images + 1.0) * ((high - low) / 2.0) + low

    def adapt(self, mean_sign: tf.Tensor, count: int | tf.Tensor) -> None:
        """Adapts `probability` after one batch, so that `mean_sign` moves towards the target.

        Args:
            mean_sign: scalar float tensor, the mean sign of the logits on the real images.
            count: number of real images in the batch.
        """
        if self.target is None:
            return
        direction = tf.sign(mean_sign - self.target)
        # Logits that are not finite belong to a step that will be skipped.
        direction = tf.where(tf.math.is_finite(direction), direction, 0.0)
        step = tf.cast(count, tf.float32) / self.adapt_images
        self.probability.assign(tf.clip_by_value(self.probability + direction * step, 0.0, 1.0))

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "policy": self.policy,
            "target": self.target,
            "adapt_images": self.adapt_images,
            "value_range": self.value_range,
            "probability": self.first_probability,
        }
