"""Callbacks for `fit`, for users and the command line alike."""

import signal
import sys
import time
from pathlib import Path

import keras

from kgan import images
from kgan.training.doctor import RunDoctor
from kgan.training.progress import ProgressLine, StepCallback
from kgan.training.tensorboard import Curves
from kgan.training.visuals import LatentWalk, ReconstructionStrip, SampleGrid


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


class Checkpoint(keras.callbacks.Callback):
    """Saves the whole model as training goes on, whole or not at all.

    The first is saved before the first step, so that what is killed can always be resumed.

    Args:
        path: the .keras file, replaced each time.
        every_seconds: the time between two saves.
    """

    def __init__(self, path, every_seconds=60):
        super().__init__()
        self.path = Path(path)
        self.every_seconds = every_seconds

    def on_train_begin(self, logs=None):
        self.save()

    def on_train_batch_end(self, batch, logs=None):
        if time.monotonic() - self._saved_at >= self.every_seconds:
            self.save()

    def save(self):
        """Saves the model as it is now."""
        save_whole(self.model, self.path)
        self._saved_at = time.monotonic()


def save_whole(model, path):
    """Saves a Keras model so that a reader never finds half of it."""
    with images.whole_file(path) as temporary:
        model.save(temporary)


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


__all__ = [
    "Checkpoint",
    "Curves",
    "LatentWalk",
    "ProgressLine",
    "ReconstructionStrip",
    "RunDoctor",
    "SampleGrid",
    "StopAfter",
    "StopOnInterrupt",
]
