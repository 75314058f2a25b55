#!/usr/bin/env python3
"""Trains, resumes and exports on a TPU; to be run there, or pasted into a notebook's cell.

    python tools/try_on_tpu.py

It needs kgan and a TensorFlow that finds the TPU; without one it says so and exits with 2. What it
makes is in a new temporary folder.
Nobody has run it on a TPU yet: please tell what it printed.
"""

import csv
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import tensorflow as tf

import kgan
from kgan.runs import Run, RunOptions
from kgan.training.distribution import make_strategy

STEPS = 100


def try_on(strategy: tf.distribute.Strategy, place: Path, **options: object) -> None:
    """Trains `STEPS` steps, as many again after a resume, exports, and checks all of it."""
    replicas = strategy.num_replicas_in_sync
    print(f"{replicas} replicas, TensorFlow {tf.__version__}, kgan {kgan.__version__}")
    sizes = {"size": (32, 32), "batch_size": 32 * replicas, "steps": STEPS, **options}
    run = Run.create(RunOptions(**sizes), place / "run", strategy=strategy)
    for training in (run, Run.open(run.directory, strategy=strategy)):
        begun = time.perf_counter()
        steps = training.train(**({} if training is run else {"steps": sizes["steps"]})).steps
        seconds = time.perf_counter() - begun
        assert steps == sizes["steps"]
        print(f"{steps} steps in {training.options.precision}: {seconds:.1f} s, compiling included")
    with (run.directory / "history.csv").open(encoding="utf-8") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    assert all(np.isfinite(list(row.values())).all() for row in rows)
    assert sum(row["skipped_updates"] for row in rows) == 0
    gan = kgan.load_gan(run.directory)
    assert int(gan.batches_seen) == 2 * sizes["steps"]
    export = kgan.export.export(gan, place / "export")  # compared with Keras by onnxruntime
    images = kgan.runtime.Generator(export.path).generate(16, seed=0)
    assert images.std(axis=0).max() > 0  # not one picture 16 times
    print(f"losses {rows[-1]['d_loss']:.3f} and {rows[-1]['g_loss']:.3f}; exported: {export.path}")


if __name__ == "__main__":
    try:
        tpu = make_strategy("tpu")
    except kgan.InputError as error:
        print(f"try_on_tpu: {error}", file=sys.stderr)
        sys.exit(2)
    try_on(tpu, Path(tempfile.mkdtemp()))
