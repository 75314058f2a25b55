"""Fits images in floats: of 16 bits, floats, with alpha, or channels that make no picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps

from kgan.channels import ALPHA, PICTURES, PICTURES_IN_WORDS
from kgan.data.transparency import with_mean_colour
from kgan.errors import InputError

if TYPE_CHECKING:
    from kgan.data.decode import Fit, Shape

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R 601-2, as Pillow's mode L
# What is scaled and less opaque is transparent: where bicubic undershoots, its colour is noise.
LEAST_ALPHA = 1 / 64


def check_channels(own: int, wanted: int) -> None:
    """Raises an InputError where images cannot be given another number of channels."""
    if own != wanted and not {own, wanted} <= set(PICTURES):
        raise InputError(
            f"Only images of {PICTURES_IN_WORDS} channels become one another; these keep their "
            f"{own}. Received: {wanted} channels"
        )


def fit_values(
    values: np.ndarray,
    array_range: tuple[float, float],
    image_shape: Shape,
    fit: Fit,
    background: Sequence[int],
) -> np.ndarray:
    """As `kgan.data.decode.fit_image`, in float32 and of any channels.

    Pillow's own way with 8 bits of alpha clips colour and alpha each by itself where bicubic
    overshoots, so that a plain colour becomes lighter at its edge.

    Args:
        values: array (H, W, C), uint8, uint16 or float32.
        array_range: (low, high), what black and white are in it.
        image_shape, fit: as for `fit_image`; each channel is scaled by itself, bicubic and
            antialiased, colours with alpha by how opaque they are (premultiplied).
        background: (R, G, B), 0..255, under what is transparent and around padded images; its
            luma in each of channels that make no picture.

    Returns:
        Array (H, W, C) of the same dtype, within `array_range`. RGBA is not premultiplied;
        wholly transparent pixels have the colour that `with_mean_colour` gives them.
    """
    low, high = array_range
    height, width, channels = image_shape
    colour = np.asarray(background, np.float32) / 255
    unit = _with_channels((values.astype(np.float32) - low) / (high - low), channels, colour)
    if unit.shape[:2] != (height, width):
        around = {3: colour, ALPHA: np.zeros(ALPHA)}.get(channels, np.full(channels, colour @ LUMA))
        if channels == ALPHA:
            unit[..., :3] *= unit[..., 3:]
        unit = np.stack(
            [
                _scaled(np.ascontiguousarray(unit[..., place]), (width, height), fit, float(level))
                for place, level in enumerate(around)
            ],
            axis=-1,
        )
        if channels == ALPHA:
            alpha = np.where(unit[..., 3:] < LEAST_ALPHA, 0, unit[..., 3:])
            unit = np.concatenate([unit[..., :3] / np.maximum(alpha, LEAST_ALPHA), alpha], axis=-1)
    unit = np.clip(unit, 0, 1)
    if channels == ALPHA:
        unit = with_mean_colour(unit)
    fitted = unit * (high - low) + low
    if np.issubdtype(values.dtype, np.integer):
        fitted = np.rint(fitted)
    return fitted.astype(values.dtype)


def _scaled(channel: np.ndarray, size: tuple[int, int], fit: Fit, around: float) -> np.ndarray:
    picture = Image.fromarray(channel)  # in mode F, of float32
    bicubic = Image.Resampling.BICUBIC
    if fit == "crop":
        return np.asarray(ImageOps.fit(picture, size, bicubic))
    level: Any = around  # Pillow's types know no colour of mode F
    return np.asarray(ImageOps.pad(picture, size, bicubic, color=level))


def _with_channels(unit: np.ndarray, channels: int, background: np.ndarray) -> np.ndarray:
    """Images from 0 to 1 with other channels; `check_channels` knows which there can be."""
    if unit.shape[-1] == channels:
        return unit
    if unit.shape[-1] == ALPHA:
        alpha = unit[..., 3:]
        unit = unit[..., :3] * alpha + background * (1 - alpha)
    if channels == 1:
        return unit @ LUMA[:, None]
    unit = np.broadcast_to(unit, (*unit.shape[:2], 3))
    if channels == ALPHA:
        return np.concatenate([unit, np.ones_like(unit[..., :1])], axis=-1)
    return unit
