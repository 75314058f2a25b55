#!/usr/bin/env python3
"""Ends commands at random moments and says whether they leave anything.

    .venv/bin/python tools/interrupt.py [--rounds 20] [COMMAND ...]

`train`, `export`, `web`, `pack` and `separate`, of tiny models, get each signal so many times, at
moments drawn from the time that each takes undisturbed. SIGINT, SIGTERM and SIGHUP must end it as
interrupted and leave nothing, or a run to resume; what SIGKILL leaves must be gone when the
command has been run again, which must work. Exit status 1 where anything is otherwise. The
commands are forked from one process that has imported TensorFlow, as importing it takes longer
than most of them.
"""

import argparse
import collections
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
SMALL = ["--size", "16x16", "--filters", "2", "--batch-size", "64"]
COMMANDS = {
    "train": ["train", *SMALL, "--steps", "12", "--checkpoint-every", "4", "--name", "x"],
    "export": ["export", "../set/runs/first", "--onnx", "--name", "x"],
    "web": ["export", "../set/saved_models/first", "--web", "page"],
    "pack": ["data", "pack", "../set/pictures", "--size", "16x16", "-o", "shards"],
    "separate": ["generate", "../set/saved_models/first", "-n", "600", "--separate", "drawn"],
}
# What is there once a command is done; Python takes its time to end after that.
WHOLE = {
    "export": "saved_models/x/1/manifest.json",
    "web": "page/index.html",
    "pack": "shards/manifest.json",
    "separate": "drawn/seed-000599.png",
}
FIRST = [
    ["train", *SMALL, "--steps", "2", "--name", "first"],
    ["export", "runs/first", "--onnx"],
    ["generate", "saved_models/first", "-n", "400", "--separate", "pictures"],
]


def start(arguments, place):
    """Forks a process that runs kgan in a folder; its output goes to kgan.log beside the folder."""
    child = os.fork()
    if child:
        return child
    from kgan.cli.main import main

    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # `nohup` has it ignored,
    signal.signal(signal.SIGINT, signal.default_int_handler)  # and `&` in a script this one
    os.chdir(place)
    log = os.open(f"{place}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.exit(main(arguments))


def finish(arguments, place, end=None):
    """Runs kgan, to its end or to (moment, signal); its exit status, or minus the signal."""
    child = start(arguments, place)
    if end:
        time.sleep(end[0])
        os.kill(child, end[1])
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def things(place):
    """What is in a folder, as relative paths; the lock of a run is no leftover."""
    paths = (path.relative_to(place).as_posix() for path in place.rglob("*"))
    return sorted(path for path in paths if not path.endswith("/.lock"))


def hidden(paths):
    return [path for path in paths if "/." in f"/{path}"]


def again(name, place):
    """Runs a command that was ended once more, as a user would; its exit status."""
    if name in ("web", "pack") and (place / WHOLE[name]).exists():  # it would refuse to
        return finish(["export", "--list", "."], place)
    status = finish(COMMANDS[name], place)
    if status == 2 and name == "train":  # it had saved a step
        status = finish(["train", "--resume", "runs/x"], place)
    return status


def round_of(name, number, moment, place):
    """Ends a command once and runs it again; (what happened, what is wrong or None)."""
    place.mkdir()
    status = finish(COMMANDS[name], place, (moment, number))
    left = things(place)
    if status == 0 or (WHOLE.get(name) in left and not hidden(left)):
        happened = "done before"
    elif number == signal.SIGKILL:
        happened = "left something" if left else "left nothing"
    elif hidden(left) or (
        left and not (name == "train" and any(path.endswith(".keras") for path in left))
    ):
        return "left something", f"{name} {number.name} at {moment:.2f} s left {left[:9]}"
    elif status not in (1, -number):  # the latter before kgan has begun, or when it is done
        return "ended otherwise", f"{name} {number.name} at {moment:.2f} s: exit status {status}"
    else:
        happened = "left a run" if left else "left nothing"
    if again(name, place):
        return happened, f"{name} {number.name} at {moment:.2f} s: the rerun failed"
    stay = hidden(things(place))
    return happened, f"{name} {number.name} at {moment:.2f} s: {stay[:9]} stay" if stay else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("commands", nargs="*", metavar="COMMAND", help=", ".join(COMMANDS))
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    draw = random.Random(chosen.seed)
    # Once, for all that are forked; TensorFlow starts no thread before it computes.
    import tf2onnx  # noqa: F401

    import kgan.export
    import kgan.runs  # noqa: F401

    top = Path(tempfile.mkdtemp(prefix="interrupt-"))
    os.environ["TMPDIR"] = str(top / "tmp")
    (top / "tmp").mkdir()
    (top / "set").mkdir()
    for arguments in FIRST:
        assert finish(arguments, top / "set") == 0, (top / "set.log").read_text()
    wrong = []
    for name in chosen.commands or COMMANDS:
        place = top / "undisturbed"
        place.mkdir()
        began = time.monotonic()
        assert finish(COMMANDS[name], place) == 0, Path(f"{place}.log").read_text()
        seconds = time.monotonic() - began
        shutil.rmtree(place)
        for number in (signal.Signals[f"SIG{word}"] for word in ("INT", "TERM", "HUP", "KILL")):
            seen = collections.Counter()
            place = top / "place"
            for _ in range(chosen.rounds):
                happened, problem = round_of(name, number, draw.uniform(0, seconds), place)
                seen[happened] += 1
                if problem:
                    wrong.append(problem)
                    print(problem, Path(f"{place}.log").read_text()[-600:], sep="\n", flush=True)
                shutil.rmtree(place)
                Path(f"{place}.log").unlink()
            words = ", ".join(f"{count} {what}" for what, count in sorted(seen.items()))
            print(f"{name:9} {seconds:5.1f} s  {number.name:8} {words}", flush=True)
    print(f"temporary files of other programs: {len(things(top / 'tmp'))}")
    shutil.rmtree(top)
    print("wrong:", len(wrong))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
