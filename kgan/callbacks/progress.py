"""`ProgressLine`: one live line about a fit."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TextIO

from kgan.callbacks.periodic import Logs, StepCallback
from kgan.callbacks.stopping import StopAfter
from kgan.metrics.figures import HEADLINE
from kgan.streams import steady


class ProgressLine(StepCallback):
    """One live line: epoch, step, images/s, losses and the time left.

    On a terminal the line is rewritten in place; elsewhere a new one is
    printed every half minute and at the end.

    Args:
        batch_size: images per step.
        epochs: epochs that this `fit` is to take; None when something else ends it.
        first_epoch: epochs that earlier fits have completed.
        epoch_steps: steps per epoch; None when not known.
        epoch_begun: steps that earlier fits have taken in the epoch that this one continues.
        stop: the `StopAfter` in use, None without one.
        stream: where the line goes; None for stderr. Where it cannot be written training goes on.
        header: a line to write once, when training begins; None for none.
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
        header: str | None = None,
        steps_done: int = 0,
    ) -> None:
        super().__init__()
        self.batch_size = batch_size
        self.epochs = epochs
        self.first_epoch = first_epoch
        self.epoch_steps = epoch_steps
        self.epoch_begun = epoch_begun
        self.stop = stop
        self.stream = steady(stream or sys.stderr)
        self.header = header
        self.steps_done = steps_done
        self.live = self.stream.isatty()
        self.interval = 0.2 if self.live else 30.0

    def on_train_begin(self, logs: Logs = None) -> None:
        super().on_train_begin(logs)
        if self.header is not None:
            self.stream.write(self.header + "\n")
            self.stream.flush()
        self._start = self._printed_at = self._step_time = time.monotonic()
        self._rate_time: float | None = None
        self._rate_steps = 0
        self._line = ""

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        super().on_epoch_begin(epoch, logs)
        self._epoch = epoch + 1

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        super().on_train_batch_end(batch, logs)
        now = time.monotonic()
        self._step_time = now
        if self._rate_time is None:
            # The first call compiles; the rate is that of the steps after it.
            self._rate_time, self._rate_steps = now, self.steps_taken
        if now - self._printed_at >= self.interval:
            self._print(now, logs)

    def on_train_end(self, logs: Logs = None) -> None:
        self._print(time.monotonic(), logs)
        if self.live:
            self.stream.write("\n")
            self.stream.flush()

    def images_per_second(self) -> float:
        """Mean rate since the first step, 0.0 while not known."""
        if self._rate_time is None:
            return 0.0
        seconds = self._step_time - self._rate_time
        steps = self.steps_taken - self._rate_steps
        return steps * self.batch_size / seconds if steps and seconds else 0.0

    def _print(self, now: float, logs: Logs) -> None:
        self._printed_at = now
        line = "  ".join(self._parts(now, logs or {}))
        if self.live:
            width = shutil.get_terminal_size().columns - 1
            self.stream.rewrite(line[:width].ljust(min(len(self._line), width)))
        else:
            self.stream.write(line + "\n")
            self.stream.flush()
        self._line = line

    def _parts(self, now: float, logs: dict[str, float]) -> list[str]:
        to_take = self._steps_to_take()
        epochs = f"/{self.first_epoch + self.epochs}" if self.epochs else ""
        total = f"/{self.steps_done + to_take}" if to_take else ""
        parts = [
            f"epoch {self._epoch_now()}{epochs}",
            f"step {self.steps_done + self.steps_taken}{total}",
            f"{self.images_per_second():.0f} images/s",
        ]
        parts += [
            f"{name} {float(logs[name]):.3f}"
            for name in ("d_loss", "g_loss", "loss")
            if name in logs
        ]
        if HEADLINE in logs:
            parts.append(f"{HEADLINE.replace('_', ' ')} {float(logs[HEADLINE]):.3g}")
        if float(logs.get("skipped_updates", 0)):
            parts.append(f"skipped {float(logs['skipped_updates']):.0f}")
        left = self._seconds_left(now, to_take)
        if left is not None:
            parts.append(f"left {int(left) // 60}:{int(left) % 60:02d}")
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
