"""A model's own figures within the epochs, and `Curves` of them in TensorBoard."""

from __future__ import annotations

import os
from typing import ClassVar, TypeAlias

import keras

from kgan.callbacks.board import Board
from kgan.callbacks.periodic import Logs, Periodic, as_number

Sums: TypeAlias = dict[str, tuple[float, float | None]]  # name -> (total, count)


class PeriodicMeans(Periodic):
    """Takes a model's own figures at regular intervals, as means since they were last taken.

    `skipped_updates` is a count instead of a mean. Subclasses do something with them in `take()`.

    Args:
        every_steps: steps between two points; 50 when no interval is given.
        every_minutes: minutes between two points, in place of steps.

    Raises:
        InputError: an interval that `Periodic` refuses.
    """

    at_begin: ClassVar[bool] = False
    default_every_steps: ClassVar[int] = 50

    def take(self, figures: dict[str, float]) -> bool:
        """Takes figures by name; returns whether to begin new means, else these go on."""
        raise NotImplementedError

    def on_train_begin(self, logs: Logs = None) -> None:
        self._before: Sums = {}
        self._ended: Sums = {}
        self._validated = False
        super().on_train_begin(logs)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        super().on_epoch_begin(epoch, logs)
        self._validated = False
        # The metrics have been reset: what they held and was not written yet is carried over.
        self._before = {name: self._since(name, ended, -1) for name, ended in self._ended.items()}

    def on_test_begin(self, logs: Logs = None) -> None:
        # Validation resets the same metrics before Keras calls on_epoch_end.
        self._ended = self._sums()
        self._validated = True

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._ended = self._sums()

    def act(self) -> None:
        sums = self._sums()
        figures: dict[str, float] = {}
        for name, pair in sums.items():
            total, count = self._since(name, pair)
            if count is None:
                figures[name] = total
            elif count > 0:  # else there was none in these steps
                figures[name] = total / count
        if self.take(figures):
            self._before = sums

    def _since(
        self, name: str, now: tuple[float, float | None], sign: int = 1
    ) -> tuple[float, float | None]:
        """(total, count) of a metric since the last point, times `sign`."""
        total, count = now
        total_before, count_before = self._before.get(name, (0.0, 0.0))
        total = sign * (total - total_before)
        return total, None if count is None else sign * (count - (count_before or 0.0))

    def _sums(self) -> Sums:
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


class Curves(PeriodicMeans):
    """TensorBoard curves of a model's own figures within the epochs, as means since the last point.

    `skipped_updates` is a count instead of a mean.

    Args:
        log_dir: directory of the events.
        every_steps: steps between two points; 50 when no interval is given.
        every_minutes: minutes between two points, in place of steps.

    Raises:
        InputError: an interval that `Periodic` refuses.
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str],
        every_steps: int | None = None,
        *,
        every_minutes: float | None = None,
    ) -> None:
        super().__init__(every_steps, every_minutes)
        self.board = Board(log_dir)

    def take(self, figures: dict[str, float]) -> bool:
        return self.board.scalars(self.step, figures)
