"""`Curves`: a model's own figures in TensorBoard."""

import keras

from kgan.callbacks.board import Board
from kgan.callbacks.every_steps import EverySteps, as_number


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
