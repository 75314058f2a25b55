"""SIGTERM, SIGHUP and Ctrl-C end a command, and what it began is taken away again."""

import argparse
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import kgan
from kgan.cli.main import Parser, call
from kgan.files import staging_directory
from kgan.streams import Steady

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
TOOL = Path(kgan.__file__).parents[1] / "tools" / "interrupt.py"


def command(run):
    parser = Parser(prog="kgan")
    parser.set_defaults(run=run)
    return call(parser, [])


@pytest.mark.parametrize("number", ENDING)
@pytest.mark.parametrize("becomes", [KeyboardInterrupt, SystemError])
def test_what_it_began_is_taken_away(tmp_path, capsys, number, becomes):
    before = [signal.getsignal(other) for other in ENDING]

    def run(_: argparse.Namespace):
        with staging_directory(tmp_path / "new" / "place") as staging:
            (staging / "half").touch()
            try:
                os.kill(os.getpid(), number)
            except KeyboardInterrupt as error:
                raise becomes from error  # as C code makes of it

    assert command(run) == 1
    assert capsys.readouterr().err == "\nkgan: interrupted\n"
    assert not list(tmp_path.iterdir())
    assert [signal.getsignal(other) for other in ENDING] == before


def test_one_that_comes_before_or_after_the_command_is_told_too(capsys, monkeypatch):
    class Early(Parser):
        def parse_args(self, *_, **__):
            os.kill(os.getpid(), signal.SIGTERM)

    assert call(Early(prog="kgan"), []) == 1
    assert capsys.readouterr().err == "\nkgan: interrupted\n"
    once = iter([os.getpid()])
    monkeypatch.setattr(Steady, "flush", lambda _: [os.kill(p, signal.SIGTERM) for p in once])
    assert command(lambda _: 0) == 1
    monkeypatch.undo()
    assert capsys.readouterr().err == "\nkgan: interrupted\n"


def test_what_nohup_ignores_is_ignored_and_another_thread_takes_no_signals():
    def run(_: argparse.Namespace):
        os.kill(os.getpid(), signal.SIGHUP)

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert command(run) == 0
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
    codes = []
    thread = threading.Thread(target=lambda: codes.append(command(lambda _: 0)))
    thread.start()
    thread.join()
    assert codes == [0]


@pytest.mark.slow
def test_commands_ended_at_any_moment_leave_nothing():
    done = subprocess.run(
        [sys.executable, TOOL, "--rounds", "1", "pack", "separate"],
        env=os.environ | {"PYTHONPATH": str(TOOL.parents[1]), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert done.stdout.splitlines()[-1] == "wrong: 0"
    assert len(done.stdout.splitlines()) == 2 * 4 + 2
