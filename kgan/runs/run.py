"""`Run`: a training on disk, `runs/NAME/`, that can be killed at any moment and resumed."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from kgan import callbacks
from kgan.errors import FullDisk, InputError, NotFinite
from kgan.option_fields import Interval, options_of
from kgan.runs import build, goal
from kgan.runs.directory import HISTORY_FILE, held, make_directory, read_options, write_options
from kgan.runs.load import check_same_classes, has_model, load_model
from kgan.runs.options import RunOptions
from kgan.runs.problems import full_disk, told_in_one_line
from kgan.runs.run_checkpoint import RunCheckpoint, remember_skipped
from kgan.runs.start_from import take_weights
from kgan.training.distribution import check_divides, has_workers, is_chief


@dataclasses.dataclass(frozen=True)
class RunResult:
    """What a training did.

    Attributes:
        directory: the run's directory.
        steps: steps taken now; 0 where the goal was reached before.
        images_per_second: mean rate after the first step.
        skipped: images that could not be decoded, path -> reason.
        interrupted: it was stopped by Ctrl-C or SIGTERM.
    """

    directory: Path
    steps: int
    images_per_second: float
    skipped: dict[str, str]
    interrupted: bool


class Run:
    """A run on disk; `create` makes a new one, `open` finds one, `train` trains it to its goal.

    Attributes:
        directory: its directory.
        options: its `RunOptions`, every default resolved.
    """

    def __init__(
        self, directory: Path, options: RunOptions, strategy: tf.distribute.Strategy | None
    ) -> None:
        self.directory = directory
        self.options = options
        self.strategy = strategy or tf.distribute.get_strategy()
        self.chief = is_chief(self.strategy)
        self._changes: dict[str, Any] = {}
        self._new: tuple | None = None  # source and model of a run that was just created

    @classmethod
    def create(
        cls,
        options: RunOptions,
        directory: str | os.PathLike[str],
        *,
        strategy: tf.distribute.Strategy | None = None,
    ) -> Run:
        """Makes a new run; nothing is trained yet.

        Args:
            options: what to train on what, and how long.
            directory: the run's directory; it must not exist.
            strategy: a tf.distribute strategy, as `make_strategy` makes it; None for the one in
                scope. Each of several workers calls this, with a directory that all see; the
                chief alone writes files.

        Raises:
            InputError: an option or data that cannot be used, or a directory that exists or
                cannot be made.
        """
        run = cls(Path(directory), options, strategy)
        if run.chief and run.directory.exists():
            raise InputError(
                f"This run exists; choose another name or resume it. Received: {directory}"
            )
        source, model = run._new = run._begin()
        run.options = build.resolved(options, model, source)
        check_divides(run.strategy, run.options.batch_size)
        if run.chief:
            make_directory(run.directory, run.options)
        return run

    @classmethod
    def open(
        cls,
        directory: str | os.PathLike[str],
        *,
        strategy: tf.distribute.Strategy | None = None,
        **changes: Any,
    ) -> Run:
        """A run that exists.

        Args:
            directory: the run's directory.
            strategy: as for `create`; it need not be the one it began with.
            **changes: options that a run can change, such as `learning_rate`; its length is
                given to `train`.

        Raises:
            InputError: it is not a run, or an option that cannot change.
        """
        run = cls(Path(directory), read_options(directory), strategy)
        fixed = [name for name in changes if not options_of(RunOptions)[name].on_resume]
        if fixed:
            raise InputError(f"A run keeps its own {fixed[0]}. Received: {changes[fixed[0]]!r}")
        if "learning_rate" in changes:  # of both networks, unless they have their own
            rate = changes["learning_rate"]
            changes = {"g_learning_rate": rate, "d_learning_rate": rate} | changes
        run.options = dataclasses.replace(run.options, **changes)
        run._changes = changes
        check_divides(run.strategy, run.options.batch_size)
        return run

    def train(
        self,
        *,
        epochs: int | None = None,
        steps: int | None = None,
        minutes: float | None = None,
    ) -> RunResult:
        """Trains to the run's goal, or further, as if it had never stopped.

        Killed, a run goes on from its last checkpoint, before the first one from its beginning.

        Args:
            epochs, steps, minutes: one of them: how much more to train, which becomes the
                goal. An epoch that was begun counts as the first. None of them for the goal
                that the run has.

        Raises:
            InputError: another process trains it, or its data cannot be used.
            FullDisk, NotFinite, LostWorker: what ended it; what was trained is saved.
        """
        more = {"epochs": epochs, "steps": steps, "minutes": minutes}
        with held(self.directory) if self.chief else contextlib.nullcontext():
            source, model = self._new or self._load()
            created, self._new = self._new is not None, None
            try:
                with told_in_one_line(self.directory, source, self.strategy):
                    return self._train(source, model, more)
            except (FullDisk, NotFinite):  # there is something to look at
                raise
            except InputError:
                if created and self.chief and not int(model.batches_seen.numpy()):
                    shutil.rmtree(self.directory)
                raise

    def _begin(self) -> tuple:
        """The source and the untrained model, the same each time."""
        keras.utils.set_random_seed(self.options.seed)
        source = build.open_source(self.options)
        with self.strategy.scope():
            model = build.new_model(self.options, source)
            if self.options.start_from is not None:
                take_weights(model, self.options.start_from)
        return source, model

    def _load(self) -> tuple:
        """The source and the model as they were at the last checkpoint."""
        if has_model(self.directory):
            with self.strategy.scope():
                model = load_model(self.directory)
            build.set_learning_rates(model, self._changes)
            keras.utils.set_random_seed(self.options.seed)
            source = build.open_source(self.options)
        else:
            source, model = self._begin()
        check_same_classes(source, self.options, model)
        remember_skipped(source, self.directory)
        return source, model

    def _train(self, source: Any, model: Any, more: dict[str, Any]) -> RunResult:
        batches = build.make_batches(source, self.options, model)
        done = goal.Progress(
            steps=int(model.batches_seen.numpy()),
            seconds=goal.read_seconds(self.directory),
            epoch_steps=source.good // self.options.batch_size,
        )
        self.options = goal.with_goal(self.options, done, more)
        if self.chief:
            write_options(self.directory, self.options)
        steps, seconds = goal.steps_left(self.options, done), goal.seconds_left(self.options, done)
        if 0 in (steps, seconds):
            return RunResult(self.directory, 0, 0.0, source.skipped, False)
        stop = callbacks.StopAfter(steps, seconds)
        interrupt = callbacks.StopOnInterrupt()
        checkpoint = RunCheckpoint(
            self.directory, source, Interval.parse(self.options.checkpoint_every), done.seconds
        )
        progress = callbacks.ProgressLine(
            self.options.batch_size,
            first_epoch=done.epochs,
            epochs=self.options.epochs and self.options.epochs - done.epochs,
            epoch_steps=done.epoch_steps,
            epoch_begun=done.steps % done.epoch_steps,
            stop=stop,
        )
        watching = build.watchers(model, source, batches, self.options, self.directory)
        history = callbacks.CSVHistory(self.directory / HISTORY_FILE)
        roll_back = callbacks.RollBack(checkpoint.path)
        with interrupt:  # until the model is saved
            try:
                model.fit(
                    batches,
                    initial_epoch=done.epochs,
                    steps_per_epoch=done.epoch_steps,
                    epochs=done.epochs + 10**9,  # `stop` ends it
                    callbacks=[*watching, history, checkpoint, roll_back, stop, interrupt, progress],
                    shuffle=False,  # the pipeline has done it
                    verbose=0,
                )
            except Exception as problem:
                if progress.steps_taken and self.chief and self._is_worth_saving(problem):
                    checkpoint.finish()
                raise
            interrupted = interrupt.interrupted
            if self.chief:
                checkpoint.finish()
        rate = progress.images_per_second()
        return RunResult(self.directory, progress.steps_taken, rate, source.skipped, interrupted)

    def _is_worth_saving(self, problem: Exception) -> bool:
        # With several workers the step under way may have been half done.
        half_done = has_workers(self.strategy) and isinstance(problem, tf.errors.OpError)
        return not half_done and full_disk(problem, self.directory) is None
