"""Pictures as arrays: value ranges to and from uint8, grids, strips, PNG files and animations."""

import math
from pathlib import Path

import numpy as np
from PIL import Image

from kgan.errors import InputError
from kgan.files import whole_file


def check_range(name, value_range):
    """Returns `value_range` as a pair of floats.

    Raises:
        InputError: it is not (low, high) with low below high; `name` says which it was.
    """
    if (
        not isinstance(value_range, (tuple, list))
        or len(value_range) != 2
        or not all(isinstance(end, (int, float, np.number)) for end in value_range)
        or not value_range[0] < value_range[1]
    ):
        raise InputError(
            f"{name} must be (low, high) with low below high. Received: {value_range!r}"
        )
    return tuple(float(end) for end in value_range)


def to_uint8(images, value_range=(-1.0, 1.0)):
    """Maps float images to 0..255, rounding to the nearest level.

    Args:
        images: float array, any shape, in `value_range`; values outside are clipped.
        value_range: pair (low, high) that stands for black and white.

    Returns:
        uint8 array of the same shape.
    """
    low, high = value_range
    scaled = (np.asarray(images, np.float32) - low) * np.float32(255.0 / (high - low))
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def check_levels(images, image_shape):
    """Returns pictures as an array.

    Args:
        images: uint8 array (N, H, W, C).
        image_shape: the (H, W, C) that it must have.

    Raises:
        InputError: another type or shape.
    """
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.shape[1:] != tuple(image_shape):
        raise InputError(
            f"Pictures must be uint8 (N, {', '.join(map(str, image_shape))}). "
            f"Received: {images.dtype} {images.shape}"
        )
    return images


def from_uint8(images, value_range=(-1.0, 1.0)):
    """Maps 0..255 to float32 in `value_range`; the inverse of `to_uint8`.

    Args:
        images: uint8 array, any shape.
        value_range: pair (low, high) that stands for black and white.

    Returns:
        float32 array of the same shape.
    """
    low, high = value_range
    return np.asarray(images, np.float32) * np.float32((high - low) / 255.0) + np.float32(low)


def grid(images, columns=None, padding=2, background=255):
    """Tiles a batch of pictures into one, row by row.

    Args:
        images: uint8 array (N, H, W, C), C 1 or 3.
        columns: pictures a row; the smallest near-square number when None.
        padding: pixels between pictures and around them.
        background: grey level 0..255 of the padding and of empty places.

    Returns:
        uint8 array (rows * (H + padding) + padding, columns * (W + padding) + padding, C).

    Raises:
        InputError: `images` is not a non-empty uint8 batch of 1- or 3-channel pictures.
    """
    images = np.asarray(images)
    if (
        images.dtype != np.uint8
        or images.ndim != 4
        or images.shape[-1] not in (1, 3)
        or not len(images)
    ):
        raise InputError(
            "A grid needs uint8 images (N, H, W, C) with C 1 or 3 and N at least 1. "
            f"Received: {images.dtype} {images.shape}"
        )
    count, height, width, channels = images.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    sheet = np.full(
        (rows * (height + padding) + padding, columns * (width + padding) + padding, channels),
        background,
        np.uint8,
    )
    for index, image in enumerate(images):
        top = padding + index // columns * (height + padding)
        left = padding + index % columns * (width + padding)
        sheet[top : top + height, left : left + width] = image
    return sheet


def pairs(above, below, columns=8):
    """A sheet that shows each picture of one batch over its counterpart of another.

    Args:
        above, below: uint8 arrays (N, H, W, C) of the same shape.
        columns: pictures a row.

    Returns:
        uint8 array (H', W', C), rows of `above` and `below` in turn.
    """
    rows = []
    for start in range(0, len(above), columns):
        for batch in (above, below):
            row = batch[start : start + columns]
            filler = np.full((columns - len(row), *row.shape[1:]), 255, np.uint8)
            rows.append(np.concatenate([row, filler]))
    return grid(np.concatenate(rows), columns=columns)


def to_pil(image):
    """A uint8 array (H, W, C), C 1 or 3, as a Pillow image in mode L or RGB."""
    image = np.asarray(image)
    return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)


def save_png(path, image):
    """Writes one picture as PNG, whole or not at all.

    Args:
        path: file to write; its folder is made when missing.
        image: uint8 array (H, W, C), C 1 or 3.

    Returns:
        The path written, a `pathlib.Path`.
    """
    with whole_file(path) as temporary:
        to_pil(image).save(temporary, format="PNG")
    return Path(path)


def save_animation(path, frames, milliseconds=60):
    """Writes an endless animation, whole or not at all: WebP, every colour kept.

    Args:
        path: the .webp file to write; its folder is made when missing.
        frames: iterable of uint8 arrays (H, W, C), C 1 or 3, of one shape, at least one.
        milliseconds: how long each frame stays.

    Returns:
        The path written, a `pathlib.Path`.
    """
    first, *rest = (to_pil(frame).convert("RGB") for frame in frames)
    with whole_file(path) as temporary:
        first.save(
            temporary,
            format="WEBP",
            save_all=True,
            append_images=rest,
            duration=milliseconds,
            loop=0,
            lossless=True,
            # Two frames alike stay two: whoever reads it finds each in its place.
            minimize_size=False,
        )
    return Path(path)
