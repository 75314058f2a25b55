"""`Board`: what callbacks write for TensorBoard, one event file per directory."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

# Directory -> its writer, closed with its last board.
_WRITERS: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()


class Board:
    """A TensorBoard log, opened when something is first written; steps are the model's own.

    Args:
        directory: where the events go; None writes nothing.
    """

    def __init__(self, directory: str | os.PathLike[str] | None) -> None:
        self.directory = None if directory is None else Path(directory)
        self._writer: Any = None

    def scalars(self, step: int, figures: Mapping[str, float]) -> None:
        """Writes numbers, a dict of name -> float."""

        def write() -> None:
            for name, value in figures.items():
                tf.summary.scalar(name, float(value))

        self._write(step, write)

    def text(self, step: int, name: str, words: str) -> None:
        """Writes Markdown text."""
        self._write(step, lambda: tf.summary.text(name, words))

    def image(self, step: int, name: str, image: np.ndarray) -> None:
        """Writes one image, a uint8 array (H, W, C), C 1 or 3."""
        self._write(step, lambda: tf.summary.image(name, image[None]))

    def _write(self, step: int, write: Callable[[], object]) -> None:
        if self.directory is None:
            return
        if self._writer is None:
            key = str(self.directory.resolve())
            writer = _WRITERS.get(key) or tf.summary.create_file_writer(key)
            self._writer = _WRITERS[key] = writer
        with self._writer.as_default(step=int(step)):
            write()
        self._writer.flush()  # so that a TensorBoard already open shows it now
