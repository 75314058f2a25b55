"""Spoils files that kgan reads, and sees that a command tells each in one line or takes it.

    tools/fuzz_files.py                          1,000 of every kind: hours on two cores
    tools/fuzz_files.py npz keras -n 50
    tools/fuzz_files.py npz --first 17 -n 1 -v   one again, with what the command wrote

Each is tried in a process of its own with 4 GB of memory, 30 seconds of a processor and 90 in
all. Exit code: 1 where one ended in a traceback, was killed, as for memory, hung, or sent a
terminal what it obeys; else 0.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import importlib
import io
import os
import pkgutil
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import file_edits
import numpy as np
from PIL import Image

import kgan
from kgan.cli.main import Parser, call, main

MEMORY = 4 * 10**9  # bytes
SECONDS = 30  # of a processor
LONGEST = 90  # seconds in all, where others have the machine too
FAULTS = ("traceback", "killed", "hung", "raw")
RUN = "runs/one"
SETTINGS = "--preset dcgan --size 16x16 --filters 2 --conditional --batch-size 4 --name one"


class Kind(NamedTuple):
    """A kind of file: where it stands, how it is spoiled, and what then reads it."""

    files: tuple[str, ...]
    edit: file_edits.Edit
    use: Callable[[int], int]


class Outcome(NamedTuple):
    """What came of one spoiled file."""

    kind: str
    seed: int
    result: str
    seconds: float
    output: str


def make_files() -> None:
    """A folder of pictures with a broken one, a run on it, and an array file and shards of it."""
    rng = np.random.default_rng(0)
    for index in range(12):
        file = Path("set", "ab"[index % 2], f"{index}.png")
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (16, 16, 3), np.uint8)).save(file)
    Path("set/a/broken.png").write_bytes(file.read_bytes()[:200])
    np.savez("set.npz", images=rng.integers(0, 256, (12, 16, 16, 3), np.uint8), labels=range(12))
    for command in (f"train set --steps 2 {SETTINGS}", "data pack set -o shards --size 16x16"):
        if main(command.split()):
            raise SystemExit(command)
    shutil.copyfile(f"{RUN}/model.keras", "one.keras")


def resume(seed: int) -> int:
    """Goes on with the run: a step in every 25th, as far as the first batch in the others."""
    if seed % 25 == 24:
        return main(["train", "--resume", RUN, "--steps", "1"])
    return _called(_load_run)


def _load_run(_: argparse.Namespace) -> None:
    from kgan.runs import Run, goal, heading, ready
    from kgan.runs.problems import told_in_one_line

    run = Run.open(RUN)
    with told_in_one_line(run.directory, run.strategy):
        training = ready.load(run.directory, run.options, {}, run.strategy)
        next(iter(training.batches))
        epoch = training.source.good // run.options.images_per_step
        done = goal.progress(run.directory, training.model, epoch)
        options = goal.with_goal(run.options, done, {})
        print(heading.heading(run.directory, options, done, training.source, training.model))


def history(seed: int) -> int:
    """Writes an epoch's row, as a training that goes on does."""
    return _called(_write_history)


def _write_history(_: argparse.Namespace) -> None:
    from kgan.callbacks.csv_history import CSVHistory

    callback = CSVHistory(f"{RUN}/history.csv")
    callback.set_model(kgan.load_gan("one.keras", compile=False))
    callback.on_train_begin()
    callback.on_epoch_end(1, {"d_loss": 0.5})


def _called(function: Callable[[argparse.Namespace], None]) -> int:
    """What the command line makes of a function, its exit code."""
    parser = Parser(prog="kgan")
    parser.set_defaults(run=function)
    return call(parser, [])


def generate(seed: int) -> int:
    """Draws from the .keras file."""
    return main("generate one.keras -n 2 -o a.png".split())


def pack(data: str) -> Callable[[int], int]:
    """Reads all of some data, with labels, and packs it."""
    return lambda seed: main(["data", "pack", data, "-o", "packed"])


def shards(seed: int) -> int:
    """Checks the shards, then reads them all; every other time as those of another tool."""
    if seed % 2:
        Path("shards/manifest.json").unlink()
        return pack("shards")(seed)
    return max(main(["data", "check", "shards", "-o", "a.png"]), pack("shards")(seed))


KINDS = {
    "config": Kind((f"{RUN}/config.json",), file_edits.json_text, resume),
    "history": Kind((f"{RUN}/history.csv",), file_edits.text, history),
    "skipped": Kind((f"{RUN}/skipped.json",), file_edits.json_text, resume),
    "progress": Kind((f"{RUN}/progress.json",), file_edits.json_text, resume),
    "checkpoint": Kind(
        (f"{RUN}/model.keras", f"{RUN}/checkpoints/last.keras"), file_edits.keras, resume
    ),
    "keras": Kind(("one.keras",), file_edits.keras, generate),
    "npz": Kind(("set.npz",), file_edits.npz, pack("set.npz")),
    "shards": Kind(("shards/pictures-00000.tfrecord",), file_edits.shard, shards),
    "manifest": Kind(
        ("shards/manifest.json",), file_edits.json_text, lambda seed: shards(2 * seed)
    ),
}


