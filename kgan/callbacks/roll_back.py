"""What happens when the numbers of a training do not stay finite."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import keras
import numpy as np

from kgan.callbacks.periodic import Logs, StepCallback
from kgan.errors import NotFinite
from kgan.training.guarded_update import SUSPECTS
from kgan.training.network_checks import computes_in_float16
from kgan.training.saving import restore
from kgan.training.schedules import lower_rates

LOG = logging.getLogger("kgan")
LOWERED_BY = 2.0
GROWN = 100.0  # times the weights at the checkpoint: no healthy training does that in a minute


class RollBack(StepCallback):
    """Goes back to the last checkpoint when updates keep being skipped because they are not finite.

    A single such update is skipped by itself and counted in `skipped_updates`.
    After many in a row the model is restored, the learning rates are halved and
    training continues with the next batches. The second time, training ends: the model is
    as at the checkpoint, and a `NotFinite` names the likely cause.

    Args:
        path: the file that a `Checkpoint` in the same `fit` saves; it saves none
            while many updates in a row are being skipped.
        after: how many skipped updates of one network in a row are too many (it checks once in
            a quarter of so many steps). A float16 training skips some by design, while its
            loss scale settles.

    Raises:
        NotFinite: in `fit`.
    """

    def __init__(self, path: str | os.PathLike[str], after: int = 20) -> None:
        super().__init__()
        self.path = Path(path)
        self.after = after

    def on_train_begin(self, logs: Logs = None) -> None:
        super().on_train_begin(logs)
        self._went_back_to: int | None = None
        self._looked_at = 0

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        super().on_train_batch_end(batch, logs)
        if self.steps_taken - self._looked_at < self.after // 4:
            return  # to look is to wait for the device
        self._looked_at = self.steps_taken
        role, streak = self.model.updates.skipped_in_a_row()
        if streak >= self.after:
            self._go_back(role.removesuffix("_second"), streak)

    def _go_back(self, role: str, streak: int) -> None:
        model = self.model
        suspect = SUSPECTS[int(model.updates.suspect.numpy())]
        weights = _largest_weight(model)
        names = ("batches_seen", "images_seen", "schedule_images", "schedule_begun")
        counts = {name: getattr(model, name).numpy() for name in names if hasattr(model, name)}
        restored = restore(model, self.path) if self.path.is_file() else None
        for counter in model.updates.streaks.values():
            counter.assign(0)  # the checkpoint may hold the first of them
        cause = _likely_cause(model, suspect, weights, _largest_weight(model))
        problem = f"{streak} updates of the {role} in a row were not finite"
        if restored is None:
            raise NotFinite(f"{problem}, and there is no checkpoint. Likely cause: {cause}")
        if self._went_back_to is not None:
            raise NotFinite(
                f"{problem}, again after going back to step {self._went_back_to} and halving the "
                f"learning rates. The model is as at step {restored}. Likely cause: {cause}"
            )
        self._went_back_to = restored
        lowered = _lower_learning_rates(model)
        # The data do not go back with the model, and the count of batches is their position.
        for name, count in counts.items():
            getattr(model, name).assign(count)
        LOG.warning("%s: back to step %d, %s. Likely cause: %s", problem, restored, lowered, cause)


def _largest_weight(model: keras.Model) -> float:
    return max(float(np.abs(v.numpy()).max()) for v in model.trainable_variables)


def _likely_cause(model: keras.Model, suspect: str, weights: float, weights_before: float) -> str:
    """In words, from what was not finite first and how the weights have grown."""
    if suspect == "images":
        return (
            "the training pictures contain numbers that are not finite (check the data, and any "
            "augmentations of your own)"
        )
    if weights > GROWN * max(weights_before, 1e-3):
        return (
            f"learning rates too high: the largest weight went from {weights_before:.3g} to "
            f"{weights:.3g} since the checkpoint (try a lower --learning-rate)"
        )
    if computes_in_float16(model):
        return (
            f"float16 overflows in the {suspect}: --precision mixed_bfloat16 has the range of "
            "float32"
        )
    return (
        f"in the {suspect}, where an unbounded loss, a large penalty weight (--r1-gamma, "
        "--r2-gamma) or a layer of your own can cause it"
    )


def _lower_learning_rates(model: keras.Model) -> str:
    """Halves them and says what they are now."""
    if getattr(model, "schedules", None):
        lower_rates(model, LOWERED_BY)
    rates = []
    # Of a GAN that is both, of an autoencoder its one.
    for optimizer in getattr(model.optimizer, "optimizers", [model.optimizer]):
        try:
            optimizer.learning_rate = float(optimizer.learning_rate.numpy()) / LOWERED_BY
        except (TypeError, AttributeError):  # a keras LearningRateSchedule cannot be changed
            rates.append("the scheduled one (unchanged)")
            continue
        rates.append(f"{float(keras.ops.convert_to_numpy(optimizer.learning_rate)):.3g}")
    return f"learning rates halved to {' and '.join(rates)}"
