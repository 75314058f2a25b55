"""How long a run trains: what is done, what is still to do, and the goal it remembers."""

from __future__ import annotations

import dataclasses
import json
import logging
import math
from pathlib import Path
from typing import Any

from kgan.reading import read_text
from kgan.runs.data_options import DEFAULT_EPOCHS
from kgan.runs.directory import PROGRESS_FILE, write_json
from kgan.runs.options import LENGTH, RunOptions

LOG = logging.getLogger("kgan")


@dataclasses.dataclass(frozen=True)
class Progress:
    """What a run has done.

    Attributes:
        steps: batches trained on.
        seconds: wall-clock seconds of training.
        epoch_steps: batches per epoch of its data.
    """

    steps: int
    seconds: float
    epoch_steps: int

    @property
    def epochs(self) -> int:
        """Whole epochs."""
        return self.steps // self.epoch_steps


def read_seconds(directory: Path) -> float:
    """The seconds of training that `note_progress` wrote last; 0.0 where there are none."""
    try:
        seconds = float(_noted(directory)["seconds"])
    except (ValueError, LookupError, TypeError, OverflowError):
        return 0.0
    return seconds if 0.0 <= seconds < math.inf else 0.0


def _noted(directory: Path) -> dict[str, Any]:
    try:
        noted = json.loads(read_text(directory / PROGRESS_FILE))
    except (OSError, ValueError, RecursionError):
        return {}
    return noted if isinstance(noted, dict) else {}


def read_data(directory: Path) -> str | None:
    """The fingerprint of the data that a run was trained on last; None where none is noted."""
    data = _noted(directory).get("data")
    return data if isinstance(data, str) else None


def note_progress(directory: Path, seconds: float, data: str, epoch_steps: int) -> None:
    """Writes how far a run has come, to be done with every checkpoint.

    Args:
        directory: the run's directory.
        seconds: of training, in all.
        data: the fingerprint of what it is trained on.
        epoch_steps: batches of an epoch of that.
    """
    noted = {"seconds": round(seconds, 3), "data": data, "epoch_steps": epoch_steps}
    write_json(directory / PROGRESS_FILE, noted)


def progress(directory: Path, model: Any, epoch_steps: int) -> Progress:
    """What a run has done, by its model and its directory."""
    return Progress(int(model.batches_seen.numpy()), read_seconds(directory), epoch_steps)


def with_goal(options: RunOptions, done: Progress, more: dict[str, float | None]) -> RunOptions:
    """Options whose goal is a length on top of what is done; the goal they have where none is.

    Args:
        options: the run's options.
        done: what it has done.
        more: `epochs`, `steps` or `minutes` to train further, at most one that is not None.
    """
    lengths = {name: value for name, value in more.items() if value is not None}
    if not lengths and not has_goal(options):
        if done.steps:  # a run of a version that kept no goal
            LOG.warning("this run has no goal on record: it trains %d epochs more", DEFAULT_EPOCHS)
        lengths = {"epochs": DEFAULT_EPOCHS}
    if not lengths:
        return options
    total = {"epochs": done.epochs, "steps": done.steps, "minutes": done.seconds / 60.0}
    goal: dict[str, Any] = dict.fromkeys(LENGTH)
    goal |= {name: total[name] + value for name, value in lengths.items()}
    return dataclasses.replace(options, **goal)


def has_goal(options: RunOptions) -> bool:
    """Whether a run knows how long it is to train; one of a version that kept no goal does not."""
    return any(getattr(options, name) is not None for name in LENGTH)


def steps_left(options: RunOptions, done: Progress) -> int | None:
    """Steps to the goal, None where it is a time; 0 when it is reached."""
    if options.minutes is not None:
        return None
    total = options.steps
    if total is None:
        total = (options.epochs or 0) * done.epoch_steps
    return max(0, total - done.steps)


def seconds_left(options: RunOptions, done: Progress) -> float | None:
    """Seconds to the goal, None where it is a number of steps; 0.0 when it is reached."""
    return None if options.minutes is None else max(0.0, options.minutes * 60 - done.seconds)


def is_reached(options: RunOptions, done: Progress) -> bool:
    """Whether there is nothing left to train."""
    return 0 in (steps_left(options, done), seconds_left(options, done))
