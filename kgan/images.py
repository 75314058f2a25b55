"""Images as arrays: value ranges to and from uint8, grids, strips, PNG files and animations."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from kgan import notebooks
from kgan.channels import ALPHA, MOST_CHANNELS, PICTURES
from kgan.errors import InputError
from kgan.files import whole_file

__all__ = [
    "as_pictures",
    "from_uint8",
    "grid",
    "is_drawn",
    "over",
    "pairs",
    "png_bytes",
    "repeat_pixels",
    "save_animation",
    "save_array",
    "save_image",
    "save_named",
    "save_png",
    "show",
    "to_pil",
    "to_uint8",
]

SOFTWARE = 0x0131  # the Exif tag of the program that made a picture
DRAWN = "kgan: drawn by a model"
# Formats with an alpha channel, beside PNG.
TRANSPARENT = ("AVIF", "DDS", "ICO", "JPEG2000", "QOI", "SGI", "TGA", "TIFF", "WEBP")
LARGEST_ICON = 256
PADDING = 2  # pixels between the images of a sheet
SHOWN_SIDE = 512  # pixels that small images are enlarged to, at most, where people look at them


def check_range(name: str, value_range: object) -> tuple[float, float]:
    """Returns `value_range` as a pair of floats.

    Args:
        name: what the range is called in an error message.
        value_range: the value to check.

    Raises:
        InputError: it is not (low, high) with low below high.
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
    low, high = value_range
    return float(low), float(high)


def to_uint8(images: npt.ArrayLike, value_range: Sequence[float] = (-1.0, 1.0)) -> np.ndarray:
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


def check_levels(images: npt.ArrayLike, image_shape: Sequence[int]) -> np.ndarray:
    """Returns `images` as an array.

    Args:
        images: uint8 array (N, H, W, C).
        image_shape: the required (H, W, C).

    Raises:
        InputError: `images` has another dtype or shape.
    """
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.shape[1:] != tuple(image_shape):
        raise InputError(
            f"Images must be uint8 (N, {', '.join(map(str, image_shape))}). "
            f"Received: {images.dtype} {images.shape}"
        )
    return images


def from_uint8(images: npt.ArrayLike, value_range: Sequence[float] = (-1.0, 1.0)) -> np.ndarray:
    """Maps 0..255 to float32 in `value_range`; the inverse of `to_uint8`.

    Args:
        images: uint8 array, any shape.
        value_range: pair (low, high) that stands for black and white.

    Returns:
        float32 array of the same shape.
    """
    low, high = value_range
    return np.asarray(images, np.float32) * np.float32((high - low) / 255.0) + np.float32(low)


def over(images: np.ndarray, colour: npt.ArrayLike = (255, 255, 255)) -> np.ndarray:
    """Lays RGBA images over a colour.

    Args:
        images: uint8 array (..., 4), alpha not premultiplied.
        colour: (R, G, B), 0..255; white unless another is asked for. Or an array that fits
            images (..., 3), such as a ground of the same size.

    Returns:
        uint8 array (..., 3), rounded to the nearest level.
    """
    alpha = images[..., 3:] / np.float32(255.0)
    mixed = images[..., :3] * alpha + np.asarray(colour, np.float32) * (1 - alpha)
    return np.rint(mixed).astype(np.uint8)


def as_pictures(images: np.ndarray) -> np.ndarray:
    """Images as they can be shown.

    Args:
        images: array (N, H, W, C).

    Returns:
        The same of 1, 3 or 4 channels; of others each channel as grey, side by side, the first
        on the left: (N, H, C * W, 1).
    """
    if images.shape[-1] in PICTURES:
        return images
    count, height, width, channels = images.shape
    return np.moveaxis(images, 3, 2).reshape(count, height, channels * width, 1)


def grid(
    images: npt.ArrayLike, columns: int | None = None, padding: int = PADDING, background: int = 255
) -> np.ndarray:
    """Tiles a batch of images, as `as_pictures` shows them, into one, row by row.

    Args:
        images: uint8 array (N, H, W, C), C from 1 to 8.
        columns: images per row; when None, the smallest number that makes a near-square.
        padding: pixels between and around the images.
        background: grey level 0..255 of the padding and of empty cells; among RGBA images
            these are transparent.

    Returns:
        uint8 array (rows * (H + padding) + padding, columns * (W + padding) + padding, C).

    Raises:
        InputError: `images` is not a non-empty uint8 batch of images of 1 to 8 channels.
    """
    images = np.asarray(images)
    if (
        images.dtype != np.uint8
        or images.ndim != 4
        or not 1 <= images.shape[-1] <= MOST_CHANNELS
        or not len(images)
    ):
        raise InputError(
            f"A grid needs uint8 images (N, H, W, C) with C from 1 to {MOST_CHANNELS} and N at "
            f"least 1. Received: {images.dtype} {images.shape}"
        )
    images = as_pictures(images)
    count, height, width, channels = images.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    sheet = np.full(
        (rows * (height + padding) + padding, columns * (width + padding) + padding, channels),
        background,
        np.uint8,
    )
    if channels == ALPHA:
        sheet[..., 3] = 0
    for index, image in enumerate(images):
        top = padding + index // columns * (height + padding)
        left = padding + index % columns * (width + padding)
        sheet[top : top + height, left : left + width] = image
    return sheet


