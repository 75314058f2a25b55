"""docs/clusters/ray_train.py under a real Ray on this machine: a worker is killed, all resume."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
from PIL import Image

import kgan
from kgan.training.saving import batches_seen
from tests.runs.launchers import FILES, ROOT

STEPS = 150


@contextlib.contextmanager
def driver(place):
    """The script's process, of whose children none is left afterwards."""
    arguments = "photos --workers 2 -- photos/ --preset dcgan_tanh --size 16x16x1 --filters 4"
    command = f"{arguments} --batch-size 16 --steps {STEPS} --checkpoint-every 20".split()
    process = subprocess.Popen(
        [sys.executable, FILES / "ray_train.py", *command],
        cwd=place,
        env=os.environ
        | {"PYTHONPATH": str(ROOT), "RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"},
        stdout=(place / "said.txt").open("wb"),
        stderr=subprocess.STDOUT,
    )
    known = psutil.Process(process.pid)
    children = []
    try:
        yield process
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):  # it has ended, and its children with it
            children = known.children(recursive=True)
        process.terminate()
        _, left = psutil.wait_procs([known, *children], timeout=20)
        for one in left:
            one.kill()


def wait_for(what, process, said):
    deadline = time.monotonic() + 400
    while not (found := what()):
        assert process.poll() is None, said()
        assert time.monotonic() < deadline, said()
        time.sleep(0.2)
    return found


@pytest.mark.slow
def test_a_killed_worker_of_ray_has_all_resume(tmp_path):
    pytest.importorskip("ray", reason="kgan[ray] is large: by hand")
    (tmp_path / "photos").mkdir()
    pictures = np.random.default_rng(0).integers(0, 256, (64, 16, 16), np.uint8)
    for index, picture in enumerate(pictures):
        Image.fromarray(picture).save(tmp_path / "photos" / f"{index:02d}.png")
    run = tmp_path / "runs" / "photos"

    def said():
        return (tmp_path / "said.txt").read_text(encoding="utf-8", errors="replace")

    def begun():
        history = run / "history.csv"
        rows = history.read_text(encoding="utf-8").splitlines() if history.exists() else []
        return len(rows) > 5 and re.findall(r"process (\d+) is worker 1", said())

    with driver(tmp_path) as process:
        (number,) = wait_for(begun, process, said)
        os.kill(int(number), signal.SIGKILL)
        wait_for(lambda: len(re.findall(r"is worker 1", said())) == 2, process, said)
        assert process.wait(400) == 0, said()
    assert batches_seen(run / "model.keras") == STEPS
    steps = [int(row.split(",")[1]) for row in (run / "history.csv").read_text().splitlines()[1:]]
    assert steps == sorted(set(steps))
    assert kgan.load_gan(run).generate(1).shape == (1, 16, 16, 1)
