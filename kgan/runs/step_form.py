"""Whether XLA compiles a run's step: what was measured to be faster on this machine."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import logging
import os
import platform
import re
import statistics
import warnings
from collections.abc import Callable
from pathlib import Path

import keras
import psutil
import tensorflow as tf

from kgan import memory
from kgan.callbacks.periodic import Logs, StepCallback
from kgan.files import cache_directory, first_line, printable, whole_file
from kgan.reading import read_text
from kgan.runs import goal
from kgan.runs.options import RunOptions
from kgan.runs.step_options import StepOptions
from kgan.runs.step_timing import Clock, Figures, both_forms, on_processors
from kgan.telling import doing
from kgan.training import GAN, Autoencoder
from kgan.version import __version__

LOG = logging.getLogger("kgan")
FIRST_STEPS = 5  # of a run, as Keras has them whatever is chosen: they show its pace
SHORTEST = 180.0  # seconds of a run that is measured
# Of the run, and seconds, that measuring takes at most; in fewer than 15 no process gets so far.
SHARE, LEAST, LONGEST = 0.05, 15.0, 120.0
AGAIN = 1.5  # times the limit within which a trial did not finish
NETWORKS = ("preset", "size", "filters", "latent_dim", "minibatch_stddev", "freeze_d")
NO_MATTER = {"seed", "recipe", "jit_compile", "learning_rate", "g_learning_rate", "d_learning_rate"}
SETTINGS = (
    *("TF_ENABLE_ONEDNN_OPTS", "ONEDNN_MAX_CPU_ISA", "TF_XLA_FLAGS", "XLA_FLAGS"),
    *("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"),
)


class StepForm(StepCallback):
    """Has XLA compile the step of a run of `--jit-compile auto` where it was found to be faster.

    Chosen after the run's first steps, and kept in its options: it is resumed in the same form.

    Args:
        directory: the run's directory, where a copy of the model is meanwhile.
        options, done: its options, with its goal, and what it had done before this fit.
        keep: called with the options that hold the choice.
        stopping: whether the training is to end.
    """

    chief_only = True  # of several workers, none of which measures

    def __init__(
        self,
        directory: Path,
        options: RunOptions,
        done: goal.Progress,
        keep: Callable[[RunOptions], None],
        stopping: Callable[[], bool],
    ) -> None:
        super().__init__()
        self.directory, self.options, self.done = directory, options, done
        self._keep, self._stopping, self._clock = keep, stopping, Clock()

    def on_train_begin(self, logs: Logs = None) -> None:
        super().on_train_begin(logs)
        if self.done.steps >= FIRST_STEPS and self._take():
            LOG.warning("the step is %s (chosen before)", printable(self.options.xla_why, None))

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        super().on_train_batch_end(batch, logs)
        self._clock.on_train_batch_end(batch, logs)
        if self.done.steps + self.steps_taken == FIRST_STEPS:
            # What began before and kept no choice goes on as it began.
            if self.done.steps == 0 and self.options.xla is None:
                self._choose()
            self._take()

    def _take(self) -> bool:
        """Has the step in the form that was chosen; whether it can be, on these devices."""
        xla, model = self.options.xla, self.model
        if xla is None or _several_devices(model) or not on_processors():
            return False
        if xla and not _is_able(model):
            return False
        if xla != model.jit_compile:
            model.jit_compile = xla
            model.make_train_function(force=True)
        return True

    def _choose(self) -> None:
        seconds = goal.seconds_left(self.options, self.done)
        if seconds is None:
            steps = goal.steps_left(self.options, self.done) or 0
            seconds = steps * statistics.median(self._clock.seconds())
        figures, origin = self._found(seconds)
        if self._stopping():
            return
        if figures is None:
            form = "compiled" if self.model.jit_compile else "not compiled"
            LOG.warning("the step is %s with XLA (%s)", form, origin)
            return
        xla, words = figures.choice(seconds)
        LOG.warning("the step is %s (%s)", words, origin)
        self.options = dataclasses.replace(self.options, xla=xla, xla_why=words)
        self._keep(self.options)

    def _found(self, seconds: float) -> tuple[Figures | None, str]:
        """What was measured, for a run of so many seconds, and when; or None, and why not."""
        why_not = _why_not(self.model, seconds)
        if why_not:
            return None, f"not measured: {why_not}"
        path = _place(self.model, self.options)
        limit = min(LONGEST, max(LEAST, SHARE * seconds))
        known = _remembered(path)
        if known is not None and (known.xla or limit <= AGAIN * known.limit):
            return known, "measured before"
        size = self.options.images_per_step
        LOG.warning("measuring whether the step is faster with XLA, for at most %.0f s", limit)
        _remember(
            path, Figures(limit)
        )  # where the trial takes the training with it, it is the last
        try:
            with doing("trying the step with XLA"):
                figures = both_forms(self.model, size, limit, self.directory, self._stopping)
        except Exception as problem:  # whatever it is, it is no reason to end a training
            return None, f"not measured: {first_line(problem)}"
        if not self._stopping():
            _remember(path, figures)
        elif path is not None:
            path.unlink(missing_ok=True)
        return figures, "measured now"


def _several_devices(model: GAN | Autoencoder) -> bool:
    return model.distribute_strategy.num_replicas_in_sync > 1


def _why_not(model: GAN | Autoencoder, seconds: float) -> str | None:
    """Why nothing is measured for a run of so many seconds, in words; None where it is."""
    if seconds < SHORTEST:
        return f"the run is shorter than {SHORTEST / 60:.3g} minutes"
    if _several_devices(model):
        return "several devices train it"
    if not on_processors():
        return "the training holds the accelerator's memory"
    if memory.free() < psutil.Process().memory_info().rss:
        return "no memory is free for a copy"
    return None if _is_able(model) else "XLA cannot compile every layer, or op determinism is on"


def _is_able(model: GAN | Autoencoder) -> bool:
    """Whether Keras lets XLA compile the model's step."""
    before = model.jit_compile
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras's, of what it sets to False again
        model.jit_compile = True
    able, model.jit_compile = model.jit_compile, before
    return bool(able)


