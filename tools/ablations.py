#!/usr/bin/env python3
"""Trains the arms of an experiment for the same processor time, three seeds each; compares them.

    .venv/bin/python tools/ablations.py EXPERIMENT TRAIN TEST OUT [--features JUDGE.onnx]
        [--cpu-minutes 10] [--seeds 0 1 2] [--base RUN]

TRAIN and TEST are data of one kind: what is trained on, and what the images are measured
against. The time is the processor's, of all cores, so that other work on the machine does not
decide; ten minutes cost 5 of two quiet cores. Each arm is timed first, and trained for as many
steps as fit, beside what a training begins and ends with; an arm called "a quarter" for a quarter
of the first arm's steps. In "fine-tuning" arms begin from the networks of the run RUN. OUT keeps
each result as it comes (OUT/results.jsonl) with all that it depends on, and what is there is not
repeated: so a table can grow from day to day. The table is printed at the end.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

SMALL = ["--filters", "8", "--batch-size", "16"]
# Experiment -> arm -> arguments of `kgan train`.
EXPERIMENTS = {
    "discriminators-64": {
        "dcgan": ["--preset", "dcgan", "--size", "64x64", *SMALL, "--recipe", "few"],
        "dcgan, projected": [
            *("--preset", "dcgan", "--size", "64x64", *SMALL),
            *("--discriminator", "projected"),
        ],
        "fastgan": ["--preset", "fastgan", "--size", "64x64", *SMALL],
        "fastgan, projected": [
            *("--preset", "fastgan", "--size", "64x64", *SMALL),
            *("--discriminator", "projected"),
        ],
    },
    "recipe": {
        "none": ["--preset", "dcgan", *SMALL, "--recipe", "none"],
        "few": ["--preset", "dcgan", *SMALL, "--recipe", "few"],
    },
    "r3gan-schedule": {
        "as published": ["--preset", "r3gan", *SMALL],
        "constant": ["--preset", "r3gan", *SMALL, "--schedule", "none"],
    },
}
FASHION = ["--preset", "dcgan", "--size", "28x28"]


def narrow(*words, filters=8, batch=64):
    """An arm of the experiment "quickstart"."""
    return [*FASHION, "--filters", str(filters), "--batch-size", str(batch), *words]


EMA = ("--ema-half-life-images", "10000")
CALM = (*EMA, "--schedule", "learning_rate=4e-4:2e-5")
QUICKSTART = narrow(*CALM, batch=32)  # what tools/quickstart trains
EXPERIMENTS["recipe"]["few, EMA, rates to 0"] = [*EXPERIMENTS["recipe"]["few"], *CALM]
EXPERIMENTS["quickstart"] = {
    "before: 32 px, filters 32": ["--filters", "32", "--batch-size", "64"],
    "filters 32": narrow(filters=32),
    "filters 16": narrow(filters=16),
    "filters 8": narrow(),
    "filters 8, conditional, EMA": narrow(*EMA, "--conditional"),
    "filters 8, D rate doubled": narrow("--d-learning-rate", "4e-4"),
    "filters 8, two D steps": narrow("--d-steps", "2"),
    "filters 8, hinge": narrow("--loss", "hinge"),
    "filters 8, relativistic + R1, R2": narrow(
        *("--loss", "relativistic", "--r1-gamma", "0.5", "--r2-gamma", "0.5")
    ),
    "filters 8, EMA, rates to 0": narrow(*CALM),
    "filters 8, EMA, rates to 0, conditional": narrow(*CALM, "--conditional"),
    "filters 8, EMA, rates 1e-3 to 0": narrow(*EMA, "--schedule", "learning_rate=1e-3:2e-5"),
    "filters 8, EMA, rates to 0, batch 32": QUICKSTART,
    "filters 12, EMA, rates to 0, batch 32": narrow(*CALM, filters=12, batch=32),
    "gan": ["--preset", "gan", "--size", "28x28", "--batch-size", "64"],
}
BASE = "the run of --base"
FINE = ["--from", BASE, "--batch-size", "16", "--recipe", "few"]
EXPERIMENTS["fine-tuning"] = {
    "scratch": ["--preset", "dcgan", "--size", "64x64", *SMALL, "--recipe", "few"],
    "scratch, a quarter": ["--preset", "dcgan", "--size", "64x64", *SMALL, "--recipe", "few"],
    "from another set, a quarter": FINE,
    "from another set, 2 layers frozen, a quarter": [*FINE, "--freeze-d", "2"],
}
QUARTER = ", a quarter"
EXPERIMENTS["discriminators-128"] = {
    arm: ["128x128" if word == "64x64" else word for word in words]
    for arm, words in EXPERIMENTS["discriminators-64"].items()
}
TIMED = (15, 60)  # steps of the first two trainings that an arm's time is taken from
LEAST = 20  # seconds between two such trainings: where they begin differs by one or two
NAMES = ("kernel_distance", "precision", "recall")
KGAN = [sys.executable, "-m", "kgan"]
QUIET = [
    *("--augment", "none", "--jit-compile", "off", "--sample-every", "100000"),
    *("--checkpoint-every", "100000"),
]


def run(words):
    """Runs kgan; the processor seconds that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([*KGAN, *words], check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"kgan {' '.join(words)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def train(data, words, steps, seed, out, name):
    """Trains a run; the processor seconds that it took."""
    place = ["--out", str(out), "--name", name, "--seed", str(seed), "--steps", str(steps)]
    return run(["train", data, *words, *QUIET, *place])


def seconds_per_step(data, words):
    """Of processor time, without what a training begins and ends with."""
    few, many = TIMED
    with tempfile.TemporaryDirectory() as place:
        begun = train(data, words, few, 0, place, str(few))
        while True:
            longer = train(data, words, many, 0, place, str(many)) - begun
            if longer >= LEAST:
                return longer / (many - few)
            many *= 4


def measure(path, test, n, features):
    """The figures of a run's images against pictures that it was not trained on."""
    words = ["evaluate", str(path), test, "-n", str(n), "--anyway"]
    found = {}
    for name, more in {"lite0": [], "judge": ["--features", features]}.items():
        if name == "judge" and features is None:
            continue
        run([*words, *more])
        figures = json.loads((path / "evaluation.json").read_text(encoding="utf-8"))
        found[name] = {key: figures["figures"][key]["value"] for key in NAMES}
    return found


class Results:
    """What a directory keeps of one set of settings: a row for each arm and seed.

    Rows of other settings in the same place do not count.
    """

    def __init__(self, directory, settings):
        directory.mkdir(parents=True, exist_ok=True)
        self.path, self.settings = directory / "results.jsonl", settings
        text = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
        rows = map(json.loads, text.splitlines())
        self.rows = [row for row in rows if settings.items() <= row.items()]

    def missing(self, arms, seeds):
        """(arm, seed) of each that is not there, every arm of a seed before the next seed."""
        there = {(row["arm"], row["seed"]) for row in self.rows}
        return [(arm, seed) for seed in seeds for arm in arms if (arm, seed) not in there]

    def steps(self, arm):
        """How many an arm had with another seed; None for none."""
        return next((row["steps"] for row in self.rows if row["arm"] == arm), None)

    def keep(self, **facts):
        """Adds a row, and tells it."""
        row = self.settings | facts
        self.rows.append(row)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        print(json.dumps(row), file=sys.stderr, flush=True)


def table(rows, arms, names=NAMES):
    """Markdown: each arm's mean and deviation over the seeds."""
    judges = sorted({judge for row in rows for judge in row["figures"]})
    head = ["arm", "steps", "seeds"]
    head += [f"{judge}: {name}" for judge in judges for name in names]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for arm in arms:
        own = [row for row in rows if row["arm"] == arm]
        if not own:
            continue
        cells = [arm, f"{own[0]['steps']:,}", str(len(own))]
        for judge in judges:
            for name in names:
                values = [row["figures"][judge][name] for row in own]
                deviation = f" ± {np.std(values, ddof=1):.2g}" if len(values) > 1 else ""
                cells.append(f"{np.mean(values):.3g}{deviation}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main():
    """Trains what is missing and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("experiment", choices=EXPERIMENTS)
    parser.add_argument("train")
    parser.add_argument("test")
    parser.add_argument("out", type=Path)
    parser.add_argument("--features", help="another judge, an .onnx file")
    parser.add_argument("--cpu-minutes", type=float, default=10.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("-n", type=int, default=1000)
    parser.add_argument("--base", help="a run, for the experiment fine-tuning")
    arguments = parser.parse_args()
    names = ("experiment", "train", "test", "features", "cpu_minutes", "n", "base")
    results = Results(arguments.out, {name: getattr(arguments, name) for name in names})
    arms = {
        arm: [arguments.base if word is BASE else word for word in words]
        for arm, words in EXPERIMENTS[arguments.experiment].items()
    }
    if any(None in words for words in arms.values()):
        parser.error(f"{arguments.experiment} needs --base RUN")
    order = list(arms)
    for arm, seed in results.missing(arms, arguments.seeds):
        steps = results.steps(arm)
        if steps is None and arm.endswith(QUARTER):
            steps = results.steps(order[0]) // 4
        elif steps is None:
            each = seconds_per_step(arguments.train, arms[arm])
            steps = max(1, int(60 * arguments.cpu_minutes / each))
        directory = arguments.out / f"{arguments.experiment}-{order.index(arm)}-{seed}"
        shutil.rmtree(directory, ignore_errors=True)  # of one that was ended, or other settings
        taken = train(arguments.train, arms[arm], steps, seed, *os.path.split(directory))
        results.keep(
            arm=arm,
            seed=seed,
            steps=steps,
            cpu_minutes_taken=round(taken / 60, 2),
            figures=measure(directory, arguments.test, arguments.n, arguments.features),
        )
    print(table(results.rows, arms))


if __name__ == "__main__":
    main()
