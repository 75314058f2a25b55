"""Callbacks that follow a fit step by step, and those that act at regular intervals."""

from __future__ import annotations

import math
import numbers
import time
from typing import Any, ClassVar, Self, TypeAlias

import keras

from kgan.errors import InputError
from kgan.models.networks import check_positive

Logs: TypeAlias = dict[str, Any] | None  # the figures Keras hands to a callback
FIRST, LONGEST = 10.0, 300.0  # seconds of an interval that grows
COST = 0.05  # of the time of a training, at most


class StepCallback(keras.callbacks.Callback):
    """Counts the training steps that this `fit` has taken, whatever steps_per_execution is."""

    steps_taken: int = 0

    def on_train_begin(self, logs: Logs = None) -> None:
        self.steps_taken = 0

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._last_batch = -1

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self.steps_taken += batch - self._last_batch
        self._last_batch = batch


def as_number(variable: Any) -> float:
    """A variable's value as a float, under a distribution strategy too, where float() fails."""
    return float(keras.ops.convert_to_numpy(variable))


def is_number(value: Any) -> bool:
    """Whether it is a real number, NaN and infinity included; True and False are not."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


class Interval:
    """So many steps, or so many seconds of wall-clock time; over until it is first restarted.

    Args:
        steps: its length in steps; None where `seconds` counts.
        seconds: its length in seconds.
        longest: of an interval that grows, the seconds that it doubles up to; 0 for one that
            does not.
    """

    def __init__(
        self, steps: int | None = None, seconds: float = 0.0, longest: float = 0.0
    ) -> None:
        self.steps = steps
        self.seconds = self._doubled = seconds
        self.longest = longest
        self.clear()

    def clear(self) -> None:
        """Makes it over, as it is at first."""
        self._began_at_step = self._began_at_time = -math.inf

    def restart(self, steps_taken: int) -> None:
        """Begins it now, after so many steps of the fit."""
        self._began_at_step = steps_taken
        self._began_at_time = time.monotonic()

    def grow(self, taken: float) -> None:
        """Doubles one that grows; the next is longer still where `taken` seconds are a twentieth.

        What takes long, for large images on a slow machine, never takes more of a training; what
        took long once, as the first time does, leaves the later ones alone.
        """
        if self.longest:
            self._doubled = min(2.0 * self._doubled, self.longest)
            self.seconds = max(self._doubled, taken / COST)

    def is_over(self, steps_taken: int) -> bool:
        """Whether it has passed, after so many steps of the fit."""
        if self.steps is not None:
            return steps_taken - self._began_at_step >= self.steps
        return time.monotonic() - self._began_at_time >= self.seconds


class Periodic(StepCallback):
    """Does something at regular intervals, in `act()`: before training, during it and at its end.

    An interval is a number of steps or of minutes; with minutes it acts after the first step that
    ends when they have passed. Under several workers it acts on the chief alone, between two
    steps, so that the workers' clocks need not agree: `act()` may write files and look at the
    model, and must not start anything that the other workers would have to take part in.

    Args:
        every_steps: steps between two acts; None for the class's own `default_every_steps`.
        every_minutes: minutes of wall-clock time between two acts, in place of steps.

    Raises:
        InputError: both intervals at once, `every_steps` below 1, or `every_minutes` not a finite
            number above 0.
    """

    at_begin: ClassVar[bool] = True
    chief_only: ClassVar[bool] = True  # all of them write files
    default_every_steps: ClassVar[int | None] = None

    def __init__(self, every_steps: int | None = None, every_minutes: float | None = None) -> None:
        super().__init__()
        if every_minutes is None:
            every_steps = self.default_every_steps if every_steps is None else every_steps
            check_positive(every_steps=every_steps)
            self._interval = Interval(steps=every_steps)
        else:
            if every_steps is not None:
                raise InputError(
                    "Give either every_steps or every_minutes. Received: "
                    f"every_steps={every_steps!r} and every_minutes={every_minutes!r}"
                )
            if not is_number(every_minutes) or not 0 < every_minutes < math.inf:
                raise InputError(
                    f"every_minutes must be a finite number above 0. Received: {every_minutes!r}"
                )
            self._interval = Interval(seconds=60.0 * every_minutes)
        self.every_steps = every_steps
        self.every_minutes = every_minutes
        self._grows = False

    def act(self) -> None:
        raise NotImplementedError

    def at_growing_intervals(self) -> Self:
        """Has it act 10 seconds after the first step, then after 20 more, 40, up to 5 minutes.

        They are further apart where that is less than twenty times what an act takes.
        """
        self.every_steps, self.every_minutes = None, None
        self._grows = True
        return self

    @property
    def step(self) -> int:
        """Batches that the model has ever seen."""
        return int(as_number(self.model.batches_seen))

    def on_train_begin(self, logs: Logs = None) -> None:
        super().on_train_begin(logs)
        self._acted_at = 0
        if self._grows:  # anew in each fit
            self._interval = Interval(seconds=FIRST, longest=LONGEST)
        if self.at_begin:
            self.act()
        self._interval.restart(0)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self._grows and not self.steps_taken:
            self._interval.restart(0)  # compiling the step is no training
        super().on_train_batch_end(batch, logs)
        if self._interval.is_over(self.steps_taken):
            self._act_now()

    def on_train_end(self, logs: Logs = None) -> None:
        if self.steps_taken > self._acted_at:
            self._act_now()

    def _act_now(self) -> None:
        self._acted_at = self.steps_taken
        began_at = time.monotonic()
        self.act()
        self._interval.grow(time.monotonic() - began_at)
        self._interval.restart(self.steps_taken)
