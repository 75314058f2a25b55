"""What a command is at: lines that stay and, on a terminal, one below them that moves."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, NamedTuple, TextIO

from kgan.streams import Steady, steady

TICKS = 5  # a second
BRIEF = 0.3  # seconds: what is done sooner than that would only flicker
WIDEST_BAR, NARROWEST_BAR = 20, 6  # characters


class Moving(NamedTuple):
    """What the moving line shows: words, and the share of the work done, None while not known."""

    words: str
    share: float | None = None


class Teller:
    """Tells what a command is at.

    On a terminal the last line moves: it shows what takes its while, with the seconds that it has
    taken, or else what `follow` gives. Elsewhere what takes its while is told in a line of its own
    when it begins, unless the teller is `terse`.

    Args:
        stream: where it is told; None for stderr. Where it cannot be written work goes on.
        ticking: whether the line moves by itself too. Then the teller must be stopped, however the
            work ends: use it as a context manager.

    Attributes:
        follow: gives what the moving line shows while nothing else takes its while; None for
            nothing. It may be called from another thread.
        terse: whether what takes its while is told on terminals alone.
    """

    def __init__(self, stream: TextIO | None = None, *, ticking: bool = False) -> None:
        self.stream = steady(stream or sys.stderr)
        self.ticking = ticking
        self.follow: Callable[[], Moving] | None = None
        self.terse = False
        self._doing: list[tuple[str, float]] = []
        self._live: Any = None  # of rich, on a terminal
        self._begun = ""  # a line that is not whole yet

    def start(self) -> None:
        """Begins the moving line, on a terminal that can have one."""
        if self._live is not None or not self.stream.isatty():
            return
        from rich.console import Console  # here: few commands need it
        from rich.live import Live
        from rich.spinner import Spinner

        drawn: Any = _Drawn(self.stream)  # it has what is used of a file
        self._console = Console(file=drawn, markup=False, highlight=False, emoji=False)
        if not self._console.is_interactive:
            return
        self._spinner = Spinner("line")  # which every terminal can show
        self._live = Live(
            get_renderable=self._row,
            console=self._console,
            auto_refresh=self.ticking,
            refresh_per_second=TICKS,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self.stream.above = self._above
        self._live.start(refresh=True)
        self._console.show_cursor(True)  # an exception would leave it hidden

    def stop(self) -> None:
        """Takes the moving line away."""
        if self._live is None:
            return
        if self._begun:
            self._above("\n")
        self.stream.above = None
        self._live.stop()
        self._live = None

    def __enter__(self) -> Teller:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def say(self, line: str) -> None:
        """Writes a line that stays."""
        self.stream.write(line + "\n")
        self.stream.flush()

    @contextlib.contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """Context manager: tells what takes its while, such as "saving"."""
        entry = (what, time.monotonic())
        self._doing.append(entry)
        if self._live is None and not self.terse:
            self.say(f"{what} ...")
        self.refresh()
        try:
            yield
        finally:
            self._doing.remove(entry)
            self.refresh()

    def refresh(self) -> None:
        """Has the moving line show what there is to show now."""
        if self._live is not None:
            self._live.refresh()

    def width(self) -> int | None:
        """Characters in a line of the terminal; None elsewhere, where lines are of any length."""
        return None if self._live is None else self._console.width

    def _now(self) -> Moving:
        for what, began_at in self._doing[-1:]:  # a copy: it may change meanwhile
            seconds = time.monotonic() - began_at
            if self.follow is None or not self.ticking or seconds >= BRIEF:
                return Moving(f"{what} ({seconds:.0f} s)" if seconds >= 1.0 else what)
        return Moving("") if self.follow is None else self.follow()

    def _row(self) -> Any:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        words, share = self._now()
        if not words:
            return ""
        row: list[Any] = [self._spinner, Text(words, no_wrap=True, overflow="ellipsis")]
        room = self._console.width - len(words) - 4
        if share is not None and room >= NARROWEST_BAR:
            row.insert(1, ProgressBar(1.0, share, width=min(WIDEST_BAR, room)))
        table = Table.grid(padding=(0, 1, 0, 0))
        for _ in row:
            table.add_column(no_wrap=True)
        table.add_row(*row)
        return table

    def _above(self, text: str) -> None:
        """Writes lines above the moving one, each when it is whole."""
        from rich.text import Text

        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            if line:  # an empty one was to leave the moving line
                self._console.print(Text(line), soft_wrap=True)


class _Drawn:
    """A stream for what a terminal obeys."""

    def __init__(self, stream: Steady) -> None:
        self._stream = stream
        self.write, self.flush = stream.draw, stream.flush

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


_telling: list[Teller] = []


@contextlib.contextmanager
def telling() -> Iterator[Teller]:
    """Context manager: gives who tells, on stderr, what is done within; within another, that one's.

    Without a terminal it is terse until it is told not to be.
    """
    if _telling:
        yield _telling[-1]
        return
    teller = Teller(ticking=True)
    teller.terse = True
    _telling.append(teller)
    try:
        with teller:
            yield teller
    finally:
        _telling.remove(teller)


def who_tells() -> Teller | None:
    """The teller of the `telling` that this is within; None where it is within none."""
    return _telling[-1] if _telling else None


@contextlib.contextmanager
def doing(what: str) -> Iterator[None]:
    """Context manager: what takes its while, such as "saving", is told where someone tells."""
    teller = who_tells()
    with contextlib.nullcontext() if teller is None else teller.doing(what):
        yield
