"""ADA's changes of colour: composed into one matrix per image, by which its pixels are multiplied.

Matrices (B, 4, 4) act on (red, green, blue, 1), each colour from -1 to 1.

Reference:
    Karras et al. 2020, appendix B, https://arxiv.org/abs/2006.06676
"""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np
import tensorflow as tf

from kgan.channels import ALPHA
from kgan.layers.draws import PerImage
from kgan.layers.random_matrices import drawn, product

BRIGHTNESS = 0.2  # standard deviations: of what is added,
CONTRAST_OCTAVES = 0.5  # and of the factors
SATURATION_OCTAVES = 1.0

# Onto the luma axis (1, 1, 1), and the cross product with it, of unit length.
LUMA = np.full((3, 3), 1 / 3, np.float32)
ACROSS = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], np.float32) / np.float32(math.sqrt(3))
REST = np.eye(3, dtype=np.float32) - LUMA


def brighter(added: tf.Tensor) -> tf.Tensor:
    """Matrices that add (B,) to each colour."""
    return _homogeneous(tf.eye(3) * tf.ones_like(_each(added)), added)


def contrasted(factor: tf.Tensor) -> tf.Tensor:
    """Matrices that multiply each colour's distance from mid grey by (B,)."""
    return _homogeneous(tf.eye(3) * _each(factor))


def luma_flipped(flipped: tf.Tensor) -> tf.Tensor:
    """Matrices that turn light into dark and keep the hue, where (B,) is 1; 0 leaves it."""
    return _homogeneous(REST + LUMA * _each(1.0 - 2.0 * flipped))


def hue_turned(angle: tf.Tensor) -> tf.Tensor:
    """Matrices that turn the colours about the luma axis by radians (B,)."""
    return _homogeneous(LUMA + REST * _each(tf.cos(angle)) + ACROSS * _each(tf.sin(angle)))


def saturated(factor: tf.Tensor) -> tf.Tensor:
    """Matrices that multiply each colour's distance from its grey by (B,)."""
    return _homogeneous(LUMA + REST * _each(factor))


def _each(numbers: tf.Tensor) -> tf.Tensor:
    return numbers[:, None, None]


def _homogeneous(linear: tf.Tensor, added: tf.Tensor | None = None) -> tf.Tensor:
    """Matrices (B, 4, 4) of those (B, 3, 3) and what (B,) they add to all three colours."""
    column = tf.zeros_like(linear[:, :, :1])
    if added is not None:
        column += _each(added)
    last = tf.zeros_like(linear[:, :1, :1]) + tf.constant([0.0, 0.0, 0.0, 1.0])
    return tf.concat([tf.concat([linear, column], axis=2), last], axis=1)


def _luma_flip(uniform: tf.Tensor, normal: tf.Tensor) -> tf.Tensor:
    return luma_flipped(tf.floor(2.0 * uniform[:, 0]))


def _hue(uniform: tf.Tensor, normal: tf.Tensor) -> tf.Tensor:
    return hue_turned(math.pi * (2.0 * uniform[:, 0] - 1.0))


# In the paper's order.
CHANGES = {
    "brightness": lambda uniform, normal: brighter(BRIGHTNESS * normal[:, 0]),
    "contrast": lambda uniform, normal: contrasted(2.0 ** (CONTRAST_OCTAVES * normal[:, 0])),
    "luma_flip": _luma_flip,
    "hue": _hue,
    "saturation": lambda uniform, normal: saturated(2.0 ** (SATURATION_OCTAVES * normal[:, 0])),
}
NAMES = tuple(CHANGES)


def draw_matrices(
    names: Collection[str], draw: PerImage, probability: float | tf.Tensor
) -> tf.Tensor:
    """Draws the matrix of each image.

    Args:
        names: some of `NAMES`, in any order; they are composed in the paper's.
        draw: the numbers for the images.
        probability: that a change is applied to an image, each by itself.

    Returns:
        float32 tensor (B, 4, 4).
    """
    makers = [maker for name, maker in CHANGES.items() if name in names]
    return product(reversed(drawn(makers, draw, [probability] * len(makers))))


def change_colour(
    images: tf.Tensor, names: Collection[str], draw: PerImage, probability: float | tf.Tensor
) -> tf.Tensor:
    """Changes each image by the changes that are drawn for it.

    Args:
        images: float tensor (B, H, W, C) in [-1, 1].
        names, draw, probability: as in `draw_matrices`.

    Returns:
        Tensor of the same shape and dtype; values may leave [-1, 1].
    """
    return recolour(images, draw_matrices(names, draw, probability))


def recolour(images: tf.Tensor, matrices: tf.Tensor) -> tf.Tensor:
    """Multiplies each pixel by its image's matrix.

    Grey images are taken as three equal colours and the mean of what becomes of these:
    saturation and hue leave them as they are. So is each channel where they make no picture.

    Args:
        images: float tensor (B, H, W, C) in [-1, 1]; of four channels the last, alpha, stays.
        matrices: float32 tensor (B, 4, 4).

    Returns:
        Tensor of the same shape and dtype; values may leave [-1, 1].
    """
    linear, added = matrices[:, :3, :3], matrices[:, :3, 3]
    colours = tf.cast(images, tf.float32)
    if images.shape[-1] in (3, ALPHA):
        made = tf.einsum("bhwc,bdc->bhwd", colours[..., :3], linear) + added[:, None, None, :]
        made = tf.concat([made, colours[..., 3:]], axis=-1)
    else:
        factor = tf.reduce_sum(linear, axis=(1, 2)) / 3.0
        made = colours * factor[:, None, None, None]
        made += tf.reduce_mean(added, axis=1)[:, None, None, None]
    return tf.cast(made, images.dtype)
