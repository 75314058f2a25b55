"""`Series`: one curve of a run, of bounded length however long the run."""

from __future__ import annotations

import bisect
from typing import Any

MOST_POINTS = 2000  # more than a page has pixels
LARGEST = 1e300  # means of larger values could overflow
LAST_STEP = 2**53  # what JavaScript counts exactly


class Series:
    """Values by ascending steps. When there are too many, neighbours become their mean.

    From then on as many come together before they are a point: all points stand for equally many
    values. Whoever follows it asks for what is new since a serial number, any that was
    current when he asked last.

    Attributes:
        stride: values that a point is the mean of.
        last: (step, value) that came last; None before the first.
    """

    def __init__(self) -> None:
        self.stride = 1
        self.last: tuple[int, float] | None = None
        self._steps: list[int] = []
        self._values: list[float] = []
        self._serials: list[int] = []
        self._sum, self._count = 0.0, 0
        self._changed = self._rebuilt = 0

    def add(self, step: int, value: float, serial: int) -> None:
        """Takes a value. One at a step that was already there replaces all from that step on.

        So it is after a training went back to a checkpoint. What is no finite number is left out.

        Args:
            step: batches seen.
            value: the figure.
            serial: higher than that of any point before.
        """
        if not (0 <= step < LAST_STEP and abs(value) < LARGEST):
            return
        if self.last is not None and step <= self.last[0]:
            self._go_back(step, serial)
        self.last, self._changed = (step, value), serial
        self._sum, self._count = self._sum + value, self._count + 1
        if self._count < self.stride:
            return
        self._steps.append(step)
        self._values.append(self._sum / self._count)
        self._serials.append(serial)
        self._sum, self._count = 0.0, 0
        if len(self._steps) >= MOST_POINTS:
            self._halve(serial)

    def clear(self, serial: int) -> None:
        """Forgets all points."""
        self._go_back(0, serial)
        self.stride, self.last = 1, None

    def since(self, serial: int | None) -> dict[str, Any] | None:
        """What is new since a serial number, to be sent as JSON; None where nothing is.

        Args:
            serial: as of the last call; None for everything.

        Returns:
            `points`, a list of [step, value]; `whole`, whether they replace all that were
            sent before or follow them; `stride`; and `last`, [step, value].
        """
        if serial is not None and self._changed <= serial and self._rebuilt <= serial:
            return None
        whole = serial is None or self._rebuilt > serial
        first = 0 if whole or serial is None else bisect.bisect_right(self._serials, serial)
        points = zip(self._steps[first:], self._values[first:], strict=True)
        return {
            "whole": whole,
            "points": [[step, _short(value)] for step, value in points],
            "stride": self.stride,
            "last": None if self.last is None else [self.last[0], _short(self.last[1])],
        }

    def _go_back(self, step: int, serial: int) -> None:
        kept = bisect.bisect_left(self._steps, step)
        for column in (self._steps, self._values, self._serials):
            del column[kept:]
        self._sum, self._count = 0.0, 0
        self._rebuilt = serial

    def _halve(self, serial: int) -> None:
        pairs = zip(self._values[::2], self._values[1::2], strict=True)
        self._values = [(one + other) / 2.0 for one, other in pairs]
        self._steps = self._steps[1::2]
        self._serials = [serial] * len(self._steps)
        self.stride *= 2
        self._rebuilt = serial


def _short(value: float) -> float:
    """A value as exact as a curve shows it; JSON needs a third of the room."""
    return float(f"{value:.6g}")