def spoil(kind: Kind, name: str, seed: int) -> None:
    """Spoils one of a kind's files, or all alike."""
    rng = random.Random(f"{name} {seed}")
    content = kind.edit(Path(kind.files[0]).read_bytes(), rng)
    for file in kind.files if rng.random() < 0.7 else kind.files[:1]:
        Path(file).write_bytes(content)


def child(good: Path, place: Path, name: str, seed: int) -> int:
    """Spoils and uses a file, in a process of its own; the exit code, 99 for a traceback."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, LONGEST))  # the first tells by its signal
    output = os.open(place / "output", os.O_WRONLY | os.O_CREAT)
    for descriptor in (1, 2):  # C++ writes there too
        os.dup2(output, descriptor)
    sys.stdout, sys.stderr = (open(n, "w", buffering=1, closefd=False) for n in (1, 2))
    shutil.copytree(good, place / "files")
    os.chdir(place / "files")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # zipfile's, of two members of one name
            spoil(KINDS[name], name, seed)
        return KINDS[name].use(seed)
    except SystemExit as end:
        return int(end.code or 0)
    except BaseException:
        traceback.print_exc()
        return 99


def begin(good: Path, name: str, seed: int) -> tuple[int, str, int, Path, float]:
    """Forks a child: (its process, kind, seed, place, when)."""
    place = Path(tempfile.mkdtemp(dir=good.parent))
    sys.stdout.flush()
    process = os.fork()
    if not process:
        code = 98
        try:
            code = child(good, place, name, seed)
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)
    return process, name, seed, place, time.monotonic()


def ended(process: int, name: str, seed: int, place: Path, start: float) -> Outcome | None:
    """What came of a child; None while it runs."""
    over = time.monotonic() - start
    if over > LONGEST:
        os.kill(process, signal.SIGKILL)
    found, status = os.waitpid(process, 0 if over > LONGEST else os.WNOHANG)
    if not found:
        return None
    code = os.waitstatus_to_exitcode(status)
    output = (place / "output").read_text(errors="backslashreplace")
    shutil.rmtree(place)
    return Outcome(name, seed, result(code, over, output), over, output)


def result(code: int, seconds: float, output: str) -> str:
    """One word for how a child ended."""
    if seconds > LONGEST or code == -signal.SIGXCPU:
        return "hung"
    if code not in (0, 1, 2, 99):
        return "killed"
    if code == 99 or "Traceback (most" in output:
        return "traceback"
    if any(not c.isprintable() for c in output.replace("\n", "")):
        return "raw"
    return "refused" if code == 2 else "told" if code else "taken"


def outcomes(good: Path, waiting: list[tuple[str, int]], jobs: int) -> Iterator[Outcome]:
    """Tries what waits, the last first, some at a time."""
    running: list[tuple[int, str, int, Path, float]] = []
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                running.append(begin(good, *waiting.pop()))
            time.sleep(0.02)
            for one in list(running):
                outcome = ended(*one)
                if outcome is not None:
                    running.remove(one)
                    yield outcome
    finally:  # on Ctrl-C, before their folder is removed
        for process, *_ in running:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)


def run(arguments: argparse.Namespace) -> int:
    """Tries all; prints each fault and, last, how many came to what."""
    seeds = range(arguments.first, arguments.first + arguments.n)
    waiting = [(name, seed) for name in arguments.kinds or KINDS for seed in reversed(seeds)]
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    slowest: dict[str, float] = collections.defaultdict(float)
    with tempfile.TemporaryDirectory() as folder:
        good = Path(folder, "good")
        good.mkdir()
        make_in_child(good)
        import_all()
        with contextlib.suppress(KeyboardInterrupt):  # what was counted so far is told
            for outcome in outcomes(good, waiting, arguments.jobs):
                counts[outcome.kind][outcome.result] += 1
                slowest[outcome.kind] = max(slowest[outcome.kind], outcome.seconds)
                if arguments.verbose or outcome.result in FAULTS:
                    shown = outcome.output if arguments.verbose else outcome.output[-1500:]
                    print(f"--- {outcome.kind} {outcome.seed}: {outcome.result}\n{shown}")
    for name, count in counts.items():
        words = ", ".join(f"{number} {what}" for what, number in sorted(count.items()))
        print(f"{name}: {words}; the slowest {slowest[name]:.1f} s")
    return int(any(count[fault] for count in counts.values() for fault in FAULTS))


def make_in_child(good: Path) -> None:
    """Makes the files in a process of its own: TensorFlow does not live on in a fork once used."""
    process = os.fork()
    if not process:
        os.chdir(good)
        sys.stdout = io.StringIO()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        try:
            make_files()
            os._exit(0)
        finally:
            os._exit(1)
    if os.waitpid(process, 0)[1]:
        raise SystemExit("the good files cannot be made")


def import_all() -> None:
    """Imports all of kgan once, and so TensorFlow, which is used in the children alone."""
    for module in pkgutil.walk_packages(kgan.__path__, "kgan."):
        if module.name != "kgan.__main__":  # it is the command
            with contextlib.suppress(ModuleNotFoundError):  # of an extra that is not installed
                importlib.import_module(module.name)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(KINDS)} (all)")
    parser.add_argument("-n", type=int, default=1000, help="of each kind (1000)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (0)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="at a time (the cores)")
    parser.add_argument("-v", "--verbose", action="store_true", help="show all outputs")
    sys.exit(run(parser.parse_args()))
