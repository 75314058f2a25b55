"""`Run`: a training on disk, `runs/NAME/`, that can be killed at any moment and resumed."""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path
from typing import Any

import tensorflow as tf

from kgan.callbacks import StopAfter, StopOnInterrupt
from kgan.data import Source
from kgan.errors import InputError
from kgan.files import missing, remove_empty
from kgan.runs import goal, heading, ready, scheduling, unstarted, watching
from kgan.runs.directory import (
    CONFIG_FILE,
    check_place,
    held,
    make_directory,
    read_options,
    write_options,
)
from kgan.runs.options import RunOptions, check_changes
from kgan.runs.problems import is_worth_saving, told_in_one_line
from kgan.runs.quality import RealImages
from kgan.runs.result import RunResult
from kgan.runs.run_checkpoint import RunCheckpoint
from kgan.runs.step_form import StepForm
from kgan.telling import Teller, telling
from kgan.training.distribution import check_divides, is_chief


class Run:
    """A run on disk, its `directory` and its `options`, every default of which is resolved.

    `create` makes a new one, `open` finds one, `train` trains it to its goal.
    """

    def __init__(
        self, directory: Path, options: RunOptions, strategy: Any, changes: dict | None = None
    ) -> None:
        self.directory, self.options = directory, options
        self.strategy = strategy or tf.distribute.get_strategy()
        self._chief = is_chief(self.strategy)
        self._changes = changes or {}
        self._created: ready.Ready | None = None  # by this process, and not trained yet
        self._above: list[Path] = []  # folders made for it

    @classmethod
    def create(
        cls,
        options: RunOptions,
        directory: str | os.PathLike[str],
        *,
        strategy: tf.distribute.Strategy | None = None,
        choose_width: bool = False,
    ) -> Run:
        """Makes a new run; nothing is trained yet.

        Args:
            options: what to train on what, and how long.
            directory: the run's directory, new and seen by all workers; the chief alone writes.
            strategy: as `make_strategy` makes it; None for the one in scope.
            choose_width: True to choose the width and the batch size, which the options leave
                open, for the run's length on this processor; False for the preset's.

        Raises:
            InputError: an option, data or a directory that cannot be used.
        """
        run = cls(Path(directory), options, strategy)
        if run._chief and run.directory.exists() and not unstarted.is_unstarted(run.directory):
            raise unstarted.exists(run.directory)
        check_place(run.directory)
        with told_in_one_line(run.directory, run.strategy):
            run._created, run.options = ready.begin(options, run.strategy, choose_width)
        if run._chief:
            run._above = missing(run.directory.parent)
            make = unstarted.begin_anew if run.directory.exists() else make_directory
            make(run.directory, run.options)
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
            directory, strategy: as for `create`; the strategy can be another than before.
            **changes: options that a run can change, such as `learning_rate`.

        Raises:
            InputError: it is not a run, or an option that cannot change.
        """
        changes = check_changes(changes)
        options = read_options(directory)
        schedule = scheduling.without_changes(options.schedule, changes)
        options = dataclasses.replace(options, **({"schedule": schedule} | changes))
        if options.batch_size is None:
            raise InputError(f"Not a run: no batch_size in {Path(directory) / CONFIG_FILE}")
        run = cls(Path(directory), options, strategy, changes)
        check_divides(run.strategy, run.options.images_per_step)
        return run

    def train(
        self, *, epochs: int | None = None, steps: int | None = None, minutes: float | None = None
    ) -> RunResult:
        """Trains to the run's goal, as if it had never stopped.

        Args:
            epochs, steps, minutes: at most one: how much more to train, which becomes the goal.
                An epoch that was begun counts as the first.

        Raises:
            InputError: another process trains it, or its data cannot be used.
            FullDisk, NotFinite, LostWorker: what ended it; what was trained is saved.
        """
        more = {"epochs": epochs, "steps": steps, "minutes": minutes}
        created, self._created = self._created, None
        with telling() as teller, held(self.directory, self._chief):
            with told_in_one_line(self.directory, self.strategy):
                training = created or ready.load(
                    self.directory, self.options, self._changes, self.strategy
                )
            try:
                with told_in_one_line(self.directory, self.strategy, training.source):
                    return self._train(*training, more, teller)
            except (InputError, KeyboardInterrupt):
                if created and self._chief and not int(training.model.batches_seen.numpy()):
                    shutil.rmtree(self.directory)
                    remove_empty(self._above)
                raise

    def _train(
        self,
        source: Source,
        model: Any,
        batches: tf.data.Dataset,
        real: RealImages | None,
        more: dict[str, Any],
        teller: Teller,
    ) -> RunResult:
        done = goal.progress(self.directory, model, source.good // self.options.images_per_step)
        first_goal = self.options if goal.has_goal(self.options) else None
        self.options = goal.with_goal(self.options, done, more)
        if goal.is_reached(self.options, done):
            return RunResult(self.directory, 0, 0.0, source.skipped, interrupted=False)
        if self._chief:  # unchanged too: when that was is when this training began
            write_options(self.directory, self.options)
        words = heading.heading(self.directory, self.options, done, source, model, teller.width())
        teller.say(words)
        length = scheduling.set_length(model, first_goal or self.options, done)
        checkpoint = RunCheckpoint(self.directory, source, self.options, done.seconds)
        stop = StopAfter(goal.steps_left(self.options, done), goal.seconds_left(self.options, done))
        progress = watching.progress_line(self.options, done, stop)
        watchers = watching.watchers(model, source, batches, self.options, self.directory, real)
        with StopOnInterrupt() as interrupt:  # until the model is saved
            try:
                model.fit(
                    batches,
                    initial_epoch=done.epochs,
                    steps_per_epoch=done.epoch_steps,
                    epochs=done.epochs + 10**9,  # `stop` ends it
                    callbacks=[
                        *length,
                        *self._step_form(done, interrupt),  # before a checkpoint is written
                        *watchers,
                        *checkpoint.callbacks(),
                        stop,
                        interrupt,
                        progress,
                    ],
                    shuffle=False,  # the pipeline has done it
                    verbose=0,
                )
            except Exception as problem:
                saves = self._chief and progress.steps_taken
                if saves and is_worth_saving(problem, self.directory, self.strategy):
                    checkpoint.finish()
                raise
            finally:
                watching.close(watchers)
            if self._chief:
                checkpoint.finish()
        return RunResult.after(self.directory, progress, source.skipped, interrupt.interrupted)

    def _step_form(self, done: goal.Progress, interrupt: StopOnInterrupt) -> list[StepForm]:
        def keep(options: RunOptions) -> None:
            self.options = options
            write_options(self.directory, options)

        if self.options.jit_compile != "auto":
            return []
        return [StepForm(self.directory, self.options, done, keep, lambda: interrupt.interrupted)]
