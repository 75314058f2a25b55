"""`ProgressLine`: how far a fit is, in a line that moves and in lines that stay."""

from __future__ import annotations

import contextlib
import math
import time
from typing import Any, TextIO

from kgan.callbacks.periodic import Logs, StepCallback
from kgan.callbacks.stopping import StopAfter
from kgan.metrics.figures import HEADLINE
from kgan.telling import Moving, Teller, who_tells

MOVES, STAYS = 0.2, 60.0  # seconds from one line to the next
LOSSES = {"d_loss": "D", "g_loss": "G", "loss": ""}  # figure -> what it is called after "loss"


class ProgressLine(StepCallback):
    """How far a fit is: step, epoch, time left, images/s, losses, quality where it is measured.

    On a terminal a line at its foot moves, and each minute one stays above it; elsewhere there are
    those that stay alone. A last one comes with the last step, before what the other callbacks do
    at the end.

    Args:
        batch_size: images per step.
        epochs: epochs that this `fit` is to take; None when something else ends it.
        first_epoch: epochs that earlier fits have completed.
        epoch_steps: steps per epoch; None when not known.
        epoch_begun: steps that earlier fits have taken in the epoch that this one continues.
        stop: the `StopAfter` in use, None without one.
        stream: where the lines go; None for stderr, and within `kgan.telling.telling` for
            whoever tells there. Where they cannot be written training goes on.
        steps_done: steps that earlier fits have taken, to be counted in the steps shown (both
            those taken and those in all); 0 counts this fit's alone.
    """

    def __init__(
        self,
        batch_size: int,
        epochs: int | None = None,
        first_epoch: int = 0,
        epoch_steps: int | None = None,
        epoch_begun: int = 0,
        stop: StopAfter | None = None,
        stream: TextIO | None = None,
        *,
        steps_done: int = 0,
    ) -> None:
        super().__init__()
        self.batch_size = batch_size
        self.epochs = epochs
        self.first_epoch = first_epoch
        self.epoch_steps = epoch_steps
        self.epoch_begun = epoch_begun
        self.stop = stop
        self.stream = stream
        self.steps_done = steps_done

    def on_train_begin(self, logs: Logs = None) -> None:
        super().on_train_begin(logs)
        others = who_tells() if self.stream is None else None
        self._teller = others or Teller(self.stream)
        self._is_own = others is None
        self._compiled: Any = None  # the function that the last step ran
        self._compiling = contextlib.ExitStack()
        self._start = self._moved_at = self._stayed_at = self._step_time = time.monotonic()
        self._stayed_step = -1
        self._rate_time: float | None = None
        self._rate_steps = 0
        self._moving = Moving("")
        self._teller.start()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        super().on_epoch_begin(epoch, logs)
        self._epoch = epoch + 1

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        if self.model.train_function is not self._compiled:
            self._teller.terse = False
            self._compiled = self.model.train_function
            self._compiling.enter_context(self._teller.doing("compiling the step"))
            self._teller.follow = lambda: self._moving

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        super().on_train_batch_end(batch, logs)
        now = time.monotonic()
        self._step_time = now
        if self._rate_time is None:
            # The first call compiles; the rate is that of the steps after it.
            self._rate_time, self._rate_steps = now, self.steps_taken
        self._compiling.close()
        self._teller.terse = not self.model.stop_training  # what comes between steps is brief
        if now - self._moved_at >= MOVES or self._moving.words == "":
            self._move(now, logs)
        if now - self._stayed_at >= STAYS and not self.model.stop_training:  # the last one comes
            self._stay(logs)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.model.stop_training or epoch + 1 >= (self.params.get("epochs") or math.inf):
            self._stay(logs)
            self._teller.terse = False

    def on_train_end(self, logs: Logs = None) -> None:
        if self.steps_taken > self._stayed_step:
            self._stay(logs)
        self._teller.follow = None
        self._teller.refresh()
        if self._is_own:
            self._teller.stop()

    def images_per_second(self) -> float:
        """Mean rate since the first step, 0.0 while not known."""
        if self._rate_time is None:
            return 0.0
        seconds = self._step_time - self._rate_time
        steps = self.steps_taken - self._rate_steps
        return steps * self.batch_size / seconds if steps and seconds else 0.0

    def _move(self, now: float, logs: Logs) -> None:
        self._moved_at = now
        self._moving = Moving("  ".join(self._parts(now, logs or {})), self._share(now))
        if not self._teller.ticking:
            self._teller.refresh()

    def _stay(self, logs: Logs) -> None:
        now = time.monotonic()
        self._stayed_at, self._stayed_step = now, self.steps_taken
        self._move(now, logs)
        self._teller.say(self._moving.words)

    def _parts(self, now: float, logs: dict[str, float]) -> list[str]:
        to_take = self._steps_to_take()
        epochs = f"/{self.first_epoch + self.epochs}" if self.epochs else ""
        total = f"/{self.steps_done + to_take}" if to_take else ""
        parts = [
            f"step {self.steps_done + self.steps_taken}{total}",
            f"epoch {self._epoch_now()}{epochs}",
        ]
        left = self._seconds_left(now, to_take)
        if left is not None:
            parts.append(f"left {clock(left)}")
        rate = self.images_per_second()
        if rate:
            parts.append(f"{rate:.0f} images/s")
        losses = [f"{LOSSES[name]} {float(logs[name]):.3f}" for name in LOSSES if name in logs]
        if losses:
            parts.append(" ".join(["loss", *losses]).replace("  ", " "))
        if HEADLINE in logs:
            parts.append(f"{HEADLINE.replace('_', ' ')} {float(logs[HEADLINE]):.3g}")
        if float(logs.get("skipped_updates", 0)):
            parts.append(f"skipped {float(logs['skipped_updates']):.0f}")
        return parts

    def _epoch_now(self) -> int:
        """The epoch of the data, from 1; Keras counts its own from where this fit began."""
        if self.epoch_steps is None:
            return self._epoch
        last = max(0, self.epoch_begun + self.steps_taken - 1)
        return self.first_epoch + last // self.epoch_steps + 1

    def _steps_to_take(self) -> int | None:
        """Steps this fit is to take, None while not known."""
        if self.stop and self.stop.steps:
            return self.stop.steps
        if self.epochs and self.epoch_steps:
            return self.epochs * self.epoch_steps - self.epoch_begun
        return None

    def _seconds_left(self, now: float, to_take: int | None) -> float | None:
        if self.stop and self.stop.seconds:
            return max(0.0, self.stop.seconds - (now - self._start))
        rate = self.images_per_second()
        return (to_take - self.steps_taken) * self.batch_size / rate if to_take and rate else None

    def _share(self, now: float) -> float | None:
        """How much of this fit is done."""
        to_take = self._steps_to_take()
        if to_take:
            return min(1.0, self.steps_taken / to_take)
        seconds = self.stop.seconds if self.stop else None
        return min(1.0, (now - self._start) / seconds) if seconds else None


def clock(seconds: float) -> str:
    """Seconds as "2:05", from an hour on "1:02:05"."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