def _place(model: GAN | Autoencoder, options: RunOptions) -> Path | None:
    """Where the figures of such a step on this machine are kept; None without a home directory."""
    names = {field.name for field in dataclasses.fields(StepOptions)} - NO_MATTER | {*NETWORKS}
    facts = [[name, getattr(options, name)] for name in sorted(names)]
    facts += [["classes", getattr(model, "num_classes", None)], ["cores", _cores()]]
    attributes = getattr(model, "attributes", None)
    if attributes is not None:
        facts += [["attributes", len(attributes.names)]]
    facts += [[name, os.environ.get(name)] for name in SETTINGS]
    facts += [["versions", [__version__, tf.__version__, keras.__version__]]]
    with contextlib.suppress(OSError):
        listed = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        facts += sorted(set(re.findall(r"^(model name)\s*:(.*)$", listed, re.MULTILINE)))
    facts += [["machine", [platform.machine(), platform.processor()]]]
    name = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]
    try:
        return cache_directory() / "steps" / f"{name}.json"
    except RuntimeError:
        return None


def _cores() -> int | None:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _remembered(path: Path | None) -> Figures | None:
    """What was measured before; None where nothing was, or the file is none."""
    if path is None:
        return None
    try:
        figures = Figures.read(read_text(path))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        figures = None
    if figures is None:
        LOG.warning("what was measured of this step before is not readable: %s", path)
    return figures


def _remember(path: Path | None, figures: Figures) -> None:
    if path is not None:
        try:
            with whole_file(path) as temporary:
                temporary.write_text(figures.to_json(), encoding="utf-8")
        except OSError as error:  # a cache is no reason to fail
            LOG.warning("what was measured is not kept in %s (%s)", path, error.strerror)
