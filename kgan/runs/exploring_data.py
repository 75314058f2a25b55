"""The images that a model is looked into with: those named, or its run's own."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from kgan.data.choosing import draw_indices, pick
from kgan.errors import InputError
from kgan.runs import build, load
from kgan.runs.directory import read_options
from kgan.runs.options import RunOptions


class RealImages(NamedTuple):
    """Images to look into a model with.

    Attributes:
        images: uint8 (N, H, W, C).
        labels: int32 (N,), -1 without.
        description: what they are, one line.
    """

    images: np.ndarray
    labels: np.ndarray
    description: str


def images_to_explore(
    path: str | os.PathLike[str],
    image_shape: Sequence[int],
    data: str | None,
    count: int | None,
    *,
    labels: bool = False,
    seed: int = 0,
) -> RealImages:
    """Images drawn at random from data, or from what a model's run was trained on.

    Args:
        path: the model.
        image_shape: (H, W, C) that they are fitted to.
        data: what `kgan.data.open_source` takes; None for the run's own.
        count: how many; None for all. Where there are not so many, all.
        labels: read their classes too.
        seed: int >= 0, of the choice.

    Raises:
        InputError: no data and no run, data that cannot be read, or none with classes.
    """
    run = load.run_directory(path) if os.path.exists(path) else None
    if run is None and data is None:
        raise InputError(
            "Name the images with --data; only a run knows what it was trained on. "
            f"Received: {path}"
        )
    options = RunOptions() if run is None else read_options(run)
    if data is not None:
        options = dataclasses.replace(
            options, data=data, split=None, manual_dir=None, download_dir=None
        )
    shape = tuple(image_shape)
    source = build.open_source(dataclasses.replace(options, size=shape, conditional=labels))
    if labels and source.class_names is None:
        raise InputError(
            "These pictures have no classes: they come from two or more subfolders, from "
            "`labels` or `y_train` beside an array, or from a TFDS `label`. "
            f"Received: {source.description}"
        )
    chosen = draw_indices(source, source.usable if count is None else count, seed)
    images, classes = pick(source, chosen)
    return RealImages(images, classes, source.description)
