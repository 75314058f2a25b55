"""Output that goes nowhere: the work is done all the same, and said as it is."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kgan.streams import Steady, steady_output

KGAN = [sys.executable, "-c", "from kgan.cli.main import main; raise SystemExit(main())"]
FULL = "/dev/full"
needs_full = pytest.mark.skipif(not os.path.exists(FULL), reason="this system has no full device")


class Broken(io.StringIO):
    """A stream of which the second write fails."""

    def write(self, text):
        if self.getvalue():
            raise BrokenPipeError(32, "Broken pipe")
        return super().write(text)


def test_a_stream_that_fails_takes_what_comes_and_remembers():
    stream = Steady(Broken())
    assert stream.write("one") == 3
    assert stream.problem is None
    for text in ("two", "three"):
        assert stream.write(text) == len(text)
        stream.flush()
    assert stream.getvalue() == "one"
    assert stream.problem.strerror == "Broken pipe"
    nowhere = Steady(None)  # closed, as Python has it
    assert nowhere.write("one") == 3
    assert not nowhere.isatty()
    assert nowhere.problem is None


def test_streams_are_as_they_were_afterwards(capsys):
    before = sys.stdout, sys.stderr
    with steady_output() as (out, _):
        print("shown")
        assert sys.stdout is out
    assert (sys.stdout, sys.stderr) == before
    assert capsys.readouterr().out == "shown\n"


@needs_full
@pytest.mark.parametrize(
    ("redirected", "says"),
    [
        (["stdout"], "kgan: error: Cannot write the output (No space left on device)\n"),
        (["stdout", "stderr"], ""),
    ],
)
def test_a_full_device_is_one_line(redirected, says):
    models = Path(__file__).parents[2] / "saved_models"
    with open(FULL, "w") as full:
        streams = {"stderr": subprocess.PIPE} | dict.fromkeys(redirected, full)
        command = [*KGAN, "export", "--list", str(models)]
        done = subprocess.run(command, text=True, check=False, **streams)
    assert (done.returncode, done.stderr or "") == (1, says)


def test_a_pipe_that_is_read_no_longer_ends_quietly():
    command = " ".join(f"'{word}'" for word in KGAN)
    script = f"{command} train --help | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: kgan train")


@pytest.mark.slow
@pytest.mark.parametrize("where", ["2>/dev/full", ">/dev/full 2>&1", ">&- 2>&-", "2>&1 | true"])
def test_a_training_whose_output_goes_nowhere_ends_with_its_model(tmp_path, where):
    command = " ".join(f"'{word}'" for word in KGAN)
    command += " train --size 16x16 --filters 4 --batch-size 8 --steps 3 --out runs --name a"
    subprocess.run(["bash", "-c", f"{command} {where}"], cwd=tmp_path, check=False)
    assert (tmp_path / "runs" / "a" / "model.keras").is_file()
    assert (tmp_path / "runs" / "a" / "history.csv").is_file()
