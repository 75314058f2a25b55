"""ADA's geometric changes: composed into one matrix per image, by which it is sampled once.

Matrices are the inverse ones, (B, 3, 3): from a position in what is made, (right, down, 1) in
pixels from the image's middle, to where in the given image that is.

Reference:
    Karras et al. 2020, appendix B, https://arxiv.org/abs/2006.06676
"""

from __future__ import annotations

import math
from collections.abc import Collection
from functools import partial

import numpy as np
from keras import ops

from kgan.errors import InputError
from kgan.layers.draws import PerImage
from kgan.layers.random_matrices import drawn, from_rows, product
from kgan.tensors import Tensor, own_rows_at, rows_at

SHIFT_SHARE = 1 / 8
SCALE_OCTAVES = 0.2  # standard deviations
FRACTIONAL_SHIFT_SHARE = 1 / 8
# Lagrange's weights for the middle between two samples, from the nearest of three on a side.
MIDDLE = (150 / 256, -25 / 256, 3 / 256)


def scaled(right: float | Tensor, down: float | Tensor) -> Tensor:
    """Inverse matrices of an enlargement about the middle; factors (B,), below 0 to mirror."""
    return from_rows([[1.0 / right, 0.0, 0.0], [0.0, 1.0 / down, 0.0], [0.0, 0.0, 1.0]])


def rotated(cosine: Tensor, sine: Tensor) -> Tensor:
    """Inverse matrices of a turn about the middle, clockwise as seen; both (B,)."""
    return from_rows([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]])


def shifted(right: Tensor, down: Tensor) -> Tensor:
    """Inverse matrices of a move; pixels (B,)."""
    return from_rows([[1.0, 0.0, -right], [0.0, 1.0, -down], [0.0, 0.0, 1.0]])


def _flip(uniform: Tensor, normal: Tensor, size: Tensor) -> Tensor:
    return scaled(1.0 - 2.0 * ops.floor(2.0 * uniform[:, 0]), 1.0)


def _rotate90(uniform: Tensor, normal: Tensor, size: Tensor) -> Tensor:
    turns = ops.cast(4.0 * uniform[:, 0], "int32")
    # Exact, which the cosine of pi / 2 is not.
    cosine, sine = np.array([[1, 0, -1, 0], [0, 1, 0, -1]], np.float32)
    return rotated(rows_at(cosine, turns), rows_at(sine, turns))


def _integer_shift(uniform: Tensor, normal: Tensor, size: Tensor) -> Tensor:
    steps = ops.round((2.0 * uniform - 1.0) * SHIFT_SHARE * size)
    return shifted(steps[:, 0], steps[:, 1])


def _scale(uniform: Tensor, normal: Tensor, size: Tensor) -> Tensor:
    factor = 2.0 ** (SCALE_OCTAVES * normal[:, 0])
    return scaled(factor, factor)


def _rotation(uniform: Tensor, normal: Tensor, size: Tensor) -> Tensor:
    angle = math.pi * (2.0 * uniform[:, 0] - 1.0)
    return rotated(ops.cos(angle), ops.sin(angle))


def _anisotropy(uniform: Tensor, normal: Tensor, size: Tensor) -> Tensor:
    factor = 2.0 ** (SCALE_OCTAVES * normal[:, 0])
    return scaled(factor, 1.0 / factor)


def _fractional_shift(uniform: Tensor, normal: Tensor, size: Tensor) -> Tensor:
    pixels = normal * FRACTIONAL_SHIFT_SHARE * size
    return shifted(pixels[:, 0], pixels[:, 1])


# In the paper's order. Before and after the anisotropy a turn, so that its axes are any.
CHANGES = (
    ("flip", _flip),
    ("rotate90", _rotate90),
    ("integer_shift", _integer_shift),
    ("scale", _scale),
    ("rotation", _rotation),
    ("anisotropy", _anisotropy),
    ("rotation", _rotation),
    ("fractional_shift", _fractional_shift),
)
NAMES = tuple(dict.fromkeys(name for name, _ in CHANGES))


def draw_matrices(
    names: Collection[str], size: tuple[int, int], draw: PerImage, probability: float | Tensor
) -> Tensor:
    """Draws the inverse matrix of each image.

    Args:
        names: some of `NAMES`, in any order; they are composed in the paper's.
        size: (H, W) in pixels.
        draw: the numbers for the images.
        probability: that a change is applied to an image, each by itself; of "rotation",
            which stands before and after the anisotropy, that one of the two is.

    Returns:
        float32 tensor (B, 3, 3).
    """
    sides = np.array([size[1], size[0]], np.float32)
    chosen = [(name, maker) for name, maker in CHANGES if name in names]
    either = 1.0 - ops.sqrt(1.0 - probability)
    return product(
        drawn(
            [partial(maker, size=sides) for _, maker in chosen],
            draw,
            [either if name == "rotation" else probability for name, _ in chosen],
        )
    )


