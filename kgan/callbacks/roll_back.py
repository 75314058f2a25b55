"""What happens when the numbers of a training do not stay finite."""

import logging
from pathlib import Path

import keras
import numpy as np

from kgan.callbacks.every_steps import StepCallback
from kgan.errors import NotFinite
from kgan.training.guarded_update import SUSPECTS
from kgan.training.network_checks import computes_in_float16
from kgan.training.saving import OPTIMIZERS, restore

LOG = logging.getLogger("kgan")
LOWERED_BY = 2.0
GROWN = 100.0  # times the weights at the checkpoint: no healthy training does that in a minute


class RollBack(StepCallback):
    """Goes back to the last checkpoint when updates keep being skipped as not finite.

    A single such step is skipped by itself and counted in `skipped_updates`.
    After many in a row the model is restored, the learning rates are halved and
    training goes on with the next batches. The second time it ends: the model is
    as at the checkpoint, and a `NotFinite` names the likely cause.

    Args:
        path: the file that a `Checkpoint` in the same `fit` saves; none is saved
            while many updates in a row are being skipped.
        after: updates of one network skipped in a row that are too many (it looks every
            quarter of so many steps). A float16 training skips some by design, while its
            loss scale settles.

    Raises:
        NotFinite: out of `fit`.
    """

    def __init__(self, path, after=20):
        super().__init__()
        self.path = Path(path)
        self.after = after

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self._went_back = None
        self._looked_at = 0

    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(batch, logs)
        if self.steps_taken - self._looked_at < self.after // 4:
            return  # to look is to wait for the device
        self._looked_at = self.steps_taken
        role, streak = self.model.updates.skipped_in_a_row()
        if streak >= self.after:
            self._go_back(role.removesuffix("_second"), streak)

    def _go_back(self, role, streak):
        model = self.model
        suspect = SUSPECTS[int(model.updates.suspect.numpy())]
        now, weights = int(model.batches_seen.numpy()), _largest_weight(model)
        restored = restore(model, self.path) if self.path.is_file() else None
        for one in model.updates.streaks.values():
            one.assign(0)  # the checkpoint may hold the first of them
        cause = _likely_cause(model, suspect, weights, _largest_weight(model))
        found = f"{streak} updates of the {role} in a row were not finite"
        if restored is None:
            raise NotFinite(f"{found}, and there is no checkpoint. Likely cause: {cause}")
        if self._went_back is not None:
            raise NotFinite(
                f"{found}, again after going back to step {self._went_back} and halving the "
                f"learning rates. The model is as at step {restored}. Likely cause: {cause}"
            )
        self._went_back = restored
        lowered = _lower_learning_rates(model)
        # The data go on where they are; what is counted is where they are.
        model.batches_seen.assign(now)
        LOG.warning("%s: back to step %d, %s. Likely cause: %s", found, restored, lowered, cause)


def _largest_weight(model):
    return max(float(np.abs(v.numpy()).max()) for v in model.trainable_variables)


def _likely_cause(model, suspect, weights, weights_before):
    """In words, from what was not finite first and how the weights have grown."""
    if suspect == "images":
        return (
            "the training pictures hold numbers that are not finite (look at the data, and at "
            "augmentations of your own)"
        )
    if weights > GROWN * max(weights_before, 1e-3):
        return (
            f"learning rates too high: the largest weight went from {weights_before:.3g} to "
            f"{weights:.3g} since the checkpoint"
        )
    if computes_in_float16(model):
        return f"float16 overflows in the {suspect}: mixed_bfloat16 has the range of float32"
    return (
        f"in the {suspect}, as an unbounded loss, a penalty of great weight or a layer of your own "
        "can do"
    )


def _lower_learning_rates(model):
    """Halves them and says what they are now."""
    rates = []
    for name in OPTIMIZERS:
        optimizer = getattr(model, name, None)
        if optimizer is None:
            continue
        try:
            optimizer.learning_rate = float(optimizer.learning_rate.numpy()) / LOWERED_BY
        except (TypeError, AttributeError):  # a keras LearningRateSchedule cannot be changed
            rates.append("what is scheduled")
            continue
        rates.append(f"{float(keras.ops.convert_to_numpy(optimizer.learning_rate)):.3g}")
    return f"learning rates halved to {' and '.join(rates)}"
