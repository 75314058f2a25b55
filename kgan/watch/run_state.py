"""How far a run has come, how fast, and in what state it is, by the files that it writes."""

from __future__ import annotations

import collections
import time
from pathlib import Path
from typing import Any, NamedTuple

from kgan.commands import resuming
from kgan.equilibrium import Judgement, judgement_under
from kgan.files import printable
from kgan.own_places import CONFIG_FILE, read_facts
from kgan.preset_list import has_one_mean
from kgan.runs.directory import MODEL_FILE, PROGRESS_FILE
from kgan.runs.options import LENGTH

SIGNS = 20  # steps of which the pace is taken
LONGEST_PAUSE = 600.0  # seconds; a training that was away longer is another
WRITTEN_TOGETHER = 5.0  # seconds between a training's last figures and its model
SILENT_AFTER = 180.0  # seconds; a checkpoint comes each minute
MOST_SETTINGS = 200


class Sign(NamedTuple):
    """That a run was at a step at some time, in seconds since 1970."""

    time: float = 0.0
    step: int = 0


class Pace:
    """The steps that a run was at, as its log tells them.

    Attributes:
        now: the last sign.
        epoch_steps: steps of an epoch, by two rows of the history; None while not known.
    """

    def __init__(self) -> None:
        self.now = Sign()
        self.epoch_steps: int | None = None
        self._signs: collections.deque[Sign] = collections.deque(maxlen=SIGNS)
        self._row: tuple[float, int] | None = None

    def step_is(self, when: float, step: int) -> None:
        """Notes that a training was at a step."""
        sign = Sign(when, step)
        if self._signs:
            last = self._signs[-1]
            if last.step == step:
                return
            if step < last.step or not 0 <= when - last.time < LONGEST_PAUSE:
                self._signs.clear()
        self._signs.append(sign)
        self.now = sign

    def epoch_ends(self, epoch: float, step: int) -> None:
        """Notes a row of the history; the one before a new epoch ended where its own did."""
        if self._row is not None and epoch > self._row[0] >= 0:
            self.epoch_steps = max(1, round(self._row[1] / (self._row[0] + 1)))
        self._row = (epoch, step)

    def steps_per_second(self) -> float | None:
        """Of the last signs; None while there are too few."""
        if len(self._signs) < 2:
            return None
        seconds = self._signs[-1].time - self._signs[0].time
        return (self._signs[-1].step - self._signs[0].step) / seconds if seconds > 0 else None


class Goal(NamedTuple):
    """What a run is made from and how long it has trained, as far as its files can be read.

    Attributes:
        options: what config.json holds; nothing where it cannot be read.
        seconds: of training, when progress.json was written last; None where it is not there.
        noted: when that was, in seconds since 1970.
        begun: when config.json was written last, as a training begins.
        epoch_steps: steps of an epoch, by progress.json; None where it does not tell.
    """

    options: dict[str, Any]
    seconds: float | None
    noted: float
    begun: float
    epoch_steps: int | None

    def judgement(self) -> Judgement:
        """How the discriminator's outputs are read, by the options."""
        loss, preset = self.options.get("loss"), self.options.get("preset")
        loss = loss if isinstance(loss, str) else None
        smoothing = _number(self.options.get("label_smoothing")) or 0.0
        smoothing = smoothing if 0.0 <= smoothing < 1.0 else 0.0
        one_mean = isinstance(preset, str) and has_one_mean(preset, loss)
        return judgement_under(loss, smoothing, one_mean)


def read_goal(directory: Path) -> Goal:
    """Reads config.json and progress.json; what cannot be read is as if it were not there."""
    options = read_facts(directory / CONFIG_FILE)
    noted = read_facts(directory / PROGRESS_FILE)
    epoch_steps = _number(noted.get("epoch_steps"))
    return Goal(
        options,
        _number(noted.get("seconds")),
        _changed(directory / PROGRESS_FILE),
        _changed(directory / CONFIG_FILE),
        int(epoch_steps) if epoch_steps and epoch_steps >= 1 else None,
    )


