"""What ends a fit: a number of steps, a time, Ctrl-C."""

from __future__ import annotations

import signal
import sys
import threading
import time
from typing import Any, ClassVar

import keras

from kgan.callbacks.periodic import Logs, StepCallback

STOPPING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class StopAfter(StepCallback):
    """Stops training after so many steps or seconds, whichever comes first.

    Args:
        steps: steps to take; None for no limit.
        seconds: wall-clock seconds from the start of training; None for no limit.
    """

    def __init__(self, steps: int | None = None, seconds: float | None = None) -> None:
        super().__init__()
        self.steps = steps
        self.seconds = seconds

    def on_train_begin(self, logs: Logs = None) -> None:
        super().on_train_begin(logs)
        self._start = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        super().on_train_batch_end(batch, logs)
        if self.steps is not None and self.steps_taken >= self.steps:
            self.model.stop_training = True
        if self.seconds is not None and time.monotonic() - self._start >= self.seconds:
            self.model.stop_training = True


class StopOnInterrupt(keras.callbacks.Callback):
    """Lets the first Ctrl-C, SIGTERM or SIGHUP end training after the current step.

    A second one ends it at once; one that the process was started to ignore, as by `nohup`, is
    ignored. It is also the context manager that handles the
    signals: use it around `fit`.
    """

    SIGNALS: ClassVar[tuple[signal.Signals, ...]] = STOPPING

    def __init__(self) -> None:
        super().__init__()
        self.interrupted = False  # this worker or another
        self._told = False  # this one
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopOnInterrupt:
        self._before = {}
        if threading.current_thread() is threading.main_thread():  # Python takes none elsewhere
            for number in self.SIGNALS:
                if signal.getsignal(number) != signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: Any) -> None:
        if self._told:
            before = self._before[signal.Signals(number)]
            if callable(before):
                before(number, frame)
            raise KeyboardInterrupt
        self.interrupted = self._told = True
        print("\nstopping after this step; press Ctrl-C again to end at once", file=sys.stderr)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self.interrupted:
            self.model.stop_training = True
