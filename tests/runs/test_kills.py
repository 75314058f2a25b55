"""A run that is killed at any moment is resumed, and ends as if it never had been."""

import json
import os
import random
import select
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

import kgan
from kgan.runs.directory import LOCK_FILE
from kgan.runs.load import find_model
from kgan.training.saving import batches_seen

STEPS = 240  # more than can be taken between the kills; 93 are an epoch
KILLS = 20

# A process that has imported TensorFlow once, and forks one that trains for each line it is sent.
# TensorFlow starts no thread before it computes, so that a fork before that is safe.
DRIVER = """
import json, os, sys
from pathlib import Path
import tensorflow as tf
from kgan.runs import Run, RunOptions, run


def say(**what):
    os.write(1, (json.dumps(what) + "\\n").encode())


class Saved(run.RunCheckpoint):
    def on_train_begin(self, logs=None):
        say(began=int(self.model.batches_seen))
        super().on_train_begin(logs)

    def save(self):
        super().save()
        say(saved=int(self.model.batches_seen))


def train(directory, until, every):
    run.RunCheckpoint = Saved  # to hear of it; it does what the other does
    tf.config.experimental.enable_op_determinism()
    if directory.exists():
        Run.open(directory).train()  # it remembers its goal
    else:
        options = RunOptions(
            preset="dcgan", size=(16, 16), filters=2, batch_size=64, augment=["flip"], seed=3,
            ema_half_life_images=100, steps=until, checkpoint_every=every,
        )
        Run.create(options, directory).train()


for line in sys.stdin:
    directory, *how = json.loads(line)
    child = os.fork()
    if not child:
        try:
            train(Path(directory), *how)
        except BaseException:
            import traceback
            say(failed=traceback.format_exc()[-2000:])
            os._exit(1)
        os._exit(0)
    say(child=child)
    _, status = os.waitpid(child, 0)
    say(ended=status)
"""


class Driver:
    """Trains runs in processes of their own and follows what they say."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-c", DRIVER],
            env=os.environ
            | {"PYTHONPATH": str(Path(kgan.__file__).parents[1]), "TF_CPP_MIN_LOG_LEVEL": "3"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.text = b""

    def start(self, directory, checkpoint_every):
        self.child = self.began = self.saved = self.ended = None
        self.process.stdin.write(
            (json.dumps([str(directory), STEPS, checkpoint_every]) + "\n").encode()
        )
        self.process.stdin.flush()
        self.wait(lambda: self.child)

    def hear(self, seconds=0.0):
        """Takes in what was said so far."""
        if select.select([self.process.stdout], [], [], seconds)[0]:
            self.text += os.read(self.process.stdout.fileno(), 2**16)
        *lines, self.text = self.text.split(b"\n")
        for line in lines:
            said = json.loads(line)
            assert "failed" not in said, said["failed"]
            for name, value in said.items():
                setattr(self, name, value)

    def wait(self, happened, seconds=120):
        """Waits until something has happened or the training has ended."""
        end = time.monotonic() + seconds
        while self.ended is None and not happened():
            assert time.monotonic() < end
            self.hear(0.0005)

    def kill(self):
        """Kills the training with SIGKILL; whether it was still alive."""
        os.kill(self.child, 9)
        self.wait(lambda: False)
        return self.ended == 9


@pytest.fixture(scope="module")
def driver():
    one = Driver()
    yield one
    one.process.stdin.close()
    one.process.wait(60)


@pytest.fixture(scope="module")
def whole(driver, tmp_path_factory):
    """A run that was never stopped."""
    directory = tmp_path_factory.mktemp("whole") / "run"
    driver.start(directory, "1m")
    driver.wait(lambda: False)
    assert driver.ended == 0
    return directory


def arrays(run):
    """Every array that a run's model was saved with, by name."""
    found = {}

    def note(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = item[()]

    with zipfile.ZipFile(find_model(run)) as archive:
        h5py.File(archive.open("model.weights.h5")).visititems(note)
    return found


def assert_equal(one, other):
    """Weights, average, optimizers and seeds of two runs are the same bits."""
    these, those = arrays(one), arrays(other)
    assert these.keys() == those.keys() >= {"vars/seed_0", "ema_generator/layers/dense/vars/0"}
    for name, array in these.items():
        np.testing.assert_array_equal(array, those[name], err_msg=name)


def temporaries(directory):
    hidden = [path for path in directory.rglob("*") if path.name.startswith((".", "tmp"))]
    return [path for path in hidden if path.name != LOCK_FILE]


@pytest.mark.slow
def test_twenty_kills_lose_nothing_that_was_saved(driver, whole, tmp_path):
    directory = tmp_path / "run"
    rng = random.Random(0)
    safe, cut_writes, before_the_first = 0, 0, 0
    checkpoints = directory / "checkpoints"
    moments = ["config", "start", *["early", "later", "writing"] * 6]
    assert len(moments) == KILLS
    for moment in moments:
        driver.start(directory, "1")
        if moment == "config":
            driver.wait((directory / "config.json").exists)
        elif moment == "start":
            time.sleep(rng.uniform(0, 0.5))
        elif moment == "early":
            driver.wait(lambda: driver.began is not None)
            time.sleep(rng.uniform(0, 1.0))
        else:
            further = safe + rng.randint(0, 3)
            driver.wait(lambda: (driver.saved or 0) > further)  # noqa: B023
            if moment == "writing":
                driver.wait(lambda: any(checkpoints.glob(".kgan-*")))
            else:
                time.sleep(rng.uniform(0, 0.1))
        driver.hear()
        assert driver.kill()
        # It began from what was known to be safe, and what it said to be saved is there.
        assert driver.began in (None, safe)
        assert safe <= (driver.saved or safe)
        cut_writes += bool(temporaries(directory))
        before_the_first += not checkpoints.exists()
        found = batches_seen(find_model(directory)) if any(checkpoints.glob("last.keras")) else 0
        assert found >= (driver.saved or safe)
        safe = found
    assert cut_writes >= 2
    assert before_the_first >= 1
    assert 0 < safe < STEPS, safe
    driver.start(directory, "1m")
    driver.wait(lambda: False)
    assert driver.ended == 0
    assert driver.began == safe
    assert not temporaries(directory)
    assert batches_seen(find_model(directory)) == STEPS
    assert_equal(directory, whole)
