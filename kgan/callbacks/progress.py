"""`ProgressLine`: one live line about a fit."""

import shutil
import sys
import time

from kgan.callbacks.every_steps import StepCallback


class ProgressLine(StepCallback):
    """One live line: epoch, step, images/s, losses and the time left.

    On a terminal the line is rewritten in place; elsewhere a new one is
    printed every half minute and at the end.

    Args:
        batch_size: pictures a step.
        epochs: epochs this `fit` is to take; None when something else ends it.
        first_epoch: epochs that earlier fits have taken.
        epoch_steps: steps an epoch; None when not known.
        epoch_begun: steps that earlier fits have taken in the epoch that this one goes on with.
        stop: the `StopAfter` in use, None without one.
        stream: where the line goes.
    """

    def __init__(
        self,
        batch_size,
        epochs=None,
        first_epoch=0,
        epoch_steps=None,
        epoch_begun=0,
        stop=None,
        stream=None,
    ):
        super().__init__()
        self.batch_size = batch_size
        self.epochs = epochs
        self.first_epoch = first_epoch
        self.epoch_steps = epoch_steps
        self.epoch_begun = epoch_begun
        self.stop = stop
        self.stream = stream or sys.stderr
        self.live = self.stream.isatty()
        self.interval = 0.2 if self.live else 30.0

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self._start = self._printed_at = time.monotonic()
        self._rate_time = None
        self._line = ""

    def on_epoch_begin(self, epoch, logs=None):
        super().on_epoch_begin(epoch, logs)
        self._epoch = epoch + 1

    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(batch, logs)
        now = time.monotonic()
        self._step_time = now
        if self._rate_time is None:
            # The first call compiles; the rate is that of the steps after it.
            self._rate_time, self._rate_steps = now, self.steps_taken
        if now - self._printed_at >= self.interval:
            self._print(now, logs or {})

    def on_train_end(self, logs=None):
        self._print(time.monotonic(), logs or {})
        if self.live:
            self.stream.write("\n")
            self.stream.flush()

    def images_per_second(self):
        """Mean rate since the first step, 0.0 while not known."""
        if self._rate_time is None:
            return 0.0
        seconds = self._step_time - self._rate_time
        steps = self.steps_taken - self._rate_steps
        return steps * self.batch_size / seconds if steps and seconds else 0.0

    def _print(self, now, logs):
        self._printed_at = now
        epoch = f"epoch {self._epoch_now()}" + (
            f"/{self.first_epoch + self.epochs}" if self.epochs else ""
        )
        total = self._total_steps()
        step = f"step {self.steps_taken}" + (f"/{total}" if total else "")
        parts = [epoch, step, f"{self.images_per_second():.0f} images/s"]
        parts += [
            f"{name} {float(logs[name]):.3f}"
            for name in ("d_loss", "g_loss", "loss")
            if name in logs
        ]
        if float(logs.get("skipped_updates", 0)):
            parts.append(f"skipped {float(logs['skipped_updates']):.0f}")
        left = self._seconds_left(now, total)
        if left is not None:
            parts.append(f"left {int(left) // 60}:{int(left) % 60:02d}")
        line = "  ".join(parts)
        if self.live:
            width = shutil.get_terminal_size().columns - 1
            self.stream.write("\r" + line[:width].ljust(min(len(self._line), width)))
        else:
            self.stream.write(line + "\n")
        self.stream.flush()
        self._line = line

    def _epoch_now(self):
        """The epoch of the data, from 1; Keras counts its own from where this fit began."""
        if self.epoch_steps is None:
            return self._epoch
        last = max(0, self.epoch_begun + self.steps_taken - 1)
        return self.first_epoch + last // self.epoch_steps + 1

    def _total_steps(self):
        if self.stop and self.stop.steps:
            return self.stop.steps
        if self.epochs and self.epoch_steps:
            return self.epochs * self.epoch_steps - self.epoch_begun
        return None

    def _seconds_left(self, now, total):
        if self.stop and self.stop.seconds:
            return max(0.0, self.stop.seconds - (now - self._start))
        rate = self.images_per_second()
        return (total - self.steps_taken) * self.batch_size / rate if total and rate else None
