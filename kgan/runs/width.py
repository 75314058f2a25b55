"""The width and batches of a run that nobody chose, on a processor: what its length has steps for.

On a few cores in minutes the number of steps counts for more than width.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Iterable

import keras
import tensorflow as tf

from kgan.data import Source
from kgan.models import get_preset
from kgan.runs import build
from kgan.runs.data_options import DEFAULT_EPOCHS
from kgan.runs.options import LENGTH, RunOptions
from kgan.runs.step_timing import Clock, made_up_batches, on_processors
from kgan.telling import doing
from kgan.training.distribution import has_workers

WIDTHS = (8, 16, 32)  # and the preset's own
TIMED = (8, 32)  # the seconds of the others follow from those of these
BATCH_SIZE = 32
STEPS = 10_000  # that a run of so many minutes should have at least
MINUTES = 15.0  # that a run of so many steps or epochs should take at most
TRIAL = {"steps": 500, "minutes": 0.5}  # a shorter run has the preset's own width, as it is asked
TIMED_STEPS = 5


def chosen(options: RunOptions, source: Source, strategy: tf.distribute.Strategy) -> RunOptions:
    """The options with a width and a batch size.

    In so many minutes it is the widest with which there are `STEPS` steps, or the narrowest; in
    so many steps or epochs the widest that ends within `MINUTES`, or the narrowest. Two widths
    are timed for a few steps.

    Args:
        options: a run's that leave its width and its batch size to the preset.
        source: what it trains on.
        strategy: what it trains in. Where that is not one device, or there is an accelerator, the
            preset's own stay; so they do in a run as short as a trial.
    """
    if options.filters is not None or options.batch_size is not None:
        return options
    preset = get_preset(options.preset)
    several = strategy.num_replicas_in_sync > 1 or has_workers(strategy)
    elsewhere = several or not on_processors()
    if elsewhere or preset.filters is None or source.good < 2 or _is_trial(options):
        return options
    batch_size = min(BATCH_SIZE, preset.batch_size, source.good)
    options = dataclasses.replace(options, batch_size=batch_size)

    def timed(filters: int) -> float:
        return seconds_per_step(dataclasses.replace(options, filters=filters), source)

    narrow, wide = TIMED
    seconds = {narrow: timed(narrow)}
    if has_time(options, source.good, seconds[narrow]):  # else a wider one has not either
        widths = {*WIDTHS, preset.filters}
        seconds = _of_all(widths, seconds[narrow], timed(wide))
    fitting = [f for f in seconds if has_time(options, source.good, seconds[f])]
    filters = max(fitting, default=narrow)
    words = (
        f"{filters} filters and batches of {batch_size}, which suit this length on this processor "
        f"(about {batch_size / seconds[filters]:,.0f} images/s)"
    )
    return dataclasses.replace(options, filters=filters, fitted=words)


def _is_trial(options: RunOptions) -> bool:
    return any(
        length is not None and length < TRIAL[name]
        for name, length in (("steps", options.steps), ("minutes", options.minutes))
    )


def _of_all(widths: Iterable[int], narrow: float, wide: float) -> dict[int, float]:
    """Width -> seconds of a step: a part that all have, and one that grows by the square."""
    square = max(0.0, wide - narrow) / (TIMED[1] ** 2 - TIMED[0] ** 2)
    return {filters: narrow + square * (filters**2 - TIMED[0] ** 2) for filters in widths}


def has_time(options: RunOptions, count: int, seconds: float) -> bool:
    """Whether a run of `count` images has `STEPS` steps, or ends within `MINUTES`.

    Args:
        options: the run's, with a batch size.
        count: the number of its images.
        seconds: what a step takes.
    """
    if options.minutes is not None:
        return options.minutes * 60 >= STEPS * seconds
    length = {name: getattr(options, name) for name in LENGTH if getattr(options, name)}
    length = length or get_preset(options.preset).length or {"epochs": DEFAULT_EPOCHS}
    steps = length.get("steps") or length["epochs"] * max(1, count // options.images_per_step)
    return steps * seconds <= MINUTES * 60


def seconds_per_step(options: RunOptions, source: Source) -> float:
    """What a step of such a run takes here, of a model that is then thrown away.

    Keras's seed is what it is at the beginning of the run, before and after.
    """
    model = build.new_model(options, source)
    batches = made_up_batches(model, options.images_per_step)
    clock = Clock()
    with doing(f"timing a width of {options.filters}"):
        model.fit(batches.take(1 + TIMED_STEPS), callbacks=[clock], shuffle=False, verbose=0)
    keras.utils.set_random_seed(options.seed)
    return statistics.median(clock.seconds())
