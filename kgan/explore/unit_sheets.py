"""How the units of a layer are drawn: a row each, with frames where they look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from kgan.explore.picture import beside, captioned, in_colour, stacked
from kgan.explore.receptive_field import Box

SIDE = 64  # pixels of a cell, at least
GAP = 4
FRAME = (230, 30, 30)
BETWEEN = 24  # pixels between the network and its untrained twin


class Row(NamedTuple):
    """One unit's pictures.

    Attributes:
        images: uint8 (k, H, W, C), the strongest first.
        boxes: what of each is marked.
        crops: k uint8 arrays, what was seen.
        gradients: k uint8 arrays of the same places; empty for none.
        made: uint8 (H, W, C), made for the unit.
        made_crop: uint8 array, what the unit sees of it; None where that is all.
    """

    images: np.ndarray
    boxes: Sequence[Box]
    crops: Sequence[np.ndarray]
    gradients: Sequence[np.ndarray]
    made: np.ndarray
    made_crop: np.ndarray | None = None


def cut(image: np.ndarray, box: Box) -> np.ndarray:
    """The pixels of a box in an image (H, W, C)."""
    return image[box.top : box.bottom, box.left : box.right]


def drawn_gradients(gradients: np.ndarray) -> np.ndarray:
    """Gradients (N, H, W, C) as uint8 images, each by its own largest; grey is 0.

    Of RGBA images those of the colours: what alpha did would be seen as transparency.
    """
    gradients = gradients[..., :3]
    largest = np.abs(gradients).max((1, 2, 3), keepdims=True)
    scaled = gradients / np.where(largest > 0, largest, 1)
    return np.rint(127.5 + 127.5 * scaled).astype(np.uint8)


def unit_sheet(rows: Sequence[tuple[str, Row, Row | None]], names: tuple[str, str]) -> np.ndarray:
    """A sheet of units, each with its untrained twin's row at the right, where there is one.

    A row has the images with their boxes above; below, what was seen, above its gradient.

    Args:
        rows: (title, row, the twin's) of each unit.
        names: titles of the two halves.

    Returns:
        uint8 array (H, W, 3).
    """
    shape = rows[0][1].images.shape[1:3]
    times = max(1, -(-SIDE // min(shape)))
    cell = shape[0] * times, shape[1] * times
    parts = []
    for title, ours, twins in rows:
        halves = [captioned(f"{title}: {names[0]}", _half(ours, cell, times))]
        if twins is not None:
            halves.append(captioned(f"{title}: {names[1]}", _half(twins, cell, times)))
        parts.append(beside(halves, BETWEEN))
    return stacked(parts)


def _half(row: Row, cell: tuple[int, int], times: int) -> np.ndarray:
    lines = 3 if row.gradients else 2
    height, width = cell[0] + GAP, cell[1] + GAP
    shape = (lines * height + GAP, (len(row.images) + 1) * width + GAP, 3)
    canvas = np.full(shape, 255, np.uint8)

    def put(line: int, column: int, image: np.ndarray) -> None:
        top, left = line * height, GAP + column * width
        canvas[top : top + image.shape[0], left : left + image.shape[1]] = image

    for column, (image, box) in enumerate(zip(row.images, row.boxes, strict=True)):
        put(0, column, _framed(_times(image, times), Box(*(times * side for side in box))))
        put(1, column, _fitted(row.crops[column], cell))
        if row.gradients:
            put(2, column, _fitted(row.gradients[column], cell))
    put(0, len(row.images), _times(row.made, times))
    if row.made_crop is not None:
        put(1, len(row.images), _fitted(row.made_crop, cell))
    return canvas


def _times(image: np.ndarray, times: int) -> np.ndarray:
    return in_colour(image.repeat(times, 0).repeat(times, 1))


def _fitted(image: np.ndarray, cell: tuple[int, int]) -> np.ndarray:
    """A crop as large as fits into a cell, each pixel repeated as often; none stays none."""
    if not image.size:
        return in_colour(image)
    times = max(1, min(cell[0] // image.shape[0], cell[1] // image.shape[1]))
    return _times(image, times)[: cell[0], : cell[1]]


def _framed(image: np.ndarray, box: Box) -> np.ndarray:
    if box.bottom == box.top:
        return image
    framed = Image.fromarray(image)
    edges = (box.left, box.top, box.right - 1, box.bottom - 1)
    ImageDraw.Draw(framed).rectangle(edges, outline=FRAME, width=2)
    return np.asarray(framed)
