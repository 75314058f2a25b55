"""Training into a file system that is really full: one line, and the last good checkpoint stays."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import kgan

# In a mount namespace of its own: file systems of some kilobytes that are filled while it trains.
SCRIPT = """
import contextlib, io, os, subprocess, sys
from pathlib import Path
from kgan.cli.main import main
from kgan import callbacks
from kgan.training.saving import batches_seen
from kgan.commands import resuming
from kgan.runs.directory import LOCK_FILE
from kgan.runs.load import find_model

place = Path(sys.argv[1])
FILL_AT = 13  # of ten steps an epoch


def mount(where, size):
    where.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", where], check=True)


def fill(where, leave):
    filler = where / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    os.truncate(filler, filler.stat().st_size - leave)


class Filling(callbacks.StopAfter):
    leave = None

    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(batch, logs)
        if self.steps_taken == FILL_AT and self.leave is not None:
            fill(place / "disk", self.leave)


callbacks.StopAfter = Filling


def train(*arguments):
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        code = main(["train", *arguments])
    return code, said.getvalue().splitlines()[-1]


def check(name, leave, every, writer, saved):
    disk = place / "disk"
    mount(disk, "4m")
    Filling.leave = leave
    size = ["--filters", "2", "--size", "16x16", "--batch-size", "600", "--epochs", "2"]
    size += ["--checkpoint-every", every]
    code, line = train(*size, "--name", "x", "--out", str(disk))
    directory = disk / "x"
    assert code == 1, line
    assert line.startswith(
        f"kgan: error: No space left on device: {directory / writer}. Everything up to step "
        f"{saved} is saved; make room, then go on with {resuming(directory)}"
    ), line
    assert batches_seen(find_model(directory)) == saved
    hidden = {path.name for path in directory.rglob(".*")}
    assert hidden <= {LOCK_FILE}  # no half file is left
    Filling.leave = None
    # Still full, it does not begin; what is saved stays.
    assert train("--resume", str(directory), "--epochs", "1")[0] == 1
    assert batches_seen(find_model(directory)) == saved
    (disk / "filler").unlink()
    code, line = train("--resume", str(directory), "--steps", str(20 - saved))
    assert code == 0, line
    assert batches_seen(find_model(directory)) == 20
    rows = (directory / "history.csv").read_text().splitlines()
    # Epochs that the checkpoint does not have are gone, no row is cut short.
    assert len({row.count(",") for row in rows}) == 1
    assert [row.split(",")[1] for row in rows[1:]] == ["10", "20"]
    subprocess.run(["umount", disk], check=True)
    print("passed:", name, flush=True)


check("checkpoint", 16_384, "1", "checkpoints/last.keras", FILL_AT)
check("samples", 0, "1000000m", "samples/step-000020.png", 0)
check("model", 300_000, "1000000m", "model.keras", 0)

# TensorFlow writes the logs itself, from a thread, and names no file.
size = ["--filters", "2", "--size", "16x16", "--batch-size", "600", "--epochs", "1"]
assert train(*size, "--name", "logged", "--out", str(place))[0] == 0
mount(place / "logged" / "logs", "4k")
code, line = train("--resume", str(place / "logged"), "--epochs", "60")
assert code == 1
full = "kgan: error: No space left on device"
assert line.startswith(f"{full}: {place / 'logged'}. Everything up to step 10"), line
print("passed: logs")
"""

# The size of a file is bounded where no file system may be mounted.
LIMITED = """
import resource, signal, sys
from kgan.cli.main import main

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # then a write fails, as on a full disk
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
size = ["--filters", "2", "--size", "16x16", "--steps", "2"]
sys.exit(main(["train", *size, "--name", "x", "--out", sys.argv[1]]))
"""


def python(code, *arguments, before=()):
    return subprocess.run(
        [*before, sys.executable, "-c", code, *map(str, arguments)],
        env=os.environ
        | {"PYTHONPATH": str(Path(kgan.__file__).parents[1]), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )


def can_mount(place):
    """Whether this machine lets a test mount, as root or in a user namespace."""
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", str(place)]
    try:
        return not subprocess.run(command, capture_output=True, check=False).returncode
    except OSError:
        return False


@pytest.mark.slow
def test_a_disk_that_fills_up_is_one_line_whoever_writes(tmp_path):
    if not can_mount(tmp_path):
        pytest.skip("needs leave to mount a tmpfs")
    done = python(SCRIPT, tmp_path, before=["unshare", "-rm"])
    assert done.returncode == 0, done.stderr[-3000:]
    cases = ["checkpoint", "samples", "model", "logs"]
    assert done.stdout.splitlines() == [f"passed: {case}" for case in cases]


@pytest.mark.slow
def test_files_that_may_not_grow_are_one_line(tmp_path):
    done = python(LIMITED, tmp_path)
    assert done.returncode == 1
    *heading, line = done.stderr.splitlines()
    assert heading[0].startswith("data  ")
    assert not [one for one in heading if "error" in one.lower() or "Traceback" in one]
    path = tmp_path / "x" / "checkpoints" / "last.keras"
    assert line.startswith(f"kgan: error: File too large: {path}. Nothing was trained yet; ")
    assert [path.name for path in (tmp_path / "x").rglob("*.keras")] == []
    done = python("import sys; from kgan.cli.main import main; sys.exit(main(sys.argv[1:]))",
                  "train", "--resume", tmp_path / "x", "--steps", "2")  # fmt: skip
    assert done.returncode == 0, done.stderr
