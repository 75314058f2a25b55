"""The one rule by which images of any size become a network's input."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from kgan.channels import ALPHA, PICTURES, PICTURES_IN_WORDS
from kgan.errors import InputError
from kgan.files import printable
from kgan.images import over

# What a figure's protocol says of it.
RESIZE_RULE = "Pillow bicubic, antialiased, on 8-bit levels; stretched to the square; grey repeated"


def check_images(images: npt.ArrayLike) -> np.ndarray:
    """Returns images as a uint8 array (N, H, W, C), C 1 or 3: transparent ones over white.

    Args:
        images: uint8 array (N, H, W) of grey images, or (N, H, W, C), C 1, 3 or 4.

    Raises:
        InputError: they are no such array, or have channels that make no picture.
    """
    try:
        array = np.asarray(images)
    except ValueError:  # of several sizes
        array = np.empty(0, object)
    if array.ndim == 3:
        array = array[..., np.newaxis]
    if array.dtype != np.uint8 or array.ndim != 4 or not array.size:
        received = (
            printable(repr(images), 60) if array.dtype == object else f"{array.dtype} {array.shape}"
        )
        raise InputError(
            "Images must be uint8 (N, H, W, C) with C 1, 3 or 4, of one size a batch. "
            f"Received: {received}"
        )
    check_measurable(array.shape[3])
    return over(array) if array.shape[3] == ALPHA else array


def check_measurable(channels: int) -> None:
    """Raises an InputError for images of a number of channels that make no picture."""
    if channels not in PICTURES:
        raise InputError(
            f"Only pictures are measured, images of {PICTURES_IN_WORDS} channels. "
            f"Received: {channels} channels"
        )


def resize(images: npt.ArrayLike, size: int) -> np.ndarray:
    """Images as RGB of one square size.

    By Pillow's bicubic filter, which is antialiased: its support grows with the reduction. The
    levels are rounded to 8 bits, once in each direction. Images that are not square are
    stretched to the square, nothing is cut off; grey levels are repeated to three channels;
    images that have the size already are left as they are.

    Args:
        images: uint8 array (N, H, W) or (N, H, W, C), C 1, 3 or 4; the last over white.
        size: height and width of the result.

    Returns:
        uint8 array (N, size, size, 3).

    Raises:
        InputError: the images are no such array.

    Reference:
        Parmar et al. 2022 on why it must be antialiased, https://arxiv.org/abs/2104.11222
    """
    array = check_images(images)
    if array.shape[1:3] != (size, size):
        scaled = np.empty((len(array), size, size, array.shape[3]), np.uint8)
        for image, target in zip(array, scaled, strict=True):
            picture = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)
            done = np.asarray(picture.resize((size, size), Image.Resampling.BICUBIC))
            target[...] = done.reshape(target.shape)
        array = scaled
    return np.repeat(array, 3, axis=3) if array.shape[3] == 1 else array
