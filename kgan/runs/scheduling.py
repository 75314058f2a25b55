"""A run's schedules: which it has, and the length that they go over."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from kgan.callbacks.periodic import Logs, StepCallback
from kgan.errors import InputError
from kgan.models import Preset, get_preset
from kgan.option_fields import parse_schedule, schedule_text, spelling
from kgan.runs import goal
from kgan.runs.options import RunOptions
from kgan.training import GAN, Autoencoder
from kgan.training.cosine import RATES, by_network
from kgan.training.distribution import has_workers
from kgan.training.schedules import GAMMAS

# A run of so many minutes is measured for this share of them, and for this many steps.
MEASURED_SHARE = 0.05
MEASURED_STEPS = 20
PAUSE = 10

Ends = dict[str, tuple[float, float]]


def schedules_of(options: RunOptions, image_shape: tuple[int, ...]) -> Ends:
    """Name -> (first, last) of what the run schedules.

    Those of `--schedule`; without it the preset's, but for what another option says.

    Raises:
        InputError: `--schedule` and another option say different things.
    """
    own = get_preset(options.preset, Preset).schedules_at(image_shape)
    given = _given(options)
    if options.schedule is not None:
        ends = parse_schedule(options.schedule)
        for name, (start, end) in by_network(ends).items():
            # A run's own config.json has both, and they agree.
            if name in given and f"{given[name]:.6g}" not in (f"{start:.6g}", f"{end:.6g}"):
                raise InputError(
                    f"{spelling(name)} and --schedule say different things: give one of them. "
                    f"Received: {given[name]:g}, and from {start:g} to {end:g}"
                )
        return ends
    if options.loss not in (None, get_preset(options.preset, Preset).loss):
        given |= dict.fromkeys(GAMMAS, 0.0)
    if options.diffaugment is not None or options.ada:
        given["augment_probability"] = 1.0
    return _without(own, given)


def _without(ends: Ends, names: Iterable[str]) -> Ends:
    if not set(RATES[1:]) & set(names):
        return {name: pair for name, pair in ends.items() if name not in names}
    return {name: pair for name, pair in by_network(ends).items() if name not in names}


def without_changes(schedule: str | None, changes: dict[str, Any]) -> str | None:
    """A run's schedule without the learning rates that a resumed run is told to have."""
    if schedule is None:
        return None
    return schedule_text(_without(parse_schedule(schedule), changes))


def _given(options: RunOptions) -> dict[str, float]:
    """What options say of what could be scheduled."""
    names = (*RATES, *GAMMAS, "ema_half_life_images")
    values = {name: getattr(options, name) for name in names}
    given = {name: value for name, value in values.items() if value is not None}
    if "learning_rate" in given:
        given = dict.fromkeys(RATES, given["learning_rate"]) | given
    return given


def first_values(ends: Ends) -> dict[str, float]:
    """Name of an option -> what a model is made with under these schedules."""
    first = {name: start for name, (start, _) in ends.items()}
    # Above 0, and below 1: else neither is looked at when the model is made.
    for name, choose in (("ema_half_life_images", max), ("augment_probability", min)):
        if name in ends:
            first[name] = choose(ends[name])
    return first


def set_length(
    model: GAN | Autoencoder, options: RunOptions, done: goal.Progress
) -> list[StepCallback]:
    """Gives a model's schedules the length in images of a run's goal, where they have none yet.

    That is the goal it was made with, and they keep it: a run that is trained beyond goes on with
    their last values. In a run of so many minutes it is known after a while, see `MeasureLength`.

    Returns:
        The callbacks that this takes.

    Raises:
        InputError: several workers and minutes; each would measure for itself.
    """
    if not isinstance(model, GAN) or not model.schedules or int(model.schedule_images.numpy()):
        return []
    if options.minutes is None:
        steps = done.steps + (goal.steps_left(options, done) or 0)
        model.schedule_images.assign(steps * options.images_per_step)
        return []
    if has_workers(model.distribute_strategy):
        raise InputError(
            "Several workers cannot measure how far schedules go: give --epochs or --steps, or "
            f"--schedule none. Received: {options.minutes:g} minutes"
        )
    return [MeasureLength(options.minutes * 60, done.seconds)]


def _seconds_of_a_step(times: list[float]) -> float:
    """By the times at which steps ended; pauses of more than `PAUSE` usual steps do not count."""
    steps = np.maximum(np.diff(times), 1e-6)
    return float(np.mean(steps[steps <= PAUSE * np.median(steps)]))


class MeasureLength(StepCallback):
    """Tells a model how many images its schedules go over in a run of so many seconds.

    After `MEASURED_SHARE` of the time, and `MEASURED_STEPS` steps, the images a second since the
    first step are taken for those of the whole, without the pauses, which are rarer later: a step
    compiled anew, a trial of XLA, a sheet of samples. Until then schedules stand at their first
    values; then the length is the model's, and saved with it.

    Args:
        seconds: the run's, in all.
        seconds_before: those of them that it was trained before.
    """

    def __init__(self, seconds: float, seconds_before: float) -> None:
        super().__init__()
        self.seconds = seconds
        self.seconds_before = seconds_before

    def on_train_begin(self, logs: Logs = None) -> None:
        super().on_train_begin(logs)
        self._began_at = time.monotonic()
        self._first: tuple[int, int] | None = None  # steps, images
        self._times: list[float] = []  # when each step since ended
        self._measured = False

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        super().on_train_batch_end(batch, logs)
        if self._measured:
            return
        self._times.append(time.monotonic())
        if self._first is None:  # the time to trace the step is not the others'
            self._first = self.steps_taken, self._seen()
            return
        steps, images = self._first
        enough = self.steps_taken - steps >= MEASURED_STEPS
        gone = self._times[-1] - self._began_at
        if enough and gone >= MEASURED_SHARE * self.seconds:
            each = (self._seen() - images) / (self.steps_taken - steps)
            left = max(self.seconds - self.seconds_before - gone, 0.0)
            ahead = round(left * each / _seconds_of_a_step(self._times))
            self.model.schedule_images.assign(self._seen() + ahead)
            self._measured = True

    def _seen(self) -> int:
        return int(self.model.images_seen.numpy())
