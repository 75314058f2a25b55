"""Images given in code, an array or a list, checked; arrays keep their depth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from PIL import Image, ImageOps

from kgan import memory
from kgan.channels import MOST_CHANNELS, PICTURES, PICTURES_IN_WORDS
from kgan.data import decode, image_files
from kgan.errors import InputError
from kgan.files import printable
from kgan.images import check_range, to_pil, to_uint8

LEVELS = {"uint8": (0.0, 255.0), "uint16": (0.0, 65535.0)}  # what black and white are in them
FLOATS_IN_FILES = ((0.0, 1.0), (-1.0, 1.0))  # likewise, the first that they lie within
GREY = ("1", "L", "LA", "I", "I;16")  # Pillow's modes without colour
PREMULTIPLIED = {"La": "LA", "RGBa": "RGBA"}

Images: TypeAlias = np.ndarray | list[Image.Image]


def check_images(images: Any, array_range: Any) -> tuple[Images, tuple[float, float]]:
    """Images as an array (N, H, W, C), or as a list where they may have several sizes.

    Args:
        images: as for `kgan.data.from_arrays`.
        array_range: (low, high) of float images; None for those of whole numbers.

    Returns:
        (a uint8, uint16 or float32 array or a list of 8-bit Pillow images, what black and white
        are in it).

    Raises:
        InputError: another shape or type, floats without a range or outside it.
    """
    if isinstance(images, np.ndarray) and images.dtype == object and images.ndim == 1:
        images = images.tolist()
    if isinstance(images, (list, tuple)) and (
        any(isinstance(image, Image.Image) for image in images) or len(_shapes(images)) > 1
    ):
        opened = [_one_image(image, place, array_range) for place, image in enumerate(images)]
        return opened, LEVELS["uint8"]
    array = np.asarray(images)
    if array.ndim == 3:
        array = array[..., np.newaxis]
    if array.ndim != 4 or not 1 <= array.shape[-1] <= MOST_CHANNELS or not array.size:
        raise InputError(
            "Pictures in an array must have the shape (N, H, W) or (N, H, W, C) with C from 1 to "
            f"{MOST_CHANNELS}. Received: {array.shape}"
        )
    ends = _check_values(array, array_range)
    # Of this machine's own byte order, too.
    kept = np.dtype(np.float32 if array.dtype.kind == "f" else array.dtype.name)
    if array.dtype != kept:
        size = kept.itemsize * array.size
        memory.check(f"{len(array):,} pictures of {kept}", size, f"fewer, or {kept}", array.shape)
        array = array.astype(kept)
    return array, ends


def range_of_floats(images: Any, path: object) -> tuple[float, float] | None:
    """What black and white are in the floats of an array file: 0 and 1, or -1 and 1.

    Args:
        images: what the file holds.
        path: the file, for messages.

    Returns:
        (low, high); None for what are no floats.

    Raises:
        InputError: floats that lie within neither.
    """
    if not isinstance(images, np.ndarray) or images.dtype.kind != "f" or not images.size:
        return None
    smallest, largest = images.min(), images.max()
    for low, high in FLOATS_IN_FILES:
        if low <= smallest and largest <= high:
            return low, high
    raise InputError(
        "Floats in an array file are pictures from 0 (black) to 1 (white), or from -1 to 1: scale "
        f"them so. Received: {smallest:g} to {largest:g} in {path}"
    )


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
    """Those of an array; of a list 1 where all images are grey, else 3 over a background."""
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
            upright = ImageOps.exif_transpose(image)
            alone = PREMULTIPLIED.get(upright.mode)  # Pillow turns these into nothing else
            return upright.convert(alone) if alone else upright
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
    if array.ndim != 3 or array.shape[-1] not in PICTURES or not array.size:
        received = f"an array {np.shape(array)}" if array.ndim else printable(repr(image), 50)
        raise InputError(
            "Pictures in a list of several sizes must be Pillow images, or arrays (H, W) or "
            f"(H, W, C) with C {PICTURES_IN_WORDS}. Received: number {place}, {received}"
        )
    return to_pil(_to_levels(array, array_range))


def _to_levels(array: np.ndarray, array_range: Any) -> np.ndarray:
    """One image in 256 levels."""
    ends = _check_values(array, array_range)
    return array if array.dtype == np.uint8 else to_uint8(array, ends)


def _check_values(array: np.ndarray, array_range: Any) -> tuple[float, float]:
    """What black and white are in an array."""
    if array.dtype.name in LEVELS:
        return LEVELS[array.dtype.name]
    if not np.issubdtype(array.dtype, np.floating):
        raise InputError(
            f"Pictures in an array must be uint8, uint16 or floats. Received: {array.dtype}"
        )
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
    return low, high
