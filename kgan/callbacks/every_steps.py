"""Callbacks that follow a fit step by step."""

import keras

from kgan.models.networks import check_positive


class StepCallback(keras.callbacks.Callback):
    """Counts the training steps that this `fit` has taken, whatever steps_per_execution is."""

    steps_taken = 0

    def on_train_begin(self, logs=None):
        self.steps_taken = 0

    def on_epoch_begin(self, epoch, logs=None):
        self._last_batch = -1

    def on_train_batch_end(self, batch, logs=None):
        self.steps_taken += batch - self._last_batch
        self._last_batch = batch


def as_number(variable):
    """A variable's value as a float, under a distribution strategy too, where float() fails."""
    return float(keras.ops.convert_to_numpy(variable))


class EverySteps(StepCallback):
    """Does something at a steady interval, in `act()`: before training, as it goes and at its end.

    Args:
        every_steps: steps between two times.

    Raises:
        InputError: `every_steps` below 1.
    """

    at_begin = True
    chief_only = True  # of several workers: they all write files

    def __init__(self, every_steps):
        super().__init__()
        check_positive(every_steps=every_steps)
        self.every_steps = every_steps

    def act(self):
        raise NotImplementedError

    @property
    def step(self):
        """Batches that the model has ever seen."""
        return int(as_number(self.model.batches_seen))

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self._acted_at = 0
        if self.at_begin:
            self.act()

    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(batch, logs)
        if self.steps_taken - self._acted_at >= self.every_steps:
            self._act_now()

    def on_train_end(self, logs=None):
        if self.steps_taken > self._acted_at:
            self._act_now()

    def _act_now(self):
        self._acted_at = self.steps_taken
        self.act()
