"""A run that was stopped and resumed ends in the weights of one that was not, bit for bit."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import kgan

SCRIPT = """
import sys
import numpy as np
import tensorflow as tf

tf.config.experimental.enable_op_determinism()
from kgan.data import pipeline
from kgan.runs import Run, RunOptions, load_model

pipeline.LARGEST_CACHE_BYTES = 10_000  # what is larger is decoded anew in every epoch


def states(model):
    yield from model.variables
    for name in ("optimizer", "g_optimizer", "d_optimizer"):
        yield from getattr(getattr(model, name, None), "variables", [])


def compare(place, preset, settings):
    options = RunOptions(
        preset=preset, batch_size=32, augment=["flip", "crop"], seed=3, steps=6, **settings
    )
    Run.create(options, f"{place}/whole").train()
    Run.create(options, f"{place}/parts").train(steps=3)
    Run.open(f"{place}/parts").train(steps=3)
    whole, parts = load_model(f"{place}/whole"), load_model(f"{place}/parts")
    assert int(whole.batches_seen) == int(parts.batches_seen) == 6
    pairs = list(zip(states(whole), states(parts), strict=True))
    assert len(pairs) > 10
    for state, twin in pairs:
        np.testing.assert_array_equal(np.asarray(state), np.asarray(twin), err_msg=state.path)


for place, (preset, settings) in eval(sys.argv[1]).items():
    compare(place, preset, settings)
    print("equal:", place)
"""
GAN = {"size": (16, 16), "filters": 4}
# What a state has is compared value by value, so that a case may have many things at once.
CASES = {
    "average, ADA, classes, broken pictures, relative path": (
        "dcgan",
        {**GAN, "ema_half_life_images": 500, "ada": True, "conditional": True, "data": "pics"},
    ),
    "attributes, spectral norm, fakes judged again, blocks recomputed": (
        "sagan",
        {**GAN, "data": "embedded:faces", "conditional": True, "reuse_fakes": True, "remat": True},
    ),
    "penalties": ("r3gan", GAN),
    "autoencoder": ("autoencoder", {"size": (16, 16)}),
}


@pytest.mark.slow
def test_stopped_and_resumed_is_as_if_never_stopped(tmp_path):
    for folder in "ab":
        (tmp_path / "pics" / folder).mkdir(parents=True)
    rng = np.random.default_rng(0)
    for index in range(80):
        path = tmp_path / "pics" / "ab"[index % 2] / f"{index}.png"
        Image.fromarray(rng.integers(0, 256, (16, 16, 3), np.uint8)).save(path)
        if index % 8 == 0:  # a good header: found broken when it is decoded
            path.write_bytes(path.read_bytes()[:400])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, repr(CASES)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(kgan.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert [line for line in done.stdout.splitlines() if line.startswith("equal")] == [
        f"equal: {case}" for case in CASES
    ]