def change_geometry(
    images: Tensor, names: Collection[str], draw: PerImage, probability: float | Tensor
) -> Tensor:
    """Changes each image by the changes that are drawn for it, in one resampling.

    Args:
        images: float tensor (B, H, W, C) of known height and width.
        names, draw, probability: as in `draw_matrices`.

    Returns:
        Tensor of the same shape and dtype.

    Raises:
        InputError: the images are less than 2 pixels high or wide.
    """
    size = (images.shape[1], images.shape[2])
    if min(size) < 2:
        raise InputError(
            f"{', '.join(NAMES)} change pictures of at least 2x2 pixels. "
            f"Received: {size[0]}x{size[1]}"
        )
    return resample(images, draw_matrices(names, size, draw, probability))


def resample(images: Tensor, matrices: Tensor) -> Tensor:
    """Samples each image by its inverse matrix; beyond its edges lies its mirror image.

    The image is brought to twice the resolution (by Lagrange's polynomials through six
    samples), and that is sampled bilinearly: a move by half a pixel leaves 95% of a wave four
    pixels long, where bilinear sampling of the image itself leaves 71%. Mirror images, moves by
    whole pixels and quarter turns (of a height and width both even, or both odd) are exact, and
    an image whose matrix is the identity stays as it was. The paper brings it to twice the
    resolution by an orthogonal wavelet, samples it at four times as many places and filters what it
    finds there: at some four times the cost, a shrunken image's finest details do not alias.

    Linear in the images, so that it can be differentiated with respect to them any number of
    times; not with respect to the matrices.

    Args:
        images: float tensor (B, H, W, C) of known height and width, both at least 2.
        matrices: float32 tensor (B, 3, 3).

    Returns:
        Tensor of the same shape and dtype.
    """
    height, width = images.shape[1:3]
    fine = ops.cast(images, "float32")
    fine = ops.einsum("ph,bhwc->bpwc", _doubling(height), fine)
    fine = ops.einsum("qw,bpwc->bpqc", _doubling(width), fine)
    right = (np.arange(width, dtype=np.float32) - (width - 1) / 2)[None, None, :]
    down = (np.arange(height, dtype=np.float32) - (height - 1) / 2)[None, :, None]

    def source(row: int, middle: int) -> Tensor:
        """Places (B, H, W) in `fine`, along the axis that the matrices' row stands for."""
        terms = matrices[:, row, :, None, None]
        return 2.0 * (terms[:, 0] * right + terms[:, 1] * down + terms[:, 2]) + middle

    made = _bilinear(fine, source(1, height - 1), source(0, width - 1))
    changed = ops.any(matrices != np.eye(3, dtype=np.float32), axis=(1, 2))
    return ops.where(changed[:, None, None, None], ops.cast(made, images.dtype), images)


def _bilinear(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Images (B, P, Q, C) at places (B, H, W) between their pixels."""
    tall, wide, channels = images.shape[1:]
    rows, columns = _folded(rows, tall), _folded(columns, wide)
    top = ops.minimum(ops.floor(rows), tall - 2.0)
    left = ops.minimum(ops.floor(columns), wide - 2.0)
    below, beside = rows - top, columns - left
    first = ops.cast(top, "int32") * wide + ops.cast(left, "int32")
    places = ops.stack([first, first + 1, first + wide, first + wide + 1], axis=-1)
    weights = ops.stack(
        [
            (1.0 - below) * (1.0 - beside),
            (1.0 - below) * beside,
            below * (1.0 - beside),
            below * beside,
        ],
        axis=-1,
    )
    pixels = own_rows_at(ops.reshape(images, (-1, tall * wide, channels)), places)
    return ops.sum(pixels * weights[..., None], axis=3)


def _folded(places: Tensor, size: int) -> Tensor:
    """Places on an endless line of mirror images to those on the line of `size` pixels."""
    period = 2.0 * (size - 1)
    within = ops.mod(places, period)
    return ops.minimum(within, period - within)


def _doubling(size: int) -> np.ndarray:
    """Matrix (2 size - 1, size) from a line of pixels to these and the middles between them."""
    matrix = np.zeros((2 * size - 1, size), np.float32)
    matrix[::2] = np.eye(size)
    period = 2 * (size - 1)
    for before in range(size - 1):
        for distance, weight in enumerate(MIDDLE):
            for place in (before - distance, before + 1 + distance):
                within = place % period
                matrix[2 * before + 1, min(within, period - within)] += weight
    return matrix
