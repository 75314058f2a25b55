"""What ends a fit: a number of steps, a time, Ctrl-C."""

import signal
import sys
import time

import keras

from kgan.callbacks.every_steps import StepCallback


class StopAfter(StepCallback):
    """Stops training after so many steps or seconds, whichever comes first.

    Args:
        steps: steps to take; None for no bound.
        seconds: wall-clock seconds from the start of training; None for no bound.
    """

    def __init__(self, steps=None, seconds=None):
        super().__init__()
        self.steps = steps
        self.seconds = seconds

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self._start = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(batch, logs)
        if self.steps is not None and self.steps_taken >= self.steps:
            self.model.stop_training = True
        if self.seconds is not None and time.monotonic() - self._start >= self.seconds:
            self.model.stop_training = True


class StopOnInterrupt(keras.callbacks.Callback):
    """Lets the first Ctrl-C, or SIGTERM, end training after the step under way.

    A second one ends it at once.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self):
        super().__init__()
        self.interrupted = False

    def __enter__(self):
        self._before = {number: signal.signal(number, self._note) for number in self.SIGNALS}
        return self

    def __exit__(self, *_):
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, *_):
        if self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = True
        print("\nstopping after this step; press Ctrl-C again to end at once", file=sys.stderr)

    def on_train_batch_end(self, batch, logs=None):
        if self.interrupted:
            self.model.stop_training = True