def facts(goal: Goal, pace: Pace, step: int, is_training: bool) -> dict[str, Any]:
    """How far a run has come, each None where it is not known.

    Args:
        goal: what the run's files say.
        pace: what its log says.
        step: where it is.
        is_training: whether time goes on for it.

    Returns:
        `step`, `steps` (in all), `epoch` (from 1), `epochs` (in all), `images_per_second`,
        `seconds` (trained), `seconds_in_all`, `seconds_left`, and `share`, 0 to 1, of its goal.
    """
    asked = {name: _number(goal.options.get(name)) for name in LENGTH}
    epoch_steps = goal.epoch_steps or pace.epoch_steps
    steps = asked["steps"]
    if steps is None and asked["epochs"] and epoch_steps:
        steps = asked["epochs"] * epoch_steps
    in_all = None if asked["minutes"] is None else 60.0 * asked["minutes"]
    seconds = goal.seconds
    if seconds is not None and is_training:
        # Of a training that was resumed, not the pause before it.
        seconds += max(0.0, time.time() - max(goal.noted, goal.begun))
    rate = pace.steps_per_second() or (step / seconds if seconds else None)
    batch = _number(goal.options.get("batch_size"))
    left = share = None
    if in_all and seconds is not None:
        left, share = max(0.0, in_all - seconds), seconds / in_all
    elif steps:
        left = max(0.0, steps - step) / rate if rate else None
        share = step / steps
    return {
        "step": step,
        "steps": steps,
        "epoch": None if epoch_steps is None else max(0, step - 1) // epoch_steps + 1,
        "epochs": asked["epochs"],
        "images_per_second": rate * batch if rate and batch else None,
        "seconds": seconds,
        "seconds_in_all": in_all,
        "seconds_left": left if is_training else None,
        "share": None if share is None else min(1.0, max(0.0, share)),
    }


def is_reached(known: dict[str, Any]) -> bool:
    """Whether a run has come to its goal, by what `facts` gave."""
    return known["share"] is not None and known["share"] >= 0.999


def state(directory: Path, is_there: bool, was_there: bool, life: float, reached: bool) -> str:
    """ "waiting", "gone", "ended", "silent" or "training".

    The lock on a run would tell too, but who tries it holds it for a moment, in which a training
    could not begin.

    Args:
        directory: the run's.
        is_there: whether it is.
        was_there: whether it has ever been.
        life: when a training wrote something last, in seconds since 1970.
        reached: whether it has come to its goal.
    """
    if not is_there:
        return "gone" if was_there else "waiting"
    model = _changed(directory / MODEL_FILE)
    if model and model >= life - WRITTEN_TOGETHER:
        return "ended"
    if time.time() - life < SILENT_AFTER:
        return "training"
    return "ended" if model and reached else "silent"  # a copy's times are those of the copying


def in_words(kind: str, life: float, known: dict[str, Any], directory: Path) -> str:
    """A state as a sentence or two."""
    if kind == "training":
        return "In training." if known["step"] else "Begun; no step is on record yet."
    if kind == "waiting":
        return "This run has not begun yet. The page waits for it."
    if kind == "gone":
        return "The run's directory is no longer there. What it told last stays here."
    if kind == "silent":
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(life)) if life else "its beginning"
        return f"No news since {when}. If it was stopped: {resuming(directory)}"
    if is_reached(known):
        return "Ended: its goal is reached."
    return f"Ended before its goal. To go on: {resuming(directory)}"


def settings(options: dict[str, Any]) -> list[list[str]]:
    """(name, value) of what config.json holds, as text; without what is not set."""
    chosen = [(name, value) for name, value in options.items() if value is not None]
    return [[printable(name, 100), _in_text(value)] for name, value in chosen[:MOST_SETTINGS]]


def _in_text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        value = ", ".join(map(str, value)) or "none"
    return printable(value)


def _number(value: Any) -> float | None:
    """A finite number from a file; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if abs(value) < 1e15 else None  # not NaN either


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
