"""What a run saves during training: the model, its time, and which files were skipped."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import keras

from kgan.callbacks import Checkpoint, CSVHistory, RollBack
from kgan.data import Source
from kgan.errors import InputError
from kgan.files import whole_file
from kgan.option_fields import parse_interval
from kgan.reading import read_text
from kgan.runs.directory import (
    CHECKPOINT_FILE,
    HISTORY_FILE,
    MODEL_FILE,
    SKIPPED_FILE,
    write_json,
)
from kgan.runs.goal import note_progress
from kgan.runs.options import RunOptions
from kgan.training.saving import save_whole


class RunCheckpoint(Checkpoint):
    """A checkpoint of a run, with how long it has trained and which files were skipped.

    Args:
        directory: the run's directory.
        source: its data.
        options: its options.
        seconds_before: how long the run had trained before this fit.
    """

    def __init__(
        self, directory: Path, source: Source, options: RunOptions, seconds_before: float
    ) -> None:
        interval = parse_interval(options.checkpoint_every)
        if "every_minutes" in interval:
            interval = {"every_seconds": 60.0 * interval["every_minutes"]}
        super().__init__(directory / CHECKPOINT_FILE, **interval)
        self.directory = directory
        self.epoch_steps = max(1, source.good // options.images_per_step)
        self.source = source
        self.data = source.fingerprint()
        self.seconds_before = seconds_before

    def callbacks(self) -> list[keras.callbacks.Callback]:
        """Itself, with what belongs to it: the history, and the way back to the checkpoint."""
        return [CSVHistory(self.directory / HISTORY_FILE), self, RollBack(self.path)]

    def on_train_begin(self, logs: Any = None) -> None:
        self._began_at = time.monotonic()
        super().on_train_begin(logs)

    def save(self) -> None:
        self._note()
        super().save()

    def on_train_end(self, logs: Any = None) -> None:
        pass  # `finish` comes

    def finish(self) -> None:
        """Saves the model as the run's result, or as it was before its numbers went wrong."""
        self._note()
        path = self.directory / MODEL_FILE
        if self.model.in_trouble() and self.path.exists():
            with whole_file(path, durable=True) as temporary:
                shutil.copyfile(self.path, temporary)
        else:
            save_whole(self.model, path)

    def _note(self) -> None:
        """Notes what belongs to a model, before it is saved.

        With the skipped files a resumed run finds its place in an epoch without decoding what
        came before.
        """
        seconds = self.seconds_before + time.monotonic() - self._began_at
        note_progress(self.directory, seconds, self.data, self.epoch_steps)
        if self.source.skipped:
            broken = {**self.source.what_is_broken(), "skipped": dict(self.source.skipped)}
            write_json(self.directory / SKIPPED_FILE, broken)


def remember_skipped(source: Source, directory: Path) -> None:
    """Reminds a source of the files that were skipped before.

    Raises:
        InputError: the list of them cannot be read.
    """
    path = directory / SKIPPED_FILE
    if not path.is_file():
        return
    try:
        source.expect_broken(json.loads(read_text(path)))
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        raise InputError(f"Not a readable list of skipped pictures: {path}") from None
