"""The images that a model is looked into with: those named, or its run's own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from kgan.attributes import Attributes
from kgan.data import Source
from kgan.data.choosing import draw_indices, pick
from kgan.errors import InputError
from kgan.explore.subject import Subject
from kgan.runs import quality
from kgan.runs.directory import read_options
from kgan.runs.evaluating import data_for
from kgan.runs.exploring import run_of


class RealImages(NamedTuple):
    """Images to look into a model with.

    Attributes:
        images: uint8 (N, H, W, C).
        labels: int (N,), or float32 (N, k) of attributes; None without.
        class_names: of classes a name for each label; None for others.
        data: what they are of, in words.
    """

    images: np.ndarray
    labels: np.ndarray | None
    class_names: Sequence[str] | None
    data: str


def unlabelled_images(
    path: str | os.PathLike[str],
    image_shape: Sequence[int],
    data: str | None,
    count: int,
    seed: int = 0,
) -> np.ndarray:
    """Images drawn at random from data, or from what a model's run was trained on.

    Args:
        path: the model.
        image_shape: (H, W, C) that they are fitted to.
        data: what `kgan.data.open_source` takes; None for the run's own.
        count: how many; where there are not so many, all.
        seed: int >= 0, of the choice.

    Returns:
        uint8 (N, H, W, C).

    Raises:
        InputError: no data and no run, or data that cannot be read.
    """
    return _chosen(path, image_shape, data, count, seed)[0].images


def labelled_images(
    path: str | os.PathLike[str], image_shape: Sequence[int], data: str | None, seed: int = 0
) -> RealImages:
    """All images of data, in a random order, and their classes.

    Args:
        path, image_shape, data, seed: as for `unlabelled_images`.

    Raises:
        InputError: as for `unlabelled_images`, or images without classes.
    """
    found, source = _chosen(path, image_shape, data, None, seed, labels=True)
    if source.class_names is None:
        raise InputError(
            "These pictures have no classes: they come from two or more subfolders, from "
            "`labels` or `y_train` beside an array, or from a TFDS `label`. "
            f"Received: {source.description}"
        )
    return found


def real_images(
    path: str | os.PathLike[str], subject: Subject, data: str | None, count: int, seed: int = 0
) -> RealImages:
    """Images as a model judges them, of those that its run held out where it did so.

    Args:
        path, data, count, seed: as for `unlabelled_images`.
        subject: as opened from there.

    Returns:
        The images, with labels by the model's own numbers or attributes.

    Raises:
        InputError: as for `unlabelled_images`, or labels that the model does not know.
    """
    labels = subject.condition is not None
    found, source = _chosen(
        path, subject.image_shape, data, count, seed, labels=labels, held_out=True
    )
    known: Sequence[str] | Attributes | None = subject.attributes
    if subject.num_classes is not None:
        known = subject.class_names or ()
    return found._replace(labels=quality.as_counted(found.labels, source, known))


def _chosen(
    path: str | os.PathLike[str],
    image_shape: Sequence[int],
    data: str | None,
    count: int | None,
    seed: int,
    *,
    labels: bool = False,
    held_out: bool = False,
) -> tuple[RealImages, Source]:
    run = run_of(path) if os.path.exists(path) else None
    options = None if run is None else read_options(run)
    asked = ("the images with --data", path)
    source, options = data_for(options, data, image_shape, labels, asked)
    chosen = draw_indices(source, source.usable, seed)
    held = quality.held_out(source, options) if held_out else np.empty(0, np.int64)
    if len(held):
        chosen = chosen[np.isin(chosen, held)]
    images, found = pick(source, chosen[:count])
    read = RealImages(images, found if labels else None, source.class_names, source.description)
    return read, source
