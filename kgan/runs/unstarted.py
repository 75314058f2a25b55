"""Runs that were ended before their first step: nothing in them is worth keeping."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

from kgan.callbacks.sample_sheets import LATEST
from kgan.errors import InputError
from kgan.files import printable
from kgan.leftovers import NAME
from kgan.runs.directory import (
    BEST_FILE,
    CHECKPOINT_FILE,
    CONFIG_FILE,
    LOCK_FILE,
    LOGS,
    PROGRESS_FILE,
    SAMPLES,
    SKIPPED_FILE,
    held,
    write_options,
)
from kgan.runs.options import RunOptions
from kgan.training.saving import batches_seen

LOG = logging.getLogger("kgan")
CHECKPOINTS = str(Path(CHECKPOINT_FILE).parent)
BEFORE_A_STEP = {CONFIG_FILE, PROGRESS_FILE, SKIPPED_FILE, CHECKPOINTS, SAMPLES, LOGS}


def is_unstarted(directory: Path) -> bool:
    """Whether a directory is empty, or holds a run of which no step is left."""
    try:
        names = {name for name in os.listdir(directory) if not NAME.fullmatch(name)} - {LOCK_FILE}
        if not names:
            return True
        if CONFIG_FILE not in names or names - BEFORE_A_STEP or (directory / BEST_FILE).exists():
            return False
        checkpoint, sheets = directory / CHECKPOINT_FILE, directory / SAMPLES
        drawn = [sheet for sheet in sheets.glob("[!.]*") if sheet.name != LATEST]
        if any(int(sheet.stem.removeprefix("step-")) for sheet in drawn):
            return False
        return not checkpoint.exists() or not batches_seen(checkpoint)
    except (OSError, ValueError):  # it cannot be read, or is not a run's
        return False


def begin_anew(directory: Path, options: RunOptions) -> None:
    """Makes a run in a directory that `is_unstarted`.

    Raises:
        InputError: it holds a run by now, or another process trains it.
    """
    with held(directory):
        if not is_unstarted(directory):
            raise exists(directory)
        if (directory / CONFIG_FILE).exists():
            LOG.warning("a run of this name took no step: begun anew: %s", printable(directory))
        for path in directory.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name not in (LOCK_FILE, CONFIG_FILE):
                path.unlink()
        write_options(directory, options)


def exists(directory: Path) -> InputError:
    """The exception to raise where a run is there already."""
    return InputError(f"This run exists; choose another name or resume it. Received: {directory}")
