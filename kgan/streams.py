"""Output that may go nowhere: a reader that has gone, a full disk, a stream that is closed."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from kgan.names import escaped


class Steady:
    """A text stream whose trouble does not reach who writes to it: training goes on.

    From a write that fails on, everything goes nowhere. What a terminal would obey, wherever in
    a text it came from, is written as its escape; only lines end.

    Args:
        stream: where text goes; None, as Python has it for a closed one, for nowhere.

    Attributes:
        problem: what the system said to the first write that failed; None where none has.
        above: takes text in the place of the stream, while something moves in its last line;
            None while nothing does.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self.stream = io.StringIO() if stream is None else stream
        self.is_open = stream is not None
        self.problem: OSError | None = None
        self.above: Callable[[str], None] | None = None

    def write(self, text: str) -> int:
        """Writes text; returns its length."""
        shown = escaped(text, kept="\n\t")
        if self.above is None:
            self.draw(shown)
        else:
            self.above(shown)
        return len(text)

    def rewrite(self, line: str) -> None:
        """Writes a line over the one that a terminal's cursor is in."""
        self.draw("\r" + escaped(line))
        self.flush()

    def draw(self, text: str) -> None:
        """Writes text that a terminal is to obey."""
        if self.is_open:
            try:
                self.stream.write(text)
            except OSError as problem:
                self._give_up(problem)

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


def steady(stream: TextIO | Steady) -> Steady:
    """A stream as a `Steady`, which it may be already."""
    return stream if isinstance(stream, Steady) else Steady(stream)


def counting(what: str) -> Callable[[int, int], None] | None:
    """What shows "WHAT 3 of 12" in one live line, told (3, 12); None without a terminal."""
    stream = steady(sys.stderr)
    if not stream.isatty():
        return None

    def count(done: int, total: int) -> None:
        stream.rewrite(f"{what} {done:,} of {total:,}")
        if done >= total:
            stream.write("\n")

    return count


class OneLine(logging.Formatter):
    """A log record as one line, whatever its message holds."""

    def format(self, record: logging.LogRecord) -> str:
        return escaped(super().format(record))


@contextlib.contextmanager
def logged_in_lines() -> Iterator[None]:
    """Context manager: what kgan and other libraries log, and warn of, is one line on stderr.

    Where logs go elsewhere already they stay there.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine())
    handler.setLevel(logging.WARNING)
    root, before = logging.getLogger(), warnings.formatwarning
    if not root.handlers:
        root.addHandler(handler)
    warnings.formatwarning = _warning_in_a_line  # type: ignore[assignment]  # of any arguments
    try:
        yield
    finally:
        root.removeHandler(handler)
        warnings.formatwarning = before


def _warning_in_a_line(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> str:
    return f"{category.__name__}: {escaped(str(message))}\n"


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
    both = Steady(sys.stdout), Steady(sys.stderr)
    sys.stdout, sys.stderr = both  # type: ignore[assignment]  # they have what is used of one
    try:
        yield both
    finally:
        for stream in both:
            stream.flush()
        sys.stdout, sys.stderr = before
