"""`FollowedRun`: what a run's directory tells of the run, all of it or what is new."""

from __future__ import annotations

import math
import secrets
import threading
import time
from pathlib import Path
from typing import Any

from kgan.files import printable
from kgan.names import text_of_path
from kgan.runs.directory import CURVES_FILE, HISTORY_FILE, LOGS, SAMPLES
from kgan.watch.event_log import EventLog, Noted
from kgan.watch.run_state import (
    Pace,
    facts,
    in_words,
    is_reached,
    read_goal,
    settings,
    state,
)
from kgan.watch.series import Series
from kgan.watch.sheet_files import Sheet, sheets
from kgan.watch.table_rows import TableRows

MOST_NAMES = 64  # figures of each kind
LONGEST_NAME = 100
MOST_WORDS = 100  # of the doctor, the last
DOCTOR = "doctor/"


class FollowedRun:
    """A run that is watched, of this process or another. Nothing in its directory is changed.

    It may not have begun, be in training, have ended, and go away; what it holds may be
    half written, damaged, or meant to do harm. Nothing is read before it is asked for, and
    what is kept in memory is bounded however long the run.

    Args:
        directory: the run's.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.session = secrets.token_hex(8)
        self._lock = threading.Lock()
        self._log = EventLog(directory / LOGS)
        self._history = TableRows(directory / HISTORY_FILE, "batches_seen")
        self._table = TableRows(directory / CURVES_FILE, "step")
        self._of_log: dict[str, Series] = {}
        self._of_history: dict[str, Series] = {}
        self._of_table: dict[str, Series] = {}
        self._words: list[dict[str, Any]] = []
        self._pace = Pace()
        self._last_row = 0  # the step of the history's
        self._serial = 0
        self._was_there = False

    def news(
        self, after: int | None = None, session: str | None = None, seconds: float = math.inf
    ) -> dict[str, Any]:
        """What the run tells now, to be sent as JSON.

        Args:
            after: the `serial` of an answer before: only newer points of curves are in it. None
                for all.
            session: the `session` of that answer; of another process it counts for nothing.
            seconds: how long it may read; `share` says how much of the run has been read then.
        """
        with self._lock:
            if session != self.session:
                after = None
            is_there = self.directory.is_dir()
            if is_there:
                self._was_there = True
                self._read(time.monotonic() + seconds)
            return self._told(after, is_there)

    def sheets(self) -> list[Sheet]:
        """The sheets of samples that are there."""
        return sheets(self.directory / SAMPLES)

    def _read(self, deadline: float) -> None:
        for noted in self._log.read(deadline):
            self._take(noted)
        self._begin_anew(self._table, self._of_table)
        for step, row in self._table.read(deadline):
            self._add_row(self._of_table, step, row)
        if self._begin_anew(self._history, self._of_history):
            self._last_row = 0
        for step, row in self._history.read(deadline):
            self._last_row = step
            self._pace.epoch_ends(row.pop("epoch", math.nan), step)
            self._add_row(self._of_history, step, row)

    def _begin_anew(self, table: TableRows, series: dict[str, Series]) -> bool:
        """Forgets what was read of a table where another is in its place; returns whether it is."""
        anew = table.begins_anew()
        if anew:
            self._serial += 1
            for one in series.values():
                one.clear(self._serial)
        return anew

    def _add_row(self, to: dict[str, Series], step: int, row: dict[str, float]) -> None:
        self._serial += 1
        for name, value in row.items():
            self._add(to, name, step, value)

    def _take(self, noted: Noted) -> None:
        self._serial += 1
        name = noted.name
        if isinstance(noted.value, str):
            if name.startswith(DOCTOR):
                illness = printable(name.removeprefix(DOCTOR), LONGEST_NAME)
                words = printable(noted.value, 1000)
                is_over = words.startswith(f"{illness} is over")
                self._words.append(
                    {"step": noted.step, "illness": illness, "words": words, "over": is_over}
                )
                del self._words[:-MOST_WORDS]
            return
        self._pace.step_is(noted.time, noted.step)
        self._add(self._of_log, name, noted.step, noted.value)

    def _add(self, to: dict[str, Series], name: str, step: int, value: float) -> None:
        name = printable(name, LONGEST_NAME)
        if name not in to and len(to) >= MOST_NAMES:
            return
        to.setdefault(name, Series()).add(step, value, self._serial)

    def _told(self, after: int | None, is_there: bool) -> dict[str, Any]:
        found = self.sheets()
        # Not the newest file's: a copied run's times are those of the copying. A training that goes
        # back to a checkpoint removes the history's rows of what was lost; sheets stay.
        step = max(self._pace.now.step, self._last_row) or (found[-1].step if found else 0)
        goal = read_goal(self.directory)
        life = max(
            *(self._pace.now.time, self._log.changed, self._history.changed),
            *(goal.noted, goal.begun),
            *(sheet.changed / 1e9 for sheet in found),
        )
        reached = is_reached(facts(goal, self._pace, step, False))
        kind = state(self.directory, is_there, self._was_there, life, reached)
        known = facts(goal, self._pace, step, kind == "training")
        judgement = goal.judgement()
        return {
            "session": self.session,
            "serial": self._serial,
            "share": min(self._log.share, self._table.share, self._history.share),
            "name": printable(text_of_path(self.directory.absolute().name)),
            "time": time.time(),
            "state": kind,
            "words": in_words(kind, life, known, self.directory),
            "facts": known,
            "notes": self._notes(),
            "settings": settings(goal.options),
            "levels": judgement.levels(),
            "is_probability": judgement.is_probability,
            "doctor": self._words,
            "sheets": [
                [sheet.step, f"{SAMPLES}/{sheet.name}?changed={sheet.changed}"] for sheet in found
            ],
            "log": _new(self._of_log, after),
            "table": _new(self._of_table, after),
            "history": _new(self._of_history, after),
        }

    def _notes(self) -> list[str]:
        problems = {
            f"{LOGS}/": self._log.problem,
            CURVES_FILE: self._table.problem,
            HISTORY_FILE: self._history.problem,
        }
        return [f"{name}: {problem}" for name, problem in problems.items() if problem is not None]


def _new(series: dict[str, Series], after: int | None) -> dict[str, Any]:
    told = {name: one.since(after) for name, one in series.items()}
    return {name: new for name, new in told.items() if new is not None}
