"""A user's own pictures as a model sees them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np

from kgan.data import open_source
from kgan.data.choosing import pick
from kgan.data.decode import Shape, decode
from kgan.data.image_formats import suffixes
from kgan.errors import InputError
from kgan.files import first_line, printable

MOST = 1000  # of one folder or array file
WHITE = (255, 255, 255)


class OwnPictures(NamedTuple):
    """Pictures and what they are called.

    Attributes:
        images: uint8 array (N, H, W, C).
        names: one for each.
    """

    images: np.ndarray
    names: list[str]


def own_pictures(
    paths: Sequence[str | os.PathLike[str]], image_shape: Sequence[int], most: int = MOST
) -> OwnPictures:
    """Reads pictures, fitted to a shape by a crop of the middle.

    Args:
        paths: picture files, or what `kgan.data.open_source` takes.
        image_shape: (H, W, C).
        most: pictures of each folder or array file; later ones are left out.

    Raises:
        InputError: nothing there, or a picture that cannot be read.
    """
    images: list[np.ndarray] = []
    names: list[str] = []
    for path in paths:
        if Path(path).is_file() and Path(path).suffix.lower() in suffixes():
            images.append(_read(path, cast(Shape, tuple(image_shape)))[None])
            names.append(Path(path).name)
            continue
        source = open_source(path, image_shape=tuple(image_shape))
        read, _ = pick(source, np.arange(min(most, source.usable)))
        images.append(read)
        names += [source.name(index) for index in range(len(read))]
    if not images:
        raise InputError("There must be pictures. Received: none")
    return OwnPictures(np.concatenate(images), names)


def _read(path: str | os.PathLike[str], image_shape: Shape) -> np.ndarray:
    try:
        return decode(path, image_shape, "crop", WHITE)
    except Exception as error:  # Pillow has no single class for a damaged file
        raise InputError(
            f"A picture that cannot be read ({first_line(error)}). Received: {printable(path)}"
        ) from error
