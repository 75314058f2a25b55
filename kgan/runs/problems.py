"""What an exception that ends a training means, in one place."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf

from kgan.commands import resuming
from kgan.data import Source
from kgan.errors import FullDisk, InputError, KganError, LostWorker
from kgan.file_systems import no_room
from kgan.files import first_line
from kgan.memory import out_of_memory
from kgan.runs.directory import CONFIG_FILE
from kgan.runs.load import find_model, has_model
from kgan.training.distribution import has_workers
from kgan.training.saving import batches_seen


@contextlib.contextmanager
def told_in_one_line(
    directory: Path, strategy: tf.distribute.Strategy, source: Source | None = None
) -> Iterator[None]:
    """Context manager: raises a `KganError` in place of an exception whose meaning is known.

    Args:
        directory: the run's directory.
        strategy: the strategy that it trains under.
        source: its data, once they are open.
    """
    try:
        yield
    except Exception as problem:
        known = meaning(problem, directory, strategy, source)
        if known is None or known is problem:
            raise
        raise known from problem


def meaning(
    problem: Exception,
    directory: Path,
    strategy: tf.distribute.Strategy,
    source: Source | None = None,
) -> Exception | None:
    """The exception to raise in place of one that ended a training; None for an unknown one."""
    full = full_disk(problem, directory)
    if full is not None:
        return full
    if isinstance(problem, KganError):
        return problem
    if source is not None and source.error is not None:  # raised while decoding; tf has wrapped it
        return source.error
    if source is not None and isinstance(problem, tf.errors.DataLossError):
        saved = "; what was trained so far is saved" if has_model(directory) else ""
        return InputError(
            f"The data are damaged{saved}. Received: {source.damaged()} "
            f"({first_line(Exception(problem.message))})"
        )
    exhausted = out_of_memory(problem)
    if exhausted is not None:
        return exhausted
    if isinstance(problem, tf.errors.OpError) and has_workers(strategy):
        begun = (directory / CONFIG_FILE).exists()
        again = f" with {resuming(directory)}" if begun else ""
        return LostWorker(
            "The other workers no longer answer; where they are gone, start all again"
            f"{again}. Received: {type(problem).__name__}"
        )
    return None


def is_worth_saving(problem: Exception, directory: Path, strategy: tf.distribute.Strategy) -> bool:
    """Whether a model is worth saving after an exception ended its training."""
    # With several workers the step under way may have been half done.
    half_done = has_workers(strategy) and isinstance(problem, tf.errors.OpError)
    return not half_done and full_disk(problem, directory) is None


def full_disk(problem: BaseException, directory: Path) -> FullDisk | None:
    """A `FullDisk` to raise in place of an exception, or None if it is something else.

    Args:
        problem: the exception that ended a training.
        directory: the run's directory.
    """
    full = no_room(problem)
    if full is None:
        return None
    return FullDisk(
        f"{full.strerror}: {full.filename or directory}. {_what_is_saved(directory)}; make room, "
        f"then go on with {resuming(directory)}"
    )


def _what_is_saved(directory: Path) -> str:
    if not has_model(directory):
        return "Nothing was trained yet"
    return f"Everything up to step {batches_seen(find_model(directory, best=False))} is saved"
