"""What is told of long work: in a terminal's moving line, in lines elsewhere, and to nobody."""

import io
import sys
import time

import pytest

from kgan.streams import Steady
from kgan.telling import BRIEF, Moving, Teller, doing, telling, who_tells
from tests.terminal import COLUMNS, Terminal


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(COLUMNS))
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    return Terminal()


def test_on_a_terminal_lines_stay_above_one_that_moves_and_then_goes(terminal):
    stream = Steady(terminal)
    with Teller(stream) as teller:
        teller.say("begun")
        with teller.doing("saving"):
            assert [line.split()[-1] for line in terminal.screen()] == ["begun", "saving"]
            print("\nlogged by", "another", file=stream)  # as a signal's handler does
            stream.write("half a ")
            stream.write("line\n")
            assert [
                line.split()[-1] for line in terminal.screen()
            ] == "begun another line saving".split()
        teller.follow = lambda: Moving("step 5/10", 0.5)
        teller.refresh()
        *above, moving = terminal.screen()
        assert above == ["begun", "logged by another", "half a line"]
        assert moving.endswith("step 5/10")
        assert 9 <= moving.count("\u2501") + moving.count("\u2578") <= 21  # half of a bar, or all
    assert terminal.screen() == ["begun", "logged by another", "half a line"]
    assert stream.above is None


def test_a_line_that_is_too_long_is_cut_and_takes_the_bars_room(terminal):
    with Teller(terminal) as teller:
        for length in (COLUMNS - 6, 200):  # no room for a bar, and none for the words
            teller.follow = lambda length=length: Moving("x" * length, 0.5)
            teller.refresh()
            assert "\u2501" not in terminal.getvalue()
        (shown,) = terminal.screen()
        assert len(shown) == COLUMNS
        assert shown.endswith("x\u2026")


def test_a_terminal_obeys_nothing_that_is_said(terminal):
    hostile = "[red]a[/red] :smile: \x1b[31m\x1b]0;b\x07\rc"
    stream = Steady(terminal)
    with Teller(stream) as teller:
        teller.say(hostile)
        print(hostile, file=stream)
    shown = "[red]a[/red] :smile: \\x1b[31m\\x1b]0;b\\x07\\rc"
    assert terminal.screen()[:2] == [shown, shown]
    assert "\x1b]" not in terminal.getvalue()


def test_brief_work_does_not_flicker_and_long_work_is_counted(terminal, monkeypatch):
    passed, clock = [0.0], time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: clock() + passed[0])
    teller = Teller(terminal, ticking=True)
    teller.follow = lambda: Moving("step 5")
    with teller, teller.doing("saving"):
        assert "saving" not in terminal.getvalue()
        for seconds, words in ((BRIEF, "saving"), (12.0, "saving (12 s)")):
            passed[0] = seconds
            teller.refresh()
            assert terminal.screen()[-1].endswith(words)


def test_elsewhere_there_are_lines_alone_and_none_of_a_terse_one():
    stream = io.StringIO()
    with Teller(stream) as teller:
        with teller.doing("saving"):
            pass
        teller.terse = True
        with teller.doing("drawing"):
            teller.say("step 5")
    assert stream.getvalue() == "saving ...\nstep 5\n"
    assert teller.width() is None


def test_a_terminal_that_cannot_move_its_line_gets_lines_too(terminal, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    with Teller(terminal) as teller, teller.doing("saving"):
        pass
    assert terminal.getvalue() == "saving ...\n"


class Gone(Terminal):
    """A terminal that hangs up after the first thing it is sent."""

    def write(self, text):
        if self.getvalue():
            raise OSError(5, "Input/output error")
        return super().write(text)


def test_work_outlives_its_terminal(terminal):
    stream = Steady(Gone())
    with Teller(stream) as teller, teller.doing("saving"):
        teller.say("begun")
    assert stream.problem.errno == 5


def divide():
    with telling() as teller:
        with telling() as other:
            assert other is teller is who_tells()
        assert teller.terse
        teller.terse = False
        with doing("dividing"):
            return 1 / 0


def test_one_tells_for_all_within_and_nobody_after_an_error(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with doing("nothing that anybody hears of"):
        assert who_tells() is None
    with pytest.raises(ZeroDivisionError):
        divide()
    assert who_tells() is None
    assert sys.stderr.getvalue() == "dividing ...\n"
