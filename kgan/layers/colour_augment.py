"""ADA's changes of colour: composed into one matrix per image, by which its pixels are multiplied.

Matrices (B, 4, 4) act on (red, green, blue, 1), each colour from -1 to 1.

Reference:
    Karras et al. 2020, appendix B, https://arxiv.org/abs/2006.06676
"""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np
from keras import ops

from kgan.channels import ALPHA
from kgan.layers.draws import PerImage
from kgan.layers.random_matrices import drawn, product
from kgan.tensors import Tensor

BRIGHTNESS = 0.2  # standard deviations: of what is added,
CONTRAST_OCTAVES = 0.5  # and of the factors
SATURATION_OCTAVES = 1.0

# Onto the luma axis (1, 1, 1), and the cross product with it, of unit length.
LUMA = np.full((3, 3), 1 / 3, np.float32)
ACROSS = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], np.float32) / np.float32(math.sqrt(3))
IDENTITY = np.eye(3, dtype=np.float32)
REST = IDENTITY - LUMA
LAST_ROW = np.array([0, 0, 0, 1], np.float32)


def brighter(added: Tensor) -> Tensor:
    """Matrices that add (B,) to each colour."""
    return _homogeneous(IDENTITY * ops.ones_like(_each(added)), added)


def contrasted(factor: Tensor) -> Tensor:
    """Matrices that multiply each colour's distance from mid grey by (B,)."""
    return _homogeneous(IDENTITY * _each(factor))


def luma_flipped(flipped: Tensor) -> Tensor:
    """Matrices that turn light into dark and keep the hue, where (B,) is 1; 0 leaves it."""
    return _homogeneous(REST + LUMA * _each(1.0 - 2.0 * flipped))


def hue_turned(angle: Tensor) -> Tensor:
    """Matrices that turn the colours about the luma axis by radians (B,)."""
    return _homogeneous(LUMA + REST * _each(ops.cos(angle)) + ACROSS * _each(ops.sin(angle)))


def saturated(factor: Tensor) -> Tensor:
    """Matrices that multiply each colour's distance from its grey by (B,)."""
    return _homogeneous(LUMA + REST * _each(factor))


def _each(numbers: Tensor) -> Tensor:
    return numbers[:, None, None]


def _homogeneous(linear: Tensor, added: Tensor | None = None) -> Tensor:
    """Matrices (B, 4, 4) of those (B, 3, 3) and what (B,) they add to all three colours."""
    column = ops.zeros_like(linear[:, :, :1])
    if added is not None:
        column += _each(added)
    last = ops.zeros_like(linear[:, :1, :1]) + LAST_ROW
    return ops.concatenate([ops.concatenate([linear, column], axis=2), last], axis=1)


def _luma_flip(uniform: Tensor, normal: Tensor) -> Tensor:
    return luma_flipped(ops.floor(2.0 * uniform[:, 0]))


def _hue(uniform: Tensor, normal: Tensor) -> Tensor:
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


def draw_matrices(names: Collection[str], draw: PerImage, probability: float | Tensor) -> Tensor:
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
    images: Tensor, names: Collection[str], draw: PerImage, probability: float | Tensor
) -> Tensor:
    """Changes each image by the changes that are drawn for it.

    Args:
        images: float tensor (B, H, W, C) in [-1, 1].
        names, draw, probability: as in `draw_matrices`.

    Returns:
        Tensor of the same shape and dtype; values may leave [-1, 1].
    """
    return recolour(images, draw_matrices(names, draw, probability))


def recolour(images: Tensor, matrices: Tensor) -> Tensor:
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
    colours = ops.cast(images, "float32")
    if images.shape[-1] in (3, ALPHA):
        made = ops.einsum("bhwc,bdc->bhwd", colours[..., :3], linear) + added[:, None, None, :]
        made = ops.concatenate([made, colours[..., 3:]], axis=-1)
    else:
        factor = ops.sum(linear, axis=(1, 2)) / 3.0
        made = colours * factor[:, None, None, None]
        made += ops.mean(added, axis=1)[:, None, None, None]
    return ops.cast(made, images.dtype)
