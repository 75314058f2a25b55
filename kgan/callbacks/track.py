"""`Track`: a training's figures in an experiment tracker."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kgan.callbacks.curves import PeriodicMeans
from kgan.callbacks.periodic import Logs, is_number
from kgan.callbacks.trackers import TRACKERS, WITHOUT, Begun, Tracker, library
from kgan.errors import InputError
from kgan.files import first_line, printable, whole_file
from kgan.json_values import finite
from kgan.reading import read_text

LOG = logging.getLogger("kgan")


class Track(PeriodicMeans):
    """Sends a training's figures to trackio, MLflow or Weights & Biases.

    They are a model's own, as means since the last point, and at the end of an epoch what other
    callbacks found in it, such as `Evaluate` before it in the list. Steps are the batches that the
    model has ever seen. Where the figures go is the tracker's own affair: its environment
    variables say it (`TRACKIO_DIR`, `MLFLOW_TRACKING_URI`, `WANDB_MODE=offline`).

    A tracker that fails during a training is given up, with a warning; the training goes on.

    Args:
        tracker: "trackio", "mlflow" or "wandb", of the extras of those names.
        name: the run's name; None for one of the tracker's own.
        project: which project, or experiment, of the tracker's it belongs to.
        config: settings that are kept with it, by name; None for none.
        kept: a .json file that keeps what the tracker knows the run by, so that a model that is
            trained further goes on in it; None to begin a new one in each `fit`.
        every_steps: steps between two points; 50 when no interval is given.
        every_minutes: minutes between two points, in place of steps.

    Raises:
        InputError: no such tracker, one that is not installed, or an interval that `Periodic`
            refuses; in `fit`, one that cannot begin.
    """

    def __init__(
        self,
        tracker: str,
        name: str | None = None,
        *,
        project: str = "kgan",
        config: Mapping[str, Any] | None = None,
        kept: str | os.PathLike[str] | None = None,
        every_steps: int | None = None,
        every_minutes: float | None = None,
    ) -> None:
        super().__init__(every_steps, every_minutes)
        self.tracker = tracker
        self.library = library(tracker)
        self.name = name
        self.project = project
        self.config = finite(dict(config or {}))
        self.kept = None if kept is None else Path(kept)
        self._run: Tracker | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        self.close()
        known = self._known() if self.step else {}
        key = known.get(self.tracker)
        begun = Begun(self.project, self.name, self.config, key if isinstance(key, str) else None)
        try:
            self._run = TRACKERS[self.tracker](self.library, begun)
        except Exception as error:  # each has classes of its own
            raise InputError(
                f"{self.tracker} cannot begin a run, or go on with its own; {WITHOUT}. "
                f"Received: {first_line(error)}"
            ) from error
        if self.kept is not None:
            with whole_file(self.kept) as temporary:
                keys = known | {self.tracker: self._run.key}
                temporary.write_text(json.dumps(keys), encoding="utf-8")
        super().on_train_begin(logs)

    def take(self, figures: dict[str, float]) -> bool:
        self._tell(lambda run: run.log(figures, self.step))
        return True

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        super().on_epoch_end(epoch, logs)
        own = {metric.name for metric in self.model.metrics}
        found = {
            name: float(value)
            for name, value in (logs or {}).items()
            if name not in own and is_number(value)
        }
        if found:
            self._tell(lambda run: run.log(found, self.step))

    def on_train_end(self, logs: Logs = None) -> None:
        super().on_train_end(logs)
        self.close()

    def close(self) -> None:
        """Ends the tracker's run where that is open still, as after a `fit` that raised."""
        self._tell(lambda run: run.end())
        self._run = None

    def _tell(self, what: Callable[[Tracker], None]) -> None:
        """Tells the tracker something, where it has not been given up."""
        if self._run is None:
            return
        try:
            what(self._run)
        except Exception as error:  # as above
            self._run = None
            LOG.warning(
                "%s takes no more figures, and the training goes on: %s",
                self.tracker,
                printable(first_line(error)),
            )

    def _known(self) -> dict[str, Any]:
        """Tracker -> what it knows the run by that an earlier fit began; empty without one."""
        if self.kept is None or not self.kept.is_file():
            return {}
        try:
            keys = json.loads(read_text(self.kept))
        except (OSError, ValueError, RecursionError):
            return {}
        return keys if isinstance(keys, dict) else {}
