"""`Finding`: what an experiment leaves, a picture and its figures; and what pictures share."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from kgan.channels import ALPHA
from kgan.errors import InputError
from kgan.files import printable, whole_file, writing
from kgan.images import as_pictures, over, repeat_pixels, save_animation, save_png
from kgan.json_values import finite
from kgan.reading import read_text

CAPTION_SIZE = 13  # pixels, of the font
CAPTION_HEIGHT = 20
LEAST_SIDE = 64  # pixels on a sheet: below, a person sees nothing
SQUARE, GROUND = 8, (200, 255)  # pixels and greys of what is seen through transparent ones
UNWRITABLE = "Cannot write there"
LARGEST_FIGURES = 2**28  # bytes: of many pictures, and of many units


@dataclasses.dataclass(frozen=True)
class Finding:
    """What an experiment found.

    Attributes:
        picture: uint8 array (H, W, C), C 1 or 3.
        figures: the numbers behind it, a dict that `json.dumps` takes.
        lines: what is to be told of it, for people.
        frames: uint8 arrays (H, W, C) of an animation beside it; empty for none.
        milliseconds: how long each frame is shown.
    """

    picture: np.ndarray
    figures: dict[str, Any]
    lines: tuple[str, ...] = ()
    frames: tuple[np.ndarray, ...] = ()
    milliseconds: int = 60

    def save(self, path: str | os.PathLike[str]) -> list[Path]:
        """Writes the picture, NAME.json of the figures and, of an animation, NAME.webp.

        Args:
            path: NAME.png.

        Returns:
            The paths written, the picture's first.

        Raises:
            InputError: as for `check_place`, or it cannot be written there.
        """
        path = check_place(path)
        written = [path]
        with writing(UNWRITABLE, path):
            written.append(save_figures(path.with_suffix(".json"), self.figures))
            if self.frames:
                webp = path.with_suffix(".webp")
                written.append(save_animation(webp, self.frames, self.milliseconds, drawn=True))
            save_png(path, self.picture, drawn=True)
        return written


def check_place(path: str | os.PathLike[str]) -> Path:
    """Returns the path of a picture, where its figures replace none but an experiment's own.

    Raises:
        InputError: it is no .png file's, or beside it is a NAME.json of something else: boxes
            that were drawn, a run's config.json, directions.
    """
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise InputError(f"The picture is a .png file. Received: {printable(path)}")
    beside = path.with_suffix(".json")
    if os.path.lexists(beside) and not _has_figures(beside):
        raise InputError(
            "The figures would replace a .json file that no experiment wrote: name the picture "
            f"otherwise (-o). Received: {printable(beside)}"
        )
    return path


def _has_figures(path: Path) -> bool:
    try:
        return "experiment" in json.loads(read_text(path, largest=LARGEST_FIGURES))
    except (OSError, ValueError, TypeError, RecursionError, InputError):
        return False


def save_figures(path: Path, figures: dict[str, Any]) -> Path:
    """Writes figures as JSON, whole or not at all; a number that is not finite is null."""
    with whole_file(path) as temporary:
        text = json.dumps(finite(figures), indent=1, allow_nan=False, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")
    return path


def enlarged(images: np.ndarray, least_side: int = LEAST_SIDE) -> np.ndarray:
    """Images to look at, each pixel repeated, the shorter side at least `least_side`.

    Args:
        images: uint8 array (..., H, W, C), C from 1 to 8.
        least_side: in pixels.

    Returns:
        uint8 array of 1 or 3 channels: RGBA images over a chequered ground; of those that are no
        pictures the channels side by side, as `kgan.images.as_pictures` has them.
    """
    height, width, channels = images.shape[-3:]
    large = repeat_pixels(images, max(1, -(-least_side // min(height, width))))
    if channels == ALPHA:
        return in_colour(large)
    shown = as_pictures(large.reshape(-1, *large.shape[-3:]))
    return shown.reshape(*images.shape[:-3], *shown.shape[1:])


def in_colour(images: np.ndarray) -> np.ndarray:
    """uint8 images (..., H, W, 3) of grey, RGB or, over a chequered ground, RGBA ones."""
    if images.shape[-1] == ALPHA:
        down, across = np.indices(images.shape[-3:-1]) // SQUARE
        return over(images, np.where((down + across) % 2, *GROUND)[..., None])
    return np.repeat(images, 3, axis=-1) if images.shape[-1] == 1 else images


def stacked(sheets: Iterable[np.ndarray], background: int = 255) -> np.ndarray:
    """Sheets of any widths under each other, in colour where any is.

    Args:
        sheets: uint8 arrays (H, W, C).
        background: grey level right of the narrower ones.
    """
    parts = list(sheets)
    if any(part.shape[-1] == 3 for part in parts):
        parts = [in_colour(part) for part in parts]
    width = max(part.shape[1] for part in parts)
    wide = [((0, 0), (0, width - part.shape[1]), (0, 0)) for part in parts]
    return np.concatenate(
        [np.pad(p, w, constant_values=background) for p, w in zip(parts, wide, strict=True)]
    )


def beside(sheets: Iterable[np.ndarray], gap: int = 8, background: int = 255) -> np.ndarray:
    """Sheets of any heights next to each other, in colour where any is.

    Args:
        sheets: uint8 arrays (H, W, C).
        gap: pixels between two.
        background: grey level there and below the lower ones.
    """
    turned = [sheet.transpose(1, 0, 2) for sheet in sheets]
    for index in range(len(turned) - 1):
        wide = ((0, gap), (0, 0), (0, 0))
        turned[index] = np.pad(turned[index], wide, constant_values=background)
    return stacked(turned, background).transpose(1, 0, 2)


def text_width(text: str, size: int = CAPTION_SIZE) -> int:
    """Pixels that a line of text is wide."""
    return round(ImageFont.load_default(size).getlength(text))


def captioned(text: str, sheet: np.ndarray) -> np.ndarray:
    """A sheet with a line of text above it, made wide enough for the text.

    Args:
        text: one line.
        sheet: uint8 array (H, W, C).
    """
    width = max(sheet.shape[1], text_width(text) + 6)
    line = Image.new("L", (width, CAPTION_HEIGHT), 255)
    ImageDraw.Draw(line).text((3, 2), text, fill=0, font=ImageFont.load_default(CAPTION_SIZE))
    return stacked([np.asarray(line)[..., None], sheet])
