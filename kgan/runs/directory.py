"""A run's directory: there with its options or not at all, and held by one training at a time."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock

from kgan.errors import InputError
from kgan.file_systems import go_on_without_locks
from kgan.files import printable, staging_directory, whole_file, writing
from kgan.leftovers import sweep
from kgan.names import path_of_text, text_of_path
from kgan.option_fields import from_mapping
from kgan.own_places import CONFIG_FILE, kind_of
from kgan.reading import read_text
from kgan.runs.options import RunOptions

RUNS = "runs"  # where they are, unless another place is named
MODEL_FILE = "model.keras"
CHECKPOINT_FILE = "checkpoints/last.keras"
BEST_FILE = "checkpoints/best.keras"
SKIPPED_FILE = "skipped.json"
PROGRESS_FILE = "progress.json"
EVALUATION_FILE = "evaluation.json"
HISTORY_FILE = "history.csv"
CURVES_FILE = "curves.csv"
TRACKER_FILE = "tracker.json"
LOCK_FILE = ".lock"
SAMPLES = "samples"
LOGS = "logs"
EVERYTHING = "all"  # as `kgan.data.splits.ALL`, from which importing would take seconds
STORE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")  # begins what is no path, such as s3://
# Options that name a place.
PATHS = ("data", "attributes", "manual_dir", "download_dir", "start_from")


def check_place(directory: Path) -> None:
    """Raises an InputError where a run's directory cannot be made, before anything is done for it.

    Args:
        directory: its path.
    """
    scheme = STORE.fullmatch(directory.parts[0]) if directory.parts else None
    if scheme:
        rest = "/".join(directory.parts[1:])
        raise InputError(
            "A run is in a folder, of this machine or one that all workers see: mount the store, "
            f"or copy the run there when it has ended. Received: {printable(scheme[0])}//{rest}"
        )
    place = next((parent for parent in directory.parents if parent.exists()), Path())
    if not place.is_dir():
        raise InputError(
            f"Cannot make the run there: {printable(place)} is not a directory. "
            f"Received: {printable(directory)}"
        )


def make_directory(directory: Path, options: RunOptions) -> None:
    """Makes a run's directory with its options, at once: a kill leaves a run or nothing.

    Args:
        directory: the path, where there must be nothing yet.
        options: what config.json is to hold.

    Raises:
        InputError: it cannot be made there.
    """
    parent = directory.parent
    with writing("Cannot make the run there", directory), staging_directory(parent) as staging:
        write_options(staging, options)
        staging.rename(directory)


def write_options(directory: Path, options: RunOptions) -> None:
    """Writes config.json."""
    values = dataclasses.asdict(options)
    values |= {name: text_of_path(values[name]) for name in PATHS if values[name] is not None}
    write_json(directory / CONFIG_FILE, values, indent=2)


def read_options(directory: str | os.PathLike[str]) -> RunOptions:
    """The options of a run.

    Raises:
        InputError: it is not a run, or config.json holds what an option cannot be.
    """
    path = Path(directory) / CONFIG_FILE
    try:
        values = json.loads(read_text(path, "utf-8-sig"))
        if not isinstance(values, dict):
            raise ValueError
        values.setdefault("precision", "float32")  # "auto" would not be what it began with
        values.setdefault("schedule", "none")  # of a version without
        for name in PATHS:
            if isinstance(values.get(name), str):
                values[name] = path_of_text(values[name])
        if values.get("split") is None and os.path.isdir(str(values.get("data"))):
            values["split"] = EVERYTHING  # of a version to which train/ and test/ were classes
    except (OSError, ValueError, RecursionError):
        raise InputError(f"Not a run: no readable {CONFIG_FILE} in {directory}") from None
    try:
        return from_mapping(RunOptions, values)
    except InputError as error:
        raise InputError(f"Not a run: in {path} {error}") from None


def newest_run(folder: str | os.PathLike[str] = RUNS) -> Path:
    """The run in a folder that was begun, or resumed, last.

    Raises:
        InputError: there is none.
    """
    found = []
    with contextlib.suppress(OSError):
        for run in Path(folder).iterdir():
            with contextlib.suppress(OSError):  # one that is taken away meanwhile
                if not run.name.startswith(".") and kind_of(run, os.listdir(run)) == "run":
                    found.append(((run / CONFIG_FILE).stat().st_mtime, run))
    if not found:
        raise InputError(f"There is no run in this folder; name one. Received: {folder}")
    return max(found)[1]


def write_json(path: Path, value: Any, indent: int = 1) -> None:
    """Writes a JSON file, whole and on the disk or not at all."""
    with whole_file(path, durable=True) as temporary:
        temporary.write_text(json.dumps(value, indent=indent) + "\n", encoding="utf-8")


@contextlib.contextmanager
def held(directory: Path, really: bool = True) -> Iterator[None]:
    """Context manager: this process alone trains the run, and what killed ones left is removed.

    The system itself releases the lock when a process ends, however it ends. Not `really`: where
    another worker holds it for this one.

    Raises:
        InputError: another process trains it.
    """
    if not really:
        yield
        return
    lock = filelock.FileLock(directory / LOCK_FILE)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its own, of two lines, where there are no locks
            lock.acquire(timeout=0)
    except filelock.Timeout:
        raise InputError(
            "Another process is training this run; stop it first, or train a run of another "
            f"name. Received: {directory}"
        ) from None
    except OSError as error:
        with writing("Cannot lock this run", directory):
            go_on_without_locks(error)
    try:
        checkpoints = (directory / CHECKPOINT_FILE).parent
        for folder in (directory, checkpoints, directory / SAMPLES):
            sweep(folder)
        # Keras writes these beside a checkpoint; only a training does, and no other is alive.
        for leftover in checkpoints.glob("tmp????????"):
            leftover.unlink(missing_ok=True)
        yield
    finally:
        lock.release()
