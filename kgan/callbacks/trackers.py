"""Experiment trackers, each by its own library: trackio, MLflow, Weights & Biases."""

from __future__ import annotations

import importlib
import time
from collections.abc import Mapping
from types import ModuleType
from typing import Any, NamedTuple, Protocol

from kgan.errors import InputError

# For messages; a run that is resumed takes it too.
WITHOUT = "kgan train --track none trains without one"


class Begun(NamedTuple):
    """What a run of a tracker is begun with.

    Attributes:
        project: which of the tracker's projects it belongs to.
        name: its name; None for one of the tracker's own.
        config: its settings, by name, as JSON takes them.
        key: of a run that the tracker knows, to go on with that; None for a new one.
    """

    project: str
    name: str | None
    config: dict[str, Any]
    key: str | None


class Tracker(Protocol):
    """A run of a tracker.

    Attributes:
        key: what the tracker knows it by.
    """

    key: str

    def log(self, figures: Mapping[str, float], step: int) -> None:
        """Takes figures of a step, by name."""

    def end(self) -> None:
        """Ends the run, with all that was taken in its place."""


class _Logged:
    """A run of wandb, or of a library with its face."""

    _run: Any

    def log(self, figures: Mapping[str, float], step: int) -> None:
        self._run.log(dict(figures), step=step)

    def end(self) -> None:
        self._run.finish()


class Trackio(_Logged):
    """A run of trackio, which finds one to go on with by its name: the newest of that name."""

    def __init__(self, trackio: ModuleType, begun: Begun) -> None:
        details: dict[str, Any] = {"config": begun.config}
        name, _, known = (begun.key or "").rpartition("/")
        if known:
            details["resume"] = "must"
        # In a notebook it would open a page of its own in each fit.
        self._run = trackio.init(begun.project, name or begun.name, embed=False, **details)
        self.key = f"{self._run.name}/{self._run.id}"
        if known not in ("", self._run.id):
            self._run.finish()
            raise ValueError(f"{name} is the name of a newer run in {begun.project} too")


class WeightsAndBiases(_Logged):
    """A run of wandb."""

    def __init__(self, wandb: ModuleType, begun: Begun) -> None:
        details: dict[str, Any] = {"config": begun.config, "name": begun.name}
        if begun.key is not None:
            details |= {"id": begun.key, "resume": "allow"}  # offline it knows no run
        self._run = wandb.init(project=begun.project, **details)
        self.key: str = self._run.id


class MLflow:
    """A run of MLflow, by its client: no run that is active elsewhere in the process is touched."""

    def __init__(self, mlflow: ModuleType, begun: Begun) -> None:
        self._client = mlflow.MlflowClient()
        self._metric = mlflow.entities.Metric
        if begun.key is None:
            found = self._client.get_experiment_by_name(begun.project)
            place = found.experiment_id if found else self._client.create_experiment(begun.project)
            self.key: str = self._client.create_run(place, run_name=begun.name).info.run_id
            param = mlflow.entities.Param
            params = [param(name, str(value)) for name, value in begun.config.items()]
            try:
                self._client.log_batch(self.key, params=params)
            except Exception:
                self._client.set_terminated(self.key, "FAILED")
                raise
        else:
            self.key = begun.key
            self._client.update_run(self.key, status="RUNNING")

    def log(self, figures: Mapping[str, float], step: int) -> None:
        now = int(time.time() * 1000)
        points = [self._metric(name, value, now, step) for name, value in figures.items()]
        self._client.log_batch(self.key, metrics=points)

    def end(self) -> None:
        self._client.set_terminated(self.key)


TRACKERS: dict[str, type[Trackio | WeightsAndBiases | MLflow]] = {
    "trackio": Trackio,
    "mlflow": MLflow,
    "wandb": WeightsAndBiases,
}


def library(tracker: str) -> ModuleType:
    """The library of a tracker.

    Raises:
        InputError: there is no such tracker, or it is not installed.
    """
    if tracker not in TRACKERS:
        raise InputError(f"A tracker is one of {', '.join(TRACKERS)}. Received: {tracker!r}")
    try:
        return importlib.import_module(tracker)
    except ImportError as error:
        raise InputError(
            f"{tracker} cannot be imported; pip install kgan[{tracker}] installs it, {WITHOUT}. "
            f"Received: {error}"
        ) from None
