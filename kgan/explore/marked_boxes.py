"""Boxes that a person drew around an object in generated images, as JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kgan.errors import InputError
from kgan.files import printable
from kgan.latents import check_seed
from kgan.reading import read_text

FORM = '{"image_shape": [H, W], "boxes": {"SEED": [[left, top, right, bottom], ...], ...}}'


class MarkedBoxes(NamedTuple):
    """Boxes by the seed of the image that they are in.

    Attributes:
        size: (H, W) of the images.
        boxes: seed -> boxes (left, top, right, bottom) in pixels, right and bottom excluded; of
            an image that does not have the object, none.
    """

    size: tuple[int, int]
    boxes: Mapping[int, Sequence[tuple[float, float, float, float]]]

    def seeds(self, with_object: bool) -> list[int]:
        """The seeds of images that have the object, or of those that do not."""
        return [seed for seed, boxes in self.boxes.items() if bool(boxes) == with_object]

    def inside(self, seed: int, size: tuple[int, int]) -> np.ndarray:
        """Which places of a map lie in a box, by their middles; bool (H, W) of the map's size."""
        height, width = size
        rows = (np.arange(height) + 0.5) * self.size[0] / height
        columns = (np.arange(width) + 0.5) * self.size[1] / width
        mask = np.zeros(size, bool)
        for left, top, right, bottom in self.boxes[seed]:
            in_rows = (top <= rows) & (rows < bottom)
            mask |= in_rows[:, None] & ((left <= columns) & (columns < right))
        return mask


def read_boxes(path: str | os.PathLike[str], image_shape: Sequence[int]) -> MarkedBoxes:
    """Reads boxes as the page of `kgan explore forget --mark` saves them.

    Args:
        path: the .json file.
        image_shape: (H, W, C) of the model's images.

    Raises:
        InputError: nothing there, another form, or boxes of images of another size.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"No such file of boxes. Received: {path}")
    try:
        found = json.loads(read_text(path, "utf-8-sig"))
        size = tuple(int(side) for side in found["image_shape"][:2])
        boxes = {check_seed(int(seed)): _boxes(each) for seed, each in found["boxes"].items()}
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise InputError(
            f"Boxes are JSON of the form {FORM}. Received: {printable(path)}"
        ) from error
    if size != tuple(image_shape[:2]):
        raise InputError(
            f"These boxes are of images of {'x'.join(map(str, size))}, the model's are of "
            f"{image_shape[0]}x{image_shape[1]}. Received: {printable(path)}"
        )
    return MarkedBoxes((size[0], size[1]), boxes)


def _boxes(found: Any) -> list[tuple[float, float, float, float]]:
    boxes = []
    for box in found:
        left, top, right, bottom = map(float, box)
        if not (left < right and top < bottom):
            raise ValueError
        boxes.append((left, top, right, bottom))
    return boxes
