"""What callbacks write for TensorBoard: one event file a directory, whoever writes there."""

import weakref
from pathlib import Path

import keras
import tensorflow as tf

from kgan.training.progress import EverySteps, as_number

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


class Curves(EverySteps):
    """TensorBoard curves of a model's own figures within the epochs, as means since the last point.

    `skipped_updates` is counted instead.

    Args:
        log_dir: directory of the events.
        every_steps: steps between two points.

    Raises:
        InputError: `every_steps` below 1.
    """

    at_begin = False

    def __init__(self, log_dir, every_steps=50):
        super().__init__(every_steps)
        self.board = Board(log_dir)

    def on_train_begin(self, logs=None):
        self._before = self._ended = {}
        self._validated = False
        super().on_train_begin(logs)

    def on_epoch_begin(self, epoch, logs=None):
        super().on_epoch_begin(epoch, logs)
        self._validated = False
        # The metrics begin anew: what they held and was not written yet is carried over.
        self._before = {name: self._since(name, ended, -1) for name, ended in self._ended.items()}

    def on_test_begin(self, logs=None):
        # Validation begins the same metrics anew, before the epoch is said to end.
        self._ended = self._sums()
        self._validated = True

    def on_epoch_end(self, epoch, logs=None):
        self._ended = self._sums()

    def act(self):
        sums = self._sums()
        figures = {}
        for name, pair in sums.items():
            total, count = self._since(name, pair)
            if count is None:
                figures[name] = total
            elif count > 0:  # else there was none in these steps
                figures[name] = total / count
        self.board.scalars(self.step, figures)
        self._before = sums

    def _since(self, name, pair, sign=1):
        before = self._before.get(name, (0.0, 0.0))
        return tuple(
            None if now is None else sign * (now - then)
            for now, then in zip(pair, before, strict=True)
        )

    def _sums(self):
        """Name -> (total, count) of each metric of the epoch so far; a sum has no count."""
        if self._validated:
            return self._ended
        return {
            metric.name: (
                as_number(metric.total),
                as_number(metric.count) if isinstance(metric, keras.metrics.Mean) else None,
            )
            for metric in self.model.metrics
            if isinstance(metric, (keras.metrics.Mean, keras.metrics.Sum))
        }
