"""A row's variants, each in a process of its own, which take turns at the machine."""

import contextlib
import dataclasses
import functools
import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil

from training_speed.machine import Window
from training_speed.rows import Row, Variant

DISTURBED = 0.05  # of the cores, taken by others
TRIES = 3
SPARE = 2 * 2**30  # bytes that stay free beside a process as large as the largest

SCRIPT = Path(__file__).parents[1] / "bench_training.py"


class Failed(Exception):
    """A variant that cannot run here, and why."""


class Contestant:
    """One variant: its process, or what starts one for each turn where memory is short."""

    def __init__(self, row: Row, variant: Variant) -> None:
        self.row, self.variant = row, variant
        self.process: subprocess.Popen | None = None
        self.resident = True
        self.facts: dict[str, Any] = {}

    def start(self) -> None:
        """Starts the process and waits until it has warmed up.

        Raises:
            Failed: it ended before it could train.
        """
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            command(self.row, self.variant, "turns"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )
        self.facts = self._answer()

    def stop(self) -> None:
        """Ends the process, if there is one."""
        if self.process is not None:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()  # it ends by itself
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process.stdout.close()
            self.errors.close()
            self.process = None

    def turn(self, steps: int) -> dict[str, Any]:
        """Trains; what it answers.

        Raises:
            Failed: it ended before it could train.
        """
        if self.process is None:
            self.start()
        try:
            self.process.stdin.write(f"{steps}\n")
            self.process.stdin.flush()
            return self._answer()
        except BrokenPipeError:
            raise Failed(last_line(self.errors)) from None
        finally:
            if not self.resident:
                self.stop()

    def _answer(self) -> dict[str, Any]:
        line = self.process.stdout.readline()
        if not line:
            raise Failed(last_line(self.errors))
        return json.loads(line)


def command(row: Row, variant: Variant, do: str, **others: Any) -> list[str]:
    """The command of a variant's process."""
    fields = {"row": dataclasses.asdict(row), "variant": dataclasses.asdict(variant), "do": do}
    return [sys.executable, str(SCRIPT), "--worker", json.dumps(fields | others)]


def last_line(errors: Any) -> str:
    """Of what a process that ended wrote to stderr."""
    errors.seek(0)
    lines = errors.read().decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it ended")


def undisturbed(
    take: Callable[[], dict[str, Any]], what: str, say: Callable[[str], None]
) -> dict[str, Any]:
    """What it takes while others leave the cores alone; after some tries the least disturbed."""
    taken = []
    for _ in range(TRIES):
        taken.append(take())
        seconds, others = taken[-1]["seconds"], taken[-1]["others"]
        say(f"{what}: {seconds:.2f} s, others took {others:.0%} of the cores")
        if others <= DISTURBED:
            break
    return min(taken, key=lambda one: one["others"])


def hold(
    row: Row, variants: Sequence[Variant], rounds: int, steps: int, say: Callable[[str], None]
) -> tuple[dict[str, list[dict[str, Any]]], dict[str, str]]:
    """All turns of a row.

    Args:
        row: what is trained.
        variants: who trains.
        rounds, steps: how often each has a turn, and how long one is.
        say: told what happens.

    Returns:
        (title -> the answers of its turns, the facts of its process in each,
        title -> why it failed).
    """
    turns: dict[str, list[dict[str, Any]]] = {}
    failed: dict[str, str] = {}
    contestants = [Contestant(row, variant) for variant in variants]
    largest = 0
    try:
        for one in contestants:
            title = one.variant.title
            try:
                one.start()
            except Failed as why:
                one.stop()
                failed[title] = str(why)
                say(f"{title}: failed: {why}")
                continue
            largest = max(largest, psutil.Process(one.process.pid).memory_info().rss)
            say(f"{title}: ready")
            if psutil.virtual_memory().available < largest + SPARE:
                say(f"{title}: memory is short: started for each round")
                one.resident = False
                one.stop()
        for number, one in itertools.product(range(rounds), contestants):
            title = one.variant.title
            if title in failed:
                continue
            try:
                answer = undisturbed(
                    functools.partial(one.turn, steps), f"round {number + 1}, {title}", say
                )
            except Failed as why:
                failed[title] = str(why)
                say(f"{title}: failed: {why}")
                continue
            turns.setdefault(title, []).append(one.facts | answer)
    finally:
        for one in contestants:
            one.stop()
    return {title: answers for title, answers in turns.items() if title not in failed}, failed


def whole_fit(row: Row, variant: Variant, steps: int) -> dict[str, Any]:
    """From starting a process to a saved training of some steps: {"seconds", "others"}.

    Raises:
        Failed: the process failed.
    """
    window = Window(lambda: sum(os.times()[:4]))  # this process and those it has waited for
    with tempfile.TemporaryFile() as errors:
        window.open()
        done = subprocess.run(command(row, variant, "fit", steps=steps), stderr=errors)
        if done.returncode:
            raise Failed(last_line(errors))
    return window.close()


def work_of(row: Row, variant: Variant) -> dict[str, int]:
    """Floating-point operations of the row's step, as PyTorch's variant counts them."""
    done = subprocess.run(command(row, variant, "work"), capture_output=True, text=True)
    if done.returncode:
        raise Failed(done.stderr.strip().rsplit("\n", 1)[-1])
    return json.loads(done.stdout)
