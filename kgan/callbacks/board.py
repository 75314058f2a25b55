"""`Board`: what callbacks write for TensorBoard, one event file per directory."""

from __future__ import annotations

import collections
import os
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

# A log this large takes half as many points from then on, one twice as large a quarter, and so on:
# a week of a fast training would fill 75 GB, and stays below 16 of these.
HALVED_AT = 16 * 2**20  # bytes

# Directory -> its writer, closed with its last board.
_WRITERS: weakref.WeakValueDictionary[bytes, Any] = weakref.WeakValueDictionary()


class Board:
    """A TensorBoard log, opened when something is first written; steps are the model's own.

    A long log gets points and images at growing intervals; its texts are all written.

    Args:
        directory: where the events go; None writes nothing.
    """

    def __init__(self, directory: str | os.PathLike[str] | None) -> None:
        self.directory = None if directory is None else Path(directory)
        self._writer: Any = None
        self._asked: collections.Counter[str] = collections.Counter()

    def scalars(self, step: int, figures: Mapping[str, float]) -> bool:
        """Writes numbers, a dict of name -> float; returns whether it was their turn."""

        def write() -> None:
            for name, value in figures.items():
                tf.summary.scalar(name, _tensor(value, np.float32))

        due = self._is_due("scalars")
        if due:
            self._write(step, write)
        return due

    def text(self, step: int, name: str, words: str) -> None:
        """Writes Markdown text."""
        self._write(step, lambda: tf.summary.text(name, words))

    def image(self, step: int, name: str, image: np.ndarray) -> None:
        """Writes one image, a uint8 array (H, W, C), C 1, 3 or 4."""
        if self._is_due(name):
            self._write(step, lambda: tf.summary.image(name, image[None]))

    def _is_due(self, kind: str) -> bool:
        """Whether it is the turn of the next of a kind, counted from the first."""
        if self.directory is None:
            return False
        count = self._asked[kind]
        self._asked[kind] += 1
        return count % 2 ** (_size(self.directory) // HALVED_AT) == 0

    def _write(self, step: int, write: Callable[[], object]) -> None:
        if self.directory is None:
            return
        if self._writer is None:
            key = os.fsencode(self.directory.resolve())  # TensorFlow takes text to be UTF-8
            writer = _WRITERS.get(key) or tf.summary.create_file_writer(key)
            self._writer = _WRITERS[key] = writer
        with self._writer.as_default(step=_tensor(step, np.int64)):
            write()
        self._writer.flush()  # so that a TensorBoard already open shows it now


def _tensor(number: float, dtype: Any) -> tf.Tensor:
    """A number as TensorFlow keeps it only as long as it is used: of a Python number, for ever."""
    return tf.constant(np.asarray(number, dtype))


def _size(directory: Path) -> int:
    """Bytes of the files in a directory; 0 where there is none."""
    try:
        with os.scandir(directory) as entries:
            return sum(entry.stat().st_size for entry in entries if entry.is_file())
    except OSError:
        return 0
