"""Images given in code, an array or a list, checked and in 256 levels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from PIL import Image, ImageOps

from kgan import memory
from kgan.data import decode, image_files
from kgan.errors import InputError
from kgan.files import printable
from kgan.images import check_range, to_pil, to_uint8

TOGETHER = 256  # images, or rows of one
GREY = ("1", "L", "LA", "La", "I", "I;16")  # Pillow's modes without colour

Images: TypeAlias = np.ndarray | list[Image.Image]


def check_images(images: Any, array_range: Any) -> Images:
    """Images as a uint8 array (N, H, W, C), or as a list where they may have several sizes.

    Args:
        images: as for `kgan.data.from_arrays`.
        array_range: (low, high) of float images; None for uint8 ones.

    Raises:
        InputError: another shape or type, floats without a range or outside it.
    """
    if isinstance(images, np.ndarray) and images.dtype == object and images.ndim == 1:
        images = images.tolist()
    if isinstance(images, (list, tuple)) and (
        any(isinstance(image, Image.Image) for image in images) or len(_shapes(images)) > 1
    ):
        return [_one_image(image, place, array_range) for place, image in enumerate(images)]
    array = np.asarray(images)
    if array.ndim == 3:
        array = array[..., np.newaxis]
    if array.ndim != 4 or array.shape[-1] not in (1, 3) or not array.size:
        raise InputError(
            "Pictures in an array must have the shape (N, H, W) or (N, H, W, C) with C 1 or 3. "
            f"Received: {array.shape}"
        )
    return _to_levels(array, array_range)


def own_shape(images: Images) -> decode.Shape | None:
    """(H, W, C) of checked images; None for several sizes."""
    if isinstance(images, np.ndarray):
        height, width, channels = images.shape[1:]
        return height, width, channels
    sizes = {image.size for image in images}
    if len(sizes) > 1:
        return None
    ((width, height),) = sizes
    return height, width, own_channels(images)


def own_channels(images: Images) -> int:
    """1 where all images are grey, else 3."""
    if isinstance(images, np.ndarray):
        return int(images.shape[-1])
    return 1 if all(image.mode in GREY for image in images) else 3


def _shapes(images: Sequence[Any]) -> set[Any]:
    try:
        return {np.shape(image) for image in images}
    except ValueError:  # lists of numbers, of several lengths
        return {None, ()}


def _one_image(image: Any, place: int, array_range: Any) -> Image.Image:
    """One image of a list, loaded and upright."""
    if isinstance(image, Image.Image):
        if image.mode == "F":
            raise InputError(
                f"Pillow images of floats have no known range. Received: number {place}"
            )
        try:
            image.load()  # here: the threads that fit images may share one
            return ImageOps.exif_transpose(image)
        except Exception as problem:  # Pillow has no single class for a bad image
            raise InputError(
                "A picture of the list cannot be read. "
                f"Received: number {place} ({image_files.reason(problem)})"
            ) from None
    try:
        array = np.asarray(image)
    except ValueError:  # lists of numbers, of several lengths
        array = np.empty(0)
    if array.ndim == 2:
        array = array[..., np.newaxis]
    if array.ndim != 3 or array.shape[-1] not in (1, 3) or not array.size:
        received = f"an array {np.shape(array)}" if array.ndim else printable(repr(image), 50)
        raise InputError(
            "Pictures in a list must be Pillow images, or arrays (H, W) or (H, W, C) with C 1 "
            f"or 3. Received: number {place}, {received}"
        )
    return to_pil(_to_levels(array, array_range))


def _to_levels(array: np.ndarray, array_range: Any) -> np.ndarray:
    if array.dtype == np.uint8:
        return array
    if not np.issubdtype(array.dtype, np.floating):
        raise InputError(f"Pictures in an array must be uint8 or floats. Received: {array.dtype}")
    if array_range is None:
        raise InputError(
            "Float pictures need their range stated, such as array_range=(0.0, 1.0). Received: None"
        )
    low, high = check_range("array_range", array_range)
    smallest, largest = array.min(), array.max()
    if not (low <= smallest and largest <= high):
        raise InputError(
            f"Float pictures must lie within their array_range {low} to {high}. "
            f"Received: {smallest} to {largest}"
        )
    memory.check(
        f"{len(array):,} pictures of 256 levels", array.size, "fewer, or uint8", array.shape
    )
    levels = np.empty(array.shape, np.uint8)
    for start in range(0, len(array), TOGETHER):  # in between they are float32
        part = slice(start, start + TOGETHER)
        levels[part] = to_uint8(array[part], array_range)
    return levels
