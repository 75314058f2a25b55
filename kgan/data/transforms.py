"""Image transforms on batches, each image by its own amount: rotate, translate, zoom and so on.

Nothing here is random. Sampling is bilinear; what lies outside the image is
`fill`, blended in over the last pixel of the edge, or with a `fill` of None the
image mirrored at its edges. They run eagerly, in a
`tf.function` and in tf.data, where they belong: the XLA of TensorFlow 2.21 cannot
compile the sampling (`cutout` it can), and TensorFlow's gradient with respect to the
images is exact only for `translate`, `cutout` and a `shear` along one axis; for
`rotate` and a `shear` along both it is an approximation.

They are the counterparts of tensorflow-addons' `tfa.image` functions of the same
names. The sampling is the same; their arguments differ (degrees for
radians, pixels down and right for right and down, a rectangle's corner for its
middle), that tfa samples the nearest pixel unless told otherwise, and `shear`.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf

from kgan.errors import InputError


def rotate(images: tf.Tensor, degrees: tf.Tensor | float, fill: float | None) -> tf.Tensor:
    """Rotates each image about its centre.

    Args:
        images: float tensor (B, H, W, C) in the model's range.
        degrees: tensor (B,), or one number for all; above 0 turns
            counterclockwise as seen, as in Pillow, Keras and tensorflow-addons.
        fill: float in the model's range, outside the image; None to mirror.

    Returns:
        Tensor of the same shape and dtype.

    Raises:
        InputError: `images` is not a float tensor of rank 4.
    """
    angles = tf.cast(degrees, tf.float32) * (math.pi / 180.0)
    cosine, sine = tf.cos(angles), tf.sin(angles)
    return _sample_about_the_centre(images, (cosine, -sine), (sine, cosine), fill)


def translate(
    images: tf.Tensor, down: tf.Tensor | float, right: tf.Tensor | float, fill: float | None
) -> tf.Tensor:
    """Moves each image; fractions of a pixel are interpolated.

    Args:
        images: float tensor (B, H, W, C) in the model's range.
        down: pixels, tensor (B,), or one number for all; below 0 moves up.
        right: pixels, likewise; below 0 moves to the left.
        fill: float in the model's range, outside the image; None to mirror.

    Returns:
        Tensor of the same shape and dtype.

    Raises:
        InputError: `images` is not a float tensor of rank 4.
    """
    images = _checked(images)
    right, down = tf.cast(right, tf.float32), tf.cast(down, tf.float32)
    return _sample(images, (1.0, 0.0, -right), (0.0, 1.0, -down), fill)


def zoom(images: tf.Tensor, factor: tf.Tensor | float, fill: float | None) -> tf.Tensor:
    """Enlarges each image about its centre.

    Args:
        images: float tensor (B, H, W, C) in the model's range.
        factor: tensor (B,), or one number for all; 2 shows the middle half of
            height and width, below 1 shrinks.
        fill: float in the model's range, outside the image; None to mirror.

    Returns:
        Tensor of the same shape and dtype.

    Raises:
        InputError: `images` is not a float tensor of rank 4.
    """
    step = 1.0 / tf.cast(factor, tf.float32)
    return _sample_about_the_centre(images, (step, 0.0), (0.0, step), fill)


def shear(
    images: tf.Tensor, down: tf.Tensor | float, right: tf.Tensor | float, fill: float | None
) -> tf.Tensor:
    """Slants each image about its centre: first along its rows, then along its columns.

    The order matters only where both are given; the area of what is shown stays
    the same. tensorflow-addons' `shear_x(image, level)` has the opposite sign
    (`right` is -level, as `down` is for `shear_y`) and keeps the first row in
    place, which moves the image out of its frame.

    Args:
        images: float tensor (B, H, W, C) in the model's range.
        down: pixels that a column moves down for each column it lies right of
            the middle; tensor (B,), or one number for all.
        right: pixels that a row moves right for each row it lies below the
            middle, likewise.
        fill: float in the model's range, outside the image; None to mirror.

    Returns:
        Tensor of the same shape and dtype.

    Raises:
        InputError: `images` is not a float tensor of rank 4.
    """
    right, down = tf.cast(right, tf.float32), tf.cast(down, tf.float32)
    return _sample_about_the_centre(images, (1.0 + right * down, -right), (-down, 1.0), fill)


def cutout(
    images: tf.Tensor,
    top: tf.Tensor | float,
    left: tf.Tensor | float,
    height: tf.Tensor | float,
    width: tf.Tensor | float,
    fill: float,
) -> tf.Tensor:
    """Covers a rectangle of each image.

    Pixel (row, column) is covered where top <= row < top + height and
    left <= column < left + width; what reaches over the edge is cut off, and a
    size of 0 covers nothing. tensorflow-addons' `cutout` takes the rectangle's
    middle, top + height / 2 and left + width / 2, and one even size for all.

    Args:
        images: float tensor (B, H, W, C) in the model's range.
        top: pixels, tensor (B,), or one number for all.
        left: likewise.
        height: likewise.
        width: likewise.
        fill: float in the model's range, inside the rectangle.

    Returns:
        Tensor of the same shape and dtype.

    Raises:
        InputError: `images` is not a float tensor of rank 4.

    Reference:
        DeVries and Taylor 2017, section 3, https://arxiv.org/abs/1708.04552
    """
    images = _checked(images)
    shape = tf.shape(images)

    def covered(first: tf.Tensor, length: tf.Tensor, axis: int) -> tf.Tensor:
        pixels = tf.range(tf.cast(shape[axis], tf.float32))
        first = _per_image(first, images)[:, None]
        return (pixels >= first) & (pixels < first + _per_image(length, images)[:, None])

    rows, columns = covered(top, height, 1), covered(left, width, 2)
    inside = rows[:, :, None, None] & columns[:, None, :, None]
    covered_images = tf.where(inside, tf.cast(fill, images.dtype), images)
    return tf.ensure_shape(covered_images, images.shape)


def _checked(images: tf.Tensor) -> tf.Tensor:
    images = tf.convert_to_tensor(images)
    if images.shape.rank != 4 or not images.dtype.is_floating:
        raise InputError(
            "images must be a float tensor (B, H, W, C). "
            f"Received: {images.dtype.name} {images.shape}"
        )
    return images


def _per_image(value: tf.Tensor | float, images: tf.Tensor) -> tf.Tensor:
    """A number for all, or one per image, as float32 (B,)."""
    return tf.broadcast_to(tf.cast(value, tf.float32), tf.shape(images)[:1])


def _sample_about_the_centre(
    images: tf.Tensor, from_x: Any, from_y: Any, fill: float | None
) -> tf.Tensor:
    """As `_sample`, with x and y counted from the image's centre and without constant terms."""
    images = _checked(images)
    height, width = tf.unstack(tf.cast(tf.shape(images)[1:3], tf.float32))
    x, y = (width - 1.0) / 2.0, (height - 1.0) / 2.0
    constant_x = x - from_x[0] * x - from_x[1] * y
    constant_y = y - from_y[0] * x - from_y[1] * y
    return _sample(images, (*from_x, constant_x), (*from_y, constant_y), fill)


def _sample(images: tf.Tensor, from_x: Any, from_y: Any, fill: float | None) -> tf.Tensor:
    """Draws output pixel (x, y) from the input at from_x . (x, y, 1), from_y . (x, y, 1)."""
    terms = (*from_x, *from_y, 0.0, 0.0)  # the last two would be perspective
    transform = tf.stack([_per_image(term, images) for term in terms], axis=1)
    return keras.ops.image.affine_transform(
        images,
        transform,
        interpolation="bilinear",
        fill_mode="reflect" if fill is None else "constant",
        fill_value=tf.cast(0.0 if fill is None else fill, tf.float32),
        data_format="channels_last",
    )
