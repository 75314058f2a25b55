"""Decodes images of every common format to uint8 arrays of one shape, with Pillow."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import IO, Literal, cast

import numpy as np
from PIL import Image, ImageOps

from kgan import memory
from kgan.channels import ALPHA, MOST_CHANNELS, PICTURES, PICTURES_IN_WORDS
from kgan.data import image_formats
from kgan.data.fit_values import fit_values
from kgan.data.pixels_in_flight import PixelsInFlight
from kgan.errors import InputError

FITS = ("crop", "pad")
IN_FLIGHT = PixelsInFlight()

Fit = Literal["crop", "pad"]
Shape = tuple[int, int, int]  # (H, W, C)
Colour = tuple[int, int, int]  # (R, G, B)
WHITE: Colour = (255, 255, 255)


def check_shape(image_shape: object) -> Shape:
    """Returns `image_shape` as a tuple of three ints.

    Raises:
        InputError: it is not (H, W, C) with H and W above 0 and C from 1 to 8, or one such image
            does not fit into memory.
    """
    if (
        not isinstance(image_shape, (tuple, list))
        or len(image_shape) != 3
        or not all(isinstance(side, (int, np.integer)) and side > 0 for side in image_shape)
        or image_shape[2] > MOST_CHANNELS
    ):
        raise InputError(
            "image_shape must be (height, width, channels), whole numbers above 0, channels from 1 "
            f"to {MOST_CHANNELS}. Received: {image_shape!r}"
        )
    height, width, channels = map(int, image_shape)
    memory.check("One picture", height * width * channels, "a smaller size", f"{height}x{width}")
    return height, width, channels


def check_picture(shape: Shape, background: Colour) -> Shape:
    """Returns the shape of images that come from encoded pictures.

    Args:
        shape: as `check_shape` returns it.
        background: as `check_background` returns it.

    Raises:
        InputError: such pictures have other channels, or transparency is to be kept and a
            background was asked for.
    """
    if shape[2] not in PICTURES:
        raise InputError(
            f"Picture files have {PICTURES_IN_WORDS} channels; others come from .npy and .npz. "
            f"Received: {'x'.join(map(str, shape))}"
        )
    check_kept_alpha(shape, background)
    return shape


def check_kept_alpha(shape: Shape, background: Colour) -> None:
    """Raises an InputError where transparency is to be kept and a background was asked for."""
    if shape[2] == ALPHA and background != WHITE:
        raise InputError(
            "A background fills what is transparent, and 4 channels keep it: give one of them. "
            f"Received: {','.join(map(str, background))} and {'x'.join(map(str, shape))}"
        )


def check_background(background: object) -> Colour:
    """Returns `background` as a tuple of three ints.

    Raises:
        InputError: it is not (R, G, B), each 0..255.
    """
    if (
        not isinstance(background, (tuple, list))
        or len(background) != 3
        or not all(isinstance(c, (int, np.integer)) and 0 <= c <= 255 for c in background)
    ):
        raise InputError(
            "background must be (red, green, blue), whole numbers from 0 to 255. "
            f"Received: {background!r}"
        )
    red, green, blue = map(int, background)
    return red, green, blue


def check_fit(fit: object) -> Fit:
    """Returns `fit`.

    Raises:
        InputError: it is neither "crop" nor "pad".
    """
    if fit not in FITS:
        raise InputError(f"fit must be one of {', '.join(FITS)}. Received: {fit!r}")
    return cast(Fit, fit)


def decode(
    file: str | os.PathLike[str] | IO[bytes],
    image_shape: Shape,
    fit: Fit,
    background: Sequence[int],
) -> np.ndarray:
    """Decodes one image: its first frame, upright and fitted, opaque unless C is 4.

    Args:
        file: a path or a binary file.
        image_shape: (H, W, C) to fit it to.
        fit, background: as for `fit_image`.

    Returns:
        uint8 array (H, W, C).

    Raises:
        Exception: whatever Pillow raises for an image that it cannot read; it has
            no single class for that. A ValueError for one that is wholly transparent, C being 4.
    """
    with Image.open(file, formats=image_formats.names()) as image:
        # JPEG can be decoded at a half, a quarter or an eighth; twice the target leaves
        # enough for the resampling, and both sides because Exif may still rotate the image.
        side = 2 * max(image_shape[:2])
        image.draft(None, (side, side))
        pixels = image.width * image.height + math.prod(image_shape[:2])
        with IN_FLIGHT.holding(pixels):
            ImageOps.exif_transpose(image, in_place=True)  # else a copy of the image
            fitted = fit_image(image, image_shape, fit, background)
    if image_shape[2] == ALPHA and not fitted[..., 3].any():
        raise ValueError("wholly transparent, there is nothing to see")
    return fitted


def fit_image(
    image: Image.Image, image_shape: Shape, fit: Fit, background: Sequence[int]
) -> np.ndarray:
    """Converts a Pillow image of any mode and size to an array of one shape.

    Args:
        image: Pillow image.
        image_shape: (H, W, C), C 1 for luma, 3 for RGB or 4 for RGBA.
        fit: "crop" scales to cover and crops the middle, "pad" scales to fit
            inside and fills the rest with the background, of RGBA with nothing. Bicubic, with
            antialiasing; of RGBA as `kgan.data.fit_values` does it.
        background: (R, G, B), 0..255, also under what is transparent unless C is 4.

    Returns:
        uint8 array (H, W, C).
    """
    height, width, channels = image_shape
    if channels == ALPHA:
        levels = _rgba(image, (width, height))
        return fit_values(levels, (0.0, 255.0), image_shape, fit, background)
    image, mode = _opaque(image, background), "L" if channels == 1 else "RGB"
    image = image if image.mode == mode else image.convert(mode)
    if image.size != (width, height):
        if fit == "crop":
            image = ImageOps.fit(image, (width, height), Image.Resampling.BICUBIC)
        else:
            colour = Image.new("RGB", (1, 1), tuple(background)).convert(image.mode)
            # Always a level or a tuple of them in these two modes.
            level = cast("int | tuple[int, ...]", colour.getpixel((0, 0)))
            image = ImageOps.pad(image, (width, height), Image.Resampling.BICUBIC, color=level)
    return np.asarray(image).reshape(image_shape)


def _rgba(image: Image.Image, size: tuple[int, int]) -> np.ndarray:
    """A picture as uint8 (H, W, 4), on each side less than four times the (width, height)."""
    if image.has_transparency_data and not image.mode.startswith("I"):
        image = image.convert("RGBA")
    else:  # by RGB: Pillow makes no alpha of CMYK
        image = _opaque(image, WHITE).convert("RGB").convert("RGBA")
    step = min(image.width // (2 * size[0]), image.height // (2 * size[1]))
    return np.asarray(image.reduce(step) if step > 1 else image)  # premultiplied, by its mean


def _opaque(image: Image.Image, background: Sequence[int]) -> Image.Image:
    if image.mode.startswith("I"):  # 16-bit grey, which Pillow itself would clip at 255
        return Image.fromarray(np.rint(np.asarray(image) / 257.0).astype(np.uint8))
    if image.has_transparency_data:
        canvas = Image.new("RGBA", image.size, (*background, 255))
        return Image.alpha_composite(canvas, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB") if image.mode == "P" else image
