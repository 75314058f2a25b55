"""`Evaluate`: figures of image quality while a GAN trains, its best state, and when to stop."""

from __future__ import annotations

import logging
import math
import os
import time
from pathlib import Path
from typing import Any, ClassVar

from kgan.callbacks.board import Board
from kgan.callbacks.periodic import Logs, Periodic
from kgan.callbacks.quality_verdicts import Look
from kgan.errors import InputError
from kgan.metrics.evaluation import CERTAIN, Evaluation, judged, read_evaluation, reference_of
from kgan.metrics.figures import HEADLINE, Figure
from kgan.metrics.real_images import Reference
from kgan.models.networks import check_positive
from kgan.training.gan import GAN
from kgan.training.saving import save_whole

LOG = logging.getLogger("kgan")
METRICS = ("kernel_distance", "precision_recall", "density_coverage")
COST = 0.05  # of the time of a training, at most


class Evaluate(Periodic):
    """Measures the images of a `GAN` against real ones at regular intervals.

    The figures stand in the logs of the epoch, and so in the history, in a CSVHistory and
    on a ProgressLine after it in the list of callbacks; and in TensorBoard. It changes nothing
    about the training: no weight, seed or optimizer.

    Args:
        real: the real images, best those that are held out from training: uint8 (N, H, W, C), a
            pair of those and their labels (N,), or a `kgan.metrics.Reference`.
        every_minutes: minutes between two evaluations; the last comes at the end. They are
            further apart where they would take more than a twentieth of the training's time.
        n: images on each side of a comparison, where `real` is not a Reference.
        seed: seed of the first image; the same images each time.
        training: images that the model is trained on, to tell whether it learns them by heart;
            None where `real` is of them.
        best: the .keras file that keeps the state with the smallest kernel distance, its figures
            beside it as `NAME.evaluation.json`; None for none. Within the noise of two
            figures, two standard errors, the older one is kept.
        patience: evaluations without a new best state after which training is stopped; None
            to go on.
        log_dir: directory of TensorBoard events; None for none.

    Attributes:
        found: what the evaluations of this fit showed, oldest first.
        best_step: batches seen by the best state; None before the first evaluation.

    Raises:
        InputError: an interval or a patience that cannot be; in `fit`, a model that is not a
            `GAN`, or one of classes that the real images do not have.

    Reference:
        Binkowski et al. 2018, https://arxiv.org/abs/1801.01401, who choose by KID too.
    """

    at_begin: ClassVar[bool] = False

    def __init__(
        self,
        real: Any,
        every_minutes: float,
        n: int = 1000,
        *,
        training: Reference | None = None,
        seed: int = 0,
        best: str | os.PathLike[str] | None = None,
        patience: int | None = None,
        log_dir: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__(every_minutes=every_minutes)
        if patience is not None:
            check_positive(patience=patience)
        self.reference = reference_of(real, n=n, seed=seed)
        self.training = training
        self.seed = seed
        self.best = None if best is None else Path(best)
        self.patience = patience
        self.board = Board(log_dir)
        self.found: list[Look] = []
        self.best_step: int | None = None
        self._best: Figure | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        if not isinstance(self.model, GAN):
            raise InputError(f"Evaluate measures a kgan.GAN. Received: {self.model!r}")
        self.reference.labels_for(self.model)  # which refuses what does not fit
        self.found = []
        self._recall_best()
        self._since_best = 0
        self._figures: dict[str, float] = {}
        super().on_train_begin(logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if not self.steps_taken:
            self._interval.restart(0)  # compiling the step is no training
        super().on_train_batch_end(batch, logs)
        if logs is not None:
            logs |= self._figures

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if logs is not None:
            logs |= self._figures

    def act(self) -> None:
        if self.model.in_trouble():
            return
        began_at = time.monotonic()
        fake = self.reference.features_of(self.model, self.seed)
        found = judged(
            self.model,
            self.reference,
            fake,
            METRICS,
            seed=self.seed,
            weights="trained" if self.model.average is None else "average",
            facts={"step": self.step},
        )
        self._figures = {name: figure.value for name, figure in found.figures.items()}
        trained = None
        if self.training is not None:
            trained = self.training.judge(fake, [HEADLINE])[HEADLINE]
            self._figures[f"{HEADLINE}_to_training"] = trained.value
        self.found.append(Look(self.step, found.figures, trained))
        self.board.scalars(
            self.step, {f"quality/{name}": value for name, value in self._figures.items()}
        )
        self._compare_with_best(found)
        seconds = time.monotonic() - began_at
        self._interval.seconds = max(60.0 * (self.every_minutes or 0.0), seconds / COST)

    def _compare_with_best(self, found: Evaluation) -> None:
        figure = found.figures[HEADLINE]
        if self._best is not None and not is_better(figure, self._best):
            self._since_best += 1
            if self.patience is not None and self._since_best >= self.patience:
                LOG.warning(
                    "stopped early: no better images in %d evaluations since step %d",
                    self._since_best,
                    self.best_step,
                )
                self.model.stop_training = True
            return
        self._best, self.best_step, self._since_best = figure, self.step, 0
        if self.best is not None:
            save_whole(self.model, self.best)
            found.write(figures_beside(self.best))

    def _recall_best(self) -> None:
        """Remembers the best state of earlier fits, where there is one."""
        self._best, self.best_step = None, None
        if self.best is None or not self.best.is_file():
            return
        try:
            found = read_evaluation(figures_beside(self.best))
            protocol = self.reference.protocol(
                weights=found.protocol.weights,
                first_seed=self.seed,
                conditional=self.model.num_classes is not None,
            )
            if protocol == found.protocol and found.model["step"] <= self.step:
                self._best, self.best_step = found.figures[HEADLINE], found.model["step"]
        except (InputError, LookupError, TypeError):
            return  # it begins afresh


def is_better(figure: Figure, than: Figure) -> bool:
    """Whether a kernel distance is smaller than another by more than the noise of both."""
    noise = math.hypot(figure.standard_error or 0.0, than.standard_error or 0.0)
    return than.value - figure.value > CERTAIN * noise


def figures_beside(path: Path) -> Path:
    """Where the figures of a saved state are."""
    return path.with_name(f"{path.stem}.evaluation.json")
