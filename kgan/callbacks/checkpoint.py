"""`Checkpoint`: saves the whole model as training goes on."""

import math
import time
from pathlib import Path

import keras

from kgan.training.saving import restore, save_whole


class Checkpoint(keras.callbacks.Callback):
    """Saves the whole model as training goes on, whole or not at all.

    The first is saved before the first step and the last at the end, so that what
    is stopped or killed can always be resumed, and ends in the same weights as if
    it had not been:

        checkpoint = kgan.callbacks.Checkpoint("photos.keras")
        done = checkpoint.restore(gan)  # compiled; 0 batches on the first start
        photos = kgan.data.from_folder("photos/", ..., seed=0, first_batch=done)
        gan.fit(photos, steps_per_epoch=100, epochs=25, initial_epoch=done // 100,
                callbacks=[checkpoint, StopAfter(steps=25 * 100 - done)])

    What stands there is not replaced while updates are skipped as not finite: what
    led to that may be in the weights already.

    Args:
        path: the .keras file, replaced each time.
        every_seconds: the time between two saves.
    """

    chief_only = True

    def __init__(self, path, every_seconds=60):
        super().__init__()
        self.path = Path(path)
        self.every_seconds = every_seconds
        self._saved_at = -math.inf
        self._saved_batches = -1

    def on_train_begin(self, logs=None):
        if not self.path.exists() or not self.model.in_trouble():
            self.save()

    def on_train_batch_end(self, batch, logs=None):
        due = time.monotonic() - self._saved_at >= self.every_seconds
        if due and not self.model.in_trouble():
            self.save()

    def on_train_end(self, logs=None):
        more = int(self.model.batches_seen.numpy()) > self._saved_batches
        if more and not self.model.in_trouble():
            self.save()

    def save(self):
        """Saves the model as it is now."""
        save_whole(self.model, self.path)
        self._saved_at = time.monotonic()
        self._saved_batches = int(self.model.batches_seen.numpy())

    def restore(self, model):
        """Puts a compiled model back to where it was at the last save.

        Weights, the averaged generator, optimizers with their loss scales, the
        strength of ADA, random seeds and the count of batches. On an error the
        model is left as it was.

        Args:
            model: a compiled `GAN` or `Autoencoder`, made like the saved one.

        Returns:
            The batches it has been trained on, an int: the `first_batch` of the
            data to go on with. 0 when nothing was saved yet.

        Raises:
            InputError: a file that cannot be read, or of other networks,
                another compilation or other optimizers.
        """
        return restore(model, self.path) if self.path.exists() else 0
