"""Output that may go nowhere: a reader that has gone, a full disk, a stream that is closed."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO


class Steady:
    """A text stream whose trouble does not reach who writes to it: training goes on.

    From a write that fails on, everything goes nowhere.

    Args:
        stream: where text goes; None, as Python has it for a closed one, for nowhere.

    Attributes:
        problem: what the system said to the first write that failed; None where none has.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self.stream = io.StringIO() if stream is None else stream
        self.is_open = stream is not None
        self.problem: OSError | None = None

    def write(self, text: str) -> int:
        """Writes text; returns its length."""
        if self.is_open:
            try:
                self.stream.write(text)
            except OSError as problem:
                self._give_up(problem)
        return len(text)

    def flush(self) -> None:
        """Has what was written arrive."""
        if self.is_open:
            try:
                self.stream.flush()
            except OSError as problem:
                self._give_up(problem)

    def _give_up(self, problem: OSError) -> None:
        self.problem, self.is_open = problem, False
        # What the stream still holds is written when Python ends, which would fail again.
        with contextlib.suppress(OSError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.stream.fileno())
            os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextlib.contextmanager
def steady_output() -> Iterator[tuple[Steady, Steady]]:
    """Context manager: `print` and sys.stderr never fail; gives (stdout, stderr) as they are then.

    Where a terminal lacks a character, its escape is printed.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:  # closed: the next file opened would get what is written to the stream
            os.open(os.devnull, os.O_RDWR)
    before = sys.stdout, sys.stderr
    for stream in before:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    steady = Steady(sys.stdout), Steady(sys.stderr)
    sys.stdout, sys.stderr = steady  # type: ignore[assignment]  # they have what is used of one
    try:
        yield steady
    finally:
        for stream in steady:
            stream.flush()
        sys.stdout, sys.stderr = before