def repeat_pixels(images: np.ndarray, times: int) -> np.ndarray:
    """uint8 images (..., H * times, W * times, C) of (..., H, W, C): each pixel is repeated."""
    return images if times == 1 else images.repeat(times, axis=-3).repeat(times, axis=-2)


def as_shown(sheet: np.ndarray) -> Image.Image:
    """A sheet as a notebook shows it, each pixel a square where it is small.

    Args:
        sheet: uint8 array (H, W, C), C 1, 3 or 4.

    Returns:
        A Pillow image, of at most `SHOWN_SIDE` pixels a side unless the sheet has more.
    """
    return to_pil(repeat_pixels(sheet, max(1, SHOWN_SIDE // max(sheet.shape[:2]))))


def show(images: npt.ArrayLike, columns: int | None = None) -> None:
    """Shows images below the running cell of a notebook, in a grid.

    Args:
        images: uint8 array (N, H, W, C), or (H, W, C) of one image; C from 1 to 8.
        columns: images per row, as for `grid`.

    Raises:
        InputError: this is no notebook, or they are no such images.
    """
    notebooks.check_running("kgan.images.save_png(path, kgan.images.grid(images)) writes them")
    images = np.asarray(images)
    notebooks.display(as_shown(grid(images[None] if images.ndim == 3 else images, columns)))


def pairs(
    above: np.ndarray, below: np.ndarray, columns: int = 8, padding: int = PADDING
) -> np.ndarray:
    """A sheet that shows each image of one batch above its counterpart in another.

    Args:
        above, below: uint8 arrays (N, H, W, C) of the same shape.
        columns: images per row.
        padding: pixels between and around the images.

    Returns:
        uint8 array (H', W', C), rows of `above` and `below` in turn.
    """
    rows = []
    for start in range(0, len(above), columns):
        for batch in (above, below):
            row = batch[start : start + columns]
            filler = np.full((columns - len(row), *row.shape[1:]), 255, np.uint8)
            if row.shape[-1] == ALPHA:
                filler[..., 3] = 0
            rows.append(np.concatenate([row, filler]))
    return grid(np.concatenate(rows), columns=columns, padding=padding)


def to_pil(image: npt.ArrayLike) -> Image.Image:
    """A uint8 array (H, W, C), C 1, 3 or 4, as a Pillow image in mode L, RGB or RGBA."""
    image = np.asarray(image)
    return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)


def check_savable(path: str | os.PathLike[str]) -> str:
    """The Pillow format that a path's suffix stands for.

    Raises:
        InputError: Pillow writes no such format.
    """
    suffix = Path(path).suffix.lower()
    format = Image.registered_extensions().get(suffix)
    if format is None or format not in Image.SAVE:
        raise InputError(
            "A picture's suffix names a format that Pillow writes, such as .png, .jpg, .webp or "
            f".tif; .npy is for images that are no pictures. Received: {path}"
        )
    return format


def save_image(path: str | os.PathLike[str], image: npt.ArrayLike, *, drawn: bool = False) -> Path:
    """Writes one image in the format of the path's suffix, whole or not at all.

    Args:
        path: file to write, of any format of Pillow's; its folder is created when missing.
        image: uint8 array (H, W, C), C 1, 3 or 4; transparent ones over white where the format
            is not one of `TRANSPARENT`.
        drawn: as for `save_png`, where the format can hold it.

    Returns:
        The path written, a `pathlib.Path`.

    Raises:
        InputError: Pillow writes no such format, or cannot write such an image in it.
    """
    format = check_savable(path)
    if format == "PNG":
        return save_png(path, image, drawn=drawn)
    image = np.asarray(image)
    if image.shape[-1] == ALPHA and format not in TRANSPARENT:
        image = over(image)
    height, width = image.shape[:2]
    if format == "ICNS" or (format == "ICO" and max(height, width) > LARGEST_ICON):
        raise InputError(
            f"An icon holds pictures of sizes of its own (.ico up to {LARGEST_ICON} pixels a side, "
            f".icns other ones than this). Received: {width}x{height} for {path}"
        )
    of_format = {"sizes": [(width, height)]} if format == "ICO" else {}
    with whole_file(path) as temporary:
        try:
            # Of formats that lose something, the settings lose little; others ignore them.
            to_pil(image).save(
                temporary,
                format,
                exif=_drawn() if drawn else b"",
                quality=95,
                lossless=True,
                exact=True,  # WebP: colours where nothing is seen, too
                **of_format,
            )
        except (ValueError, KeyError) as error:
            raise InputError(
                f"Pillow cannot write this picture as {format} ({error}). Received: {path}"
            ) from error
    return Path(path)


def save_png(path: str | os.PathLike[str], image: npt.ArrayLike, *, drawn: bool = False) -> Path:
    """Writes one image as PNG, whole or not at all.

    Args:
        path: file to write; its folder is created when missing.
        image: uint8 array (H, W, C), C 1, 3 or 4.
        drawn: note in it that a model drew it: training leaves it out among others.

    Returns:
        The path written, a `pathlib.Path`.
    """
    with whole_file(path) as temporary:
        temporary.write_bytes(png_bytes(image, drawn=drawn))
    return Path(path)


def png_bytes(image: npt.ArrayLike, *, drawn: bool = False) -> bytes:
    """The PNG file that `save_png` writes of an image.

    Args:
        image: uint8 array (H, W, C), C 1, 3 or 4.
        drawn: as for `save_png`.
    """
    file = io.BytesIO()
    to_pil(image).save(file, format="PNG", exif=_drawn() if drawn else b"")
    return file.getvalue()


def save_named(
    directory: str | os.PathLike[str], stem: str, image: np.ndarray, *, drawn: bool = False
) -> Path:
    """Writes one image as it is, whole or not at all.

    Args:
        directory: its folder, created when missing.
        stem: the file's name without a suffix, or a path below the folder.
        image: uint8 array (H, W, C).
        drawn: as for `save_png`.

    Returns:
        The path written: a .png of 1, 3 or 4 channels, an .npy of others, which are no picture.
    """
    if image.shape[-1] in PICTURES:
        return save_png(Path(directory) / f"{stem}.png", image, drawn=drawn)
    return save_array(Path(directory) / f"{stem}.npy", image)


def save_array(path: str | os.PathLike[str], array: np.ndarray) -> Path:
    """Writes an array as .npy, whole or not at all; its folder is created when missing."""
    with whole_file(path) as temporary, temporary.open("wb") as file:
        np.save(file, array, allow_pickle=False)
    return Path(path)


def save_animation(
    path: str | os.PathLike[str],
    frames: Iterable[npt.ArrayLike],
    milliseconds: int = 60,
    *,
    quality: int | None = None,
    drawn: bool = False,
) -> Path:
    """Writes an endless WebP animation, whole or not at all.

    Args:
        path: the .webp file to write; its folder is created when missing.
        frames: iterable of uint8 arrays (H, W, C), C 1, 3 or 4, of one shape, at least one.
        milliseconds: how long each frame is shown.
        quality: 0 to 100 of an encoding that loses something; None for one without loss.
        drawn: as for `save_png`.

    Returns:
        The path written, a `pathlib.Path`.
    """
    pictures = map(to_pil, frames)
    first, *rest = (one if one.mode == "RGBA" else one.convert("RGB") for one in pictures)
    with whole_file(path) as temporary:
        first.save(
            temporary,
            format="WEBP",
            save_all=True,
            append_images=rest,
            duration=milliseconds,
            loop=0,
            lossless=quality is None,
            quality=80 if quality is None else quality,
            exact=True,  # colours where nothing is seen, too
            # Identical neighbours are not merged, so that frame i of the file is frame i.
            minimize_size=False,
            exif=_drawn() if drawn else b"",
        )
    return Path(path)


def _drawn() -> Image.Exif:
    exif = Image.Exif()
    exif[SOFTWARE] = DRAWN
    return exif


def is_drawn(image: Image.Image) -> bool:
    """Whether a model drew an image, as `save_png` notes it.

    Args:
        image: Pillow image, just opened.
    """
    try:
        # getexif by itself would decode a PNG to look for it at its end.
        return "exif" in image.info and image.getexif().get(SOFTWARE) == DRAWN
    except Exception:  # damaged; decoding will show whether the image can be used
        return False
