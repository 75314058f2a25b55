"""`Board`: what callbacks write for TensorBoard, one event file a directory."""

import weakref
from pathlib import Path

import tensorflow as tf

_WRITERS = weakref.WeakValueDictionary()  # directory -> its writer, closed with its last board


class Board:
    """A TensorBoard log, opened when something is first written; steps are the model's own.

    Args:
        directory: where the events go; None writes nothing.
    """

    def __init__(self, directory):
        self.directory = None if directory is None else Path(directory)
        self._writer = None

    def scalars(self, step, figures):
        """Writes numbers, a dict of name -> float."""

        def write():
            for name, value in figures.items():
                tf.summary.scalar(name, float(value))

        self._write(step, write)

    def text(self, step, name, words):
        """Writes words, Markdown."""
        self._write(step, lambda: tf.summary.text(name, words))

    def picture(self, step, name, picture):
        """Writes one picture, a uint8 array (H, W, C), C 1 or 3."""
        self._write(step, lambda: tf.summary.image(name, picture[None]))

    def _write(self, step, write):
        if self.directory is None:
            return
        if self._writer is None:
            key = str(self.directory.resolve())
            writer = _WRITERS.get(key) or tf.summary.create_file_writer(key)
            self._writer = _WRITERS[key] = writer
        with self._writer.as_default(step=int(step)):
            write()
        self._writer.flush()  # whoever looks on sees it now
