"""`Checkpoint`: saves the whole model while training runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

import keras

from kgan.callbacks.periodic import Interval, Logs, StepCallback, is_number
from kgan.errors import InputError
from kgan.models.networks import check_positive
from kgan.training.saving import restore, save_whole


class Checkpoint(StepCallback):
    """Saves the whole model while training runs, whole or not at all.

    The first save comes before the first step and the last at the end, so that a training
    that was stopped or killed can always be resumed, and ends in the same weights as if
    it had not been:

        checkpoint = kgan.callbacks.Checkpoint("photos.keras")
        done = checkpoint.restore(gan)  # compiled; 0 batches on the first start
        photos = kgan.data.from_folder("photos/", ..., seed=0, first_batch=done)
        gan.fit(photos, steps_per_epoch=100, epochs=25, initial_epoch=done // 100,
                callbacks=[checkpoint, StopAfter(steps=25 * 100 - done)])

    The saved file is not replaced while updates are skipped because they are not finite: what
    led to that may already be in the weights.

    Args:
        path: the .keras file, replaced each time.
        every_seconds: seconds between two saves; 0 saves after every step.
        every_steps: steps between two saves, in place of seconds; None for seconds.

    Raises:
        InputError: `every_seconds` is not a number from 0 up, or `every_steps` is below 1.
    """

    chief_only: ClassVar[bool] = True

    def __init__(
        self,
        path: str | os.PathLike[str],
        every_seconds: float = 60,
        every_steps: int | None = None,
    ) -> None:
        super().__init__()
        if every_steps is not None:
            check_positive(every_steps=every_steps)
        if not is_number(every_seconds) or not every_seconds >= 0:  # NaN is not
            raise InputError(
                f"every_seconds must be a number from 0 up. Received: {every_seconds!r}"
            )
        self.path = Path(path)
        self.every_seconds = every_seconds
        self.every_steps = every_steps
        self._interval = Interval(steps=every_steps, seconds=every_seconds)
        self._saved_batches = -1

    def on_train_begin(self, logs: Logs = None) -> None:
        super().on_train_begin(logs)
        self._interval.clear()  # where nothing is saved now, the first good step is
        if not self.path.exists() or not self.model.in_trouble():
            self.save()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        super().on_train_batch_end(batch, logs)
        if self._interval.is_over(self.steps_taken) and not self.model.in_trouble():
            self.save()

    def on_train_end(self, logs: Logs = None) -> None:
        unsaved = int(self.model.batches_seen.numpy()) > self._saved_batches
        if unsaved and not self.model.in_trouble():
            self.save()

    def save(self) -> None:
        """Saves the model as it is now."""
        save_whole(self.model, self.path)
        self._interval.restart(self.steps_taken)
        self._saved_batches = int(self.model.batches_seen.numpy())

    def restore(self, model: keras.Model) -> int:
        """Puts a compiled model back to where it was at the last save.

        Weights, the averaged generator, optimizers with their loss scales, the
        strength of ADA, random seeds and the count of batches. On an error the
        model is left as it was.

        Args:
            model: a compiled `GAN` or `Autoencoder`, built like the saved one.

        Returns:
            The number of batches it has been trained on, an int: the `first_batch` of the
            data to continue with. 0 when nothing has been saved yet.

        Raises:
            InputError: the file cannot be read, or holds other networks,
                another compilation or other optimizers.
        """
        return restore(model, self.path) if self.path.exists() else 0
