"""Two real processes that train one run by TF_CONFIG, against one process alone."""

import contextlib
import csv
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import kgan
from tests.runs import launchers

pytestmark = pytest.mark.slow
COMMAND = "import sys; from kgan.cli.main import main; sys.exit(main())"
SETTINGS = ["--preset", "dcgan_tanh", "--size", "16x16x1", "--filters", "4", "--batch-size", "16"]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder of 64 pictures in two subfolders, four batches."""
    folder = tmp_path_factory.mktemp("data") / "pictures"
    for name in ("0", "1"):
        (folder / name).mkdir(parents=True)
    batches = kgan.data.embedded(
        batch_size=64, image_shape=(16, 16, 1), value_range=(0, 255), shuffle=False
    )
    for index, image in enumerate(next(iter(batches)).numpy().astype(np.uint8)):
        Image.fromarray(image[..., 0]).save(folder / f"{index // 32}" / f"{index:02d}.png")
    return folder


def free_ports(n):
    sockets = [socket.socket() for _ in range(n)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def two_ports_in_a_row():
    while True:
        (port,) = free_ports(1)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port + 1)):
            return port


def start(*arguments, index=None, addresses=(), before=""):
    environment = os.environ | {"PYTHONPATH": str(Path(kgan.__file__).parents[1])}
    if index is not None:
        environment["TF_CONFIG"] = json.dumps(
            {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        )
    return subprocess.Popen(
        [sys.executable, "-c", before + COMMAND, "train", *map(str, arguments)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def start_two(*arguments, out=(None, None)):
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    return [
        start(*arguments, *(["--out", place] if place else ()), index=i, addresses=addresses)
        for i, place in enumerate(out)
    ]


def finish(*processes):
    outputs = [process.communicate(timeout=600)[0] for process in processes]
    return [process.returncode for process in processes], outputs


def rows(run):
    with (run / "history.csv").open() as file:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]


def assert_same(run, other, tolerance=1e-5):
    for row, twin in zip(rows(run), rows(other), strict=True):
        assert row == pytest.approx(twin, rel=tolerance, abs=tolerance)
    models = [kgan.load_gan(directory) for directory in (run, other)]
    for one, twin in zip(models[0].variables, models[1].variables, strict=True):
        np.testing.assert_allclose(
            one.numpy(), twin.numpy(), rtol=0, atol=tolerance, err_msg=one.path
        )


def test_two_workers_train_as_one_and_the_chief_alone_writes(pictures, tmp_path):
    new = [pictures, *SETTINGS, "--epochs", "2", "--name", "run"]
    alone = start(*new, "--out", tmp_path / "alone")
    two = start_two(*new, out=(tmp_path / "two", tmp_path / "second"))
    codes, outputs = finish(alone, *two)
    assert codes == [0, 0, 0], outputs
    assert not (tmp_path / "second").exists()
    assert_same(tmp_path / "alone" / "run", tmp_path / "two" / "run")
    assert {"samples", "logs", "checkpoints"} <= {p.name for p in (tmp_path / "two/run").iterdir()}


def wait_for_steps(run, process):
    """Until the run has taken some steps, which its curves show."""
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[0]
        if (run / "history.csv").exists() and len(rows(run)) > 3:
            return
        time.sleep(0.1)
    raise AssertionError("no steps in ten minutes")


def test_a_killed_worker_ends_the_others_and_all_resume(pictures, tmp_path):
    """Begun by the command of docs/clusters/job.yaml, gone on with by ssh_workers.sh beside it."""
    run = tmp_path / "runs" / "photos"
    new = " ".join(map(str, [pictures, *SETTINGS, "--minutes", "4", "--name", "photos"]))
    ports = free_ports(4)
    addresses = [f"127.0.0.1:{port}" for port in ports]
    two = launchers.start_pods(tmp_path, new, addresses[:2])
    wait_for_steps(run, two[0])
    two[1].kill()
    codes, outputs = finish(*two)
    assert codes == [1, -signal.SIGKILL]
    assert "The other workers no longer answer" in outputs[0].splitlines()[-1]
    assert "--resume runs/photos" in outputs[0].splitlines()[-1]
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    alone = start("--resume", copy, "--epochs", "2")
    again = ["--resume", "runs/photos", "--epochs", "2"]
    codes, outputs = finish(alone, launchers.start_over_ssh(tmp_path, again, addresses[2:]))
    assert codes == [0, 0], outputs
    assert_same(copy, run)
    assert kgan.load_gan(run).batches_seen.numpy() >= 8


def test_one_worker_told_to_stop_stops_all_after_the_same_step(pictures, tmp_path):
    """Both are started by docs/clusters/slurm_job.sh, and train with classes."""
    settings = ["--preset", "dcgan", "--conditional", *SETTINGS[2:]]
    new = " ".join(map(str, [pictures, *settings, "--minutes", "4", "--name", "photos"]))
    job, task = launchers.start_job(tmp_path, new, two_ports_in_a_row())
    wait_for_steps(tmp_path / "runs" / "photos", job)
    os.kill(task(1), signal.SIGTERM)
    job.communicate(timeout=600)
    outputs = [(tmp_path / f"out.{index}").read_text(encoding="utf-8") for index in range(2)]
    codes = [(tmp_path / f"code.{index}").read_text(encoding="utf-8") for index in range(2)]
    assert codes == ["1\n", "1\n"], outputs
    for output in outputs:
        assert re.search(r"saved; to go on: \S*kgan train --resume runs/photos\n", output)
    steps = [text[: text.index(" steps at")].split()[-1] for text in outputs]
    assert steps[0] == steps[1]
    assert kgan.load_gan(tmp_path / "runs" / "photos").batches_seen.numpy() == int(steps[0])


# Whom it waits for and how it is told do not depend on each other.
@pytest.mark.parametrize(("index", "told"), [(0, signal.SIGTERM), (1, signal.SIGINT)])
def test_one_that_waits_says_for_whom_and_ends_when_told(pictures, tmp_path, index, told):
    addresses = [f"127.0.0.1:{port}" for port in free_ports(3)]
    new = [pictures, *SETTINGS, "--steps", "2", "--name", "run", "--out", tmp_path]
    worker = start(*new, index=index, addresses=addresses)
    said = ", ".join(addresses[1:] if index == 0 else addresses[:1])
    assert worker.stdout.readline() == f"waiting for {said}\n"
    began = time.monotonic()
    worker.send_signal(told)
    codes, outputs = finish(worker)
    assert codes == [1]
    assert outputs[0].strip() == "kgan: interrupted"
    assert time.monotonic() - began < 10
    assert not list(tmp_path.iterdir())


# A worker that meets the others and then is as slow as the largest of folders.
SLOW = """
import time
from kgan.runs import ready
ready.begin = lambda *arguments: print("begun", flush=True) or time.sleep(600)
"""


def test_one_that_waits_within_tensorflow_ends_when_told(pictures, tmp_path):
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    new = [pictures, *SETTINGS, "--steps", "2", "--name", "run", "--out", tmp_path]
    slow = start(*new, index=1, addresses=addresses, before=SLOW)
    chief = start(*new, index=0, addresses=addresses)
    while slow.stdout.readline() not in ("begun\n", ""):
        pass
    time.sleep(10.0)  # into the first thing that all do together
    chief.send_signal(signal.SIGTERM)
    began = time.monotonic()
    codes, outputs = finish(chief)
    slow.kill()
    slow.communicate()
    assert codes == [1], outputs
    assert outputs[0].splitlines()[-1].startswith("kgan: interrupted")
    assert time.monotonic() - began < 20


def test_other_settings_are_told_as_that(pictures, tmp_path):
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    new = [pictures, *SETTINGS, "--steps", "2", "--name", "run", "--out", tmp_path]
    two = [
        start(*new, *more, index=i, addresses=addresses)
        for i, more in enumerate(([], ["--filters", "8"]))
    ]
    codes, outputs = finish(*two)
    assert codes == [2, 2], outputs
    for output in outputs:
        assert output.splitlines()[-1] == (
            "kgan: error: All workers are started with the same settings. Received: --filters 4 at "
            f"{addresses[0]}, 8 at {addresses[1]}"
        )
    assert not list(tmp_path.iterdir())


def test_a_mistake_of_the_chief_is_a_line_for_each(pictures, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.txt").touch()
    new = [pictures, *SETTINGS, "--steps", "2", "--name", "run"]
    codes, outputs = finish(*start_two(*new, out=(tmp_path, tmp_path)))
    assert codes == [2, 1]
    assert "This run exists" in outputs[0].splitlines()[-1]
    assert "The other workers no longer answer" in outputs[1].splitlines()[-1]
    assert "--resume" not in outputs[1]  # there is no run
    assert not any(line.startswith("Traceback") for line in outputs[1].splitlines())


# In one process, which imports TensorFlow once; the one that looks for a TPU last.
MISTAKES = """
import sys
from kgan.cli.main import main
data, out = sys.argv[1:]

def code(words):
    try:
        return main(words)
    except SystemExit as end:  # the parser's
        return end.code

for said in ("strategy multiworker", "strategy several", "precision float8", "strategy tpu"):
    assert code(["train", data, *f"--{said}".split(), "--out", out]) == 2, said
"""


def test_mistakes_are_named(pictures, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", MISTAKES, pictures, tmp_path],
        env=os.environ | {"PYTHONPATH": str(Path(kgan.__file__).parents[1])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    said = ["needs TF_CONFIG", "one of auto, none, mirrored", "'float32', 'mixed", "No TPU can"]
    for words, line in zip(said, done.stdout.splitlines(), strict=True):
        assert words in line
    assert not list(tmp_path.iterdir())
