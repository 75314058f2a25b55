#!/usr/bin/env python3
"""Trains kgan and other people's DCGANs for the same processor time; one judge measures them all.

    .venv/bin/python tools/bench_peers.py TRAIN TEST OUT [--features JUDGE.onnx]
        [--cpu-minutes 10] [--seeds 0 1 2] [--arms "kgan, quickstart" ...]

TRAIN and TEST are pictures of 28x28x1, as `kgan train` takes them (embedded:clothes, an .npz
file): what all train on, and what the images of all are measured against. The others are the
DCGANs of TensorFlow's tutorials, of keras.io and of PyTorch's examples, written anew for this
size (tools/peers), as published and with their widths divided by 8, as kgan's own are by the
smallest arm. Each is a process that trains until it has had so much of the processor, of all
cores, beside what it begins with; kgan's arms are trained as tools/ablations.py does. OUT keeps
each arm's images (.npz) and results as they come; what is in OUT/results.jsonl is not repeated.
The table is printed at the end.
"""

import argparse
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import ablations
from ablations import Results, table

SHAPE = (28, 28, 1)
NARROW = 8
# Arm -> arguments of `kgan train`.
KGAN = {
    "kgan, quickstart": ablations.QUICKSTART,
    "kgan, narrow": ablations.narrow(),
    "kgan, wide": ablations.narrow(filters=32),
}
# Arm -> (module in peers, its peer, what its widths are divided by).
OTHERS = {
    f"{title}, {form}": (module, peer, divisor)
    for form, divisor in (("as published", 1), ("narrow", NARROW))
    for title, module, peer in (
        ("TensorFlow tutorial", "keras_peers", "tutorial"),
        ("keras.io", "keras_peers", "keras.io"),
        ("PyTorch example", "torch_peers", "pytorch"),
    )
}
ARMS = [*KGAN, *OTHERS]
METRICS = ("kernel_distance", "frechet_distance", "precision_recall")
NAMES = ("kernel_distance", "frechet_distance", "precision", "recall")


class Drawn:
    """Images that are there, as `kgan.metrics.evaluate` takes a model."""

    def __init__(self, images):
        self.images = images
        self.image_shape = images.shape[1:]

    def generate(self, n, seed=0):
        """Those of the seeds from `seed` on, which are asked for some at a time."""
        return self.images[seed : seed + n]


def work(order):
    """The process of another's arm: trains, draws, and says what it took."""
    order = json.loads(order)
    module = importlib.import_module(f"peers.{order['module']}")
    pictures = np.load(order["pictures"])
    peer = module.PEERS[order["peer"]](order["divisor"], pictures, order["seed"])
    peer.train(0.1)  # what is traced and allocated at first is not counted
    begun = time.process_time()
    steps = peer.train(60 * order["cpu_minutes"])
    taken = time.process_time() - begun
    np.savez_compressed(order["images"], images=peer.draw(order["n"]))
    print(json.dumps({"steps": steps, "cpu_minutes_taken": round(taken / 60, 2)}))


def train_other(other, settings, seed, pictures, images):
    """Trains one of `OTHERS` in a process of its own; what that says."""
    module, peer, divisor = other
    order = {name: settings[name] for name in ("cpu_minutes", "n")} | {
        "module": module,
        "peer": peer,
        "divisor": divisor,
        "seed": seed,
        "pictures": str(pictures),
        "images": str(images),
    }
    command = [sys.executable, __file__, "--worker", json.dumps(order)]
    # What PyTorch's threads spin away while others have the cores would count as training.
    quiet = os.environ | {"OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=quiet)
    if done.returncode:
        raise SystemExit(f"{peer}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def train_kgan(arm, settings, seed, steps, directory, images):
    """Trains one of kgan's arms for as many steps as another seed had; as `train_other`."""
    import kgan

    words, data = KGAN[arm], settings["train"]
    if steps is None:
        each = ablations.seconds_per_step(data, words)
        steps = max(1, int(60 * settings["cpu_minutes"] / each))
    shutil.rmtree(directory, ignore_errors=True)  # of one that was ended
    taken = ablations.train(data, words, steps, seed, *os.path.split(directory))
    drawn = kgan.load_gan(directory).generate(settings["n"], seed=1000 * seed)
    np.savez_compressed(images, images=drawn)
    return {"steps": steps, "cpu_minutes_taken": round(taken / 60, 2)}


def pictures_of(data):
    """uint8 (N, 28, 28, 1) of what `kgan train` takes."""
    from kgan.data import open_source
    from kgan.data.choosing import pick

    source = open_source(data, image_shape=SHAPE)
    return pick(source, range(source.usable))[0]


def scaled(levels):
    """uint8 images as float32 from -1 to 1."""
    return levels.astype(np.float32) / np.float32(127.5) - 1


def measure(images, test, n, features):
    """Figures by each judge; the real images are the same for every arm."""
    from kgan.metrics import evaluate
    from kgan.metrics.features import Features

    judges = {"lite0": Features.efficientnet_lite0()}
    if features is not None:
        judges["judge"] = Features.from_onnx(features)
    found = {}
    for judge, network in judges.items():
        figures = evaluate(Drawn(images), test, n=n, metrics=METRICS, features=network).figures
        found[judge] = {name: figures[name].value for name in NAMES}
    return found


def compare(description, arms, trained):
    """Reads the command line, trains and measures what is missing, and prints the table.

    Args:
        description: of the program.
        arms: the names of what is trained.
        trained: (arm, seed, settings, results, file of the scaled pictures, file for the images)
            -> facts of the arm's training.

    Returns:
        The arguments.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("train")
    parser.add_argument("test")
    parser.add_argument("out", type=Path)
    parser.add_argument("--features", help="another judge, an .onnx file")
    parser.add_argument("--cpu-minutes", type=float, default=10.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--arms", nargs="+", choices=arms, default=arms, metavar="ARM")
    parser.add_argument("-n", type=int, default=2000)
    arguments = parser.parse_args()
    names = ("train", "test", "features", "cpu_minutes", "n")
    settings = {name: getattr(arguments, name) for name in names}
    results = Results(arguments.out, settings)
    missing = results.missing(arguments.arms, arguments.seeds)
    test = pictures_of(arguments.test) if missing else None
    with tempfile.TemporaryDirectory() as place:
        pictures = Path(place) / "pictures.npy"
        if missing:
            np.save(pictures, scaled(pictures_of(arguments.train)))
        for arm, seed in missing:
            images = images_of(arguments.out, arms, arm, seed)
            facts = trained(arm, seed, settings, results, pictures, images)
            with np.load(images) as made:
                figures = measure(made["images"], test, arguments.n, arguments.features)
            results.keep(arm=arm, seed=seed, **facts, figures=figures)
    print(table(results.rows, arms, NAMES))
    return arguments


def images_of(out, arms, arm, seed):
    """The file of an arm's images."""
    return out / f"{arms.index(arm)}-{seed}.npz"


def train_arm(arm, seed, settings, results, pictures, images):
    """Trains kgan or a peer; facts of the training."""
    if arm in KGAN:
        directory = images.with_suffix("")
        return train_kgan(arm, settings, seed, results.steps(arm), directory, images)
    return train_other(OTHERS[arm], settings, seed, pictures, images)


def main():
    """Trains what is missing and prints the table."""
    if sys.argv[1:2] == ["--worker"]:
        return work(sys.argv[2])
    compare(__doc__.splitlines()[0], ARMS, train_arm)


if __name__ == "__main__":
    main()
