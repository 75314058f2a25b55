"""`Evaluate`: figures of image quality while a GAN trains, its best state, and when to stop."""

from __future__ import annotations

import logging
import math
import os
import time
from pathlib import Path
from typing import Any, ClassVar

from kgan.callbacks.board import Board
from kgan.callbacks.periodic import COST, Logs, Periodic
from kgan.callbacks.quality_verdicts import Look
from kgan.errors import InputError
from kgan.metrics.evaluation import CERTAIN, Evaluation, judged, read_evaluation
from kgan.metrics.figures import HEADLINE, Figure, noise_between
from kgan.metrics.protocol import check_same
from kgan.metrics.real_images import Reference, reference_of
from kgan.models.networks import check_positive
from kgan.reading import sha256
from kgan.telling import doing
from kgan.training.gan import GAN
from kgan.training.saving import save_whole

LOG = logging.getLogger("kgan")
METRICS = ("kernel_distance", "precision_recall", "density_coverage")


class Evaluate(Periodic):
    """Measures the images of a `GAN` against real ones at regular intervals.

    The figures stand in the logs of the epoch that they were measured in, and so in the history,
    in a CSVHistory and on a ProgressLine after it in the list of callbacks; and in TensorBoard.
    It changes nothing about the training: no weight, seed or optimizer.

    Args:
        real: the real images, best those that are held out from training: uint8 (N, H, W, C), a
            pair of those and their labels (N,), or a `kgan.metrics.Reference`.
        every_minutes: minutes between two evaluations, and one comes at the end. They are further
            apart where that is less than twenty times what one takes.
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
        self._best: Evaluation | None = None
        self._since_best = 0

    def on_train_begin(self, logs: Logs = None) -> None:
        if not isinstance(self.model, GAN):
            raise InputError(f"Evaluate measures a kgan.GAN. Received: {self.model!r}")
        self.reference.labels_for(self.model)  # which refuses what does not fit
        self.found = []
        self._recall_best()
        self._figures: dict[str, float] = {}
        self._unwritten = False
        super().on_train_begin(logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if not self.steps_taken:
            self._interval.restart(0)  # compiling the step is no training
        super().on_train_batch_end(batch, logs)
        if logs is not None:
            logs |= self._figures

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        # The last state too may be the best, and belongs in the last row.
        is_last = self.model.stop_training or epoch + 1 >= (self.params.get("epochs") or math.inf)
        if is_last and self.steps_taken > self._acted_at:
            self._act_now()
        if logs is not None and self._unwritten:
            logs |= self._figures
        self._unwritten = False

    def act(self) -> None:
        if self.model.in_trouble():
            return
        with doing("measuring the images"):
            self._measure()

    def _measure(self) -> None:
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
        self._unwritten = True
        self.found.append(Look(self.step, found.figures, trained))
        self.board.scalars(
            self.step, {f"quality/{name}": value for name, value in self._figures.items()}
        )
        self._compare_with_best(found)
        seconds = time.monotonic() - began_at
        self._interval.seconds = max(60.0 * (self.every_minutes or 0.0), seconds / COST)

    def _compare_with_best(self, found: Evaluation) -> None:
        if self._best is not None and not is_better(
            found.figures[HEADLINE], self._best.figures[HEADLINE]
        ):
            self._since_best += 1
            self._note_best()
            if self.patience is not None and self._since_best >= self.patience:
                if not self.model.stop_training:
                    count = f"{self._since_best} evaluation{'' if self._since_best == 1 else 's'}"
                    LOG.warning(
                        "stopped early: no better images in %s since step %d", count, self.best_step
                    )
                self.model.stop_training = True
            return
        self._best, self.best_step, self._since_best = found, self.step, 0
        if self.best is not None:
            save_whole(self.model, self.best)
        self._note_best()

    def _note_best(self) -> None:
        """Writes the figures of the best state, and how many evaluations have come since."""
        if self.best is None or self._best is None:
            return
        self._best.model["evaluations_since"] = self._since_best
        if "sha256" not in self._best.model:
            self._best.model["sha256"] = sha256(self.best)
        self._best.write(figures_beside(self.best))

    def _recall_best(self) -> None:
        """Remembers the best state of earlier fits; one that is not comparable is put aside."""
        self._best, self.best_step, self._since_best = None, None, 0
        if self.best is None or not self.best.is_file():
            return
        try:
            found = read_evaluation(figures_beside(self.best))
            own = self.reference.protocol(
                weights=found.protocol.weights,
                first_seed=found.protocol.first_seed,
                conditional=self.model.condition is not None,
            )
            check_same({"this training": own, self.best.name: found.protocol})
            if found.model.get("sha256") != sha256(self.best):
                raise InputError(f"Its figures are of another state. Received: {self.best}")
            since = found.model.get("evaluations_since")
            self._best, self.best_step = found, int(found.model["step"])
            self._since_best = since if type(since) is int else 0
        except (InputError, LookupError, TypeError, ValueError) as problem:
            aside = self.best.with_name(f"{self.best.stem}-before{self.best.suffix}")
            self.best.replace(aside)
            LOG.warning("the best state so far is kept as %s: %s", aside.name, problem)


def is_better(figure: Figure, than: Figure) -> bool:
    """Whether a kernel distance is smaller than another by more than the noise of both."""
    return than.value - figure.value > CERTAIN * noise_between(figure, than)


def figures_beside(path: Path) -> Path:
    """Where the figures of a saved state are."""
    return path.with_name(f"{path.stem}.evaluation.json")
