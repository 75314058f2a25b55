#!/usr/bin/env python3
"""Trains for a while and says whether a week of it would fit: memory, files, descriptors, threads.

    .venv/bin/python tools/soak.py [--minutes 60] [--settle 10] [--out DIR] [KGAN TRAIN'S OPTIONS]

A `kgan train` of the embedded set at 16x16, with all that watches a training, in a process of
its own; it is looked at from outside every ten seconds. After `--settle` minutes the memory may
grow by 5 MB an hour (the slope of a least-squares line), descriptors and threads not at all.
Exit status 1 where it does, or where the run's files leave their bounds.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

MOST_GROWTH = 5.0  # MB an hour
MOST_SHEETS = 200
MOST_BYTES = 500 * 10**6  # of samples/ and logs/
PAUSE = 10.0  # seconds


def look(pid, run):
    """What the process and its run's directory have now, a dict."""
    process = Path("/proc") / str(pid)
    pages = int((process / "statm").read_text().split()[1])
    files = [path for name in ("samples", "logs") for path in (run / name).rglob("*.*")]
    return {
        "MB": pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
        "descriptors": len(list((process / "fd").iterdir())),
        "threads": len(list((process / "task").iterdir())),
        "sheets": sum(path.suffix == ".png" for path in files),
        "bytes": sum(path.stat().st_size for path in files if path.exists()),
    }


def watch(process, run):
    """(seconds since the start, what was seen) every ten seconds until it ends."""
    began = time.monotonic()
    while process.poll() is None:
        try:
            yield time.monotonic() - began, look(process.pid, run)
        except OSError:  # it has just ended, or thinned a sheet away
            continue
        time.sleep(PAUSE)


def slope(times, values):
    """Growth per hour of the least-squares line."""
    return float(np.polyfit(np.asarray(times) / 3600, values, 1)[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--settle", type=float, default=10)
    parser.add_argument("--out", type=Path)
    arguments, further = parser.parse_known_args()
    out = arguments.out or Path(tempfile.mkdtemp(prefix="soak-"))
    out.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", "from kgan.cli.main import main; raise SystemExit(main())"]
    command += ["train", "--size", "16x16", "--filters", "8", "--sample-every", "50"]
    command += ["--minutes", str(arguments.minutes), "--out", str(out), "--name", "soak", *further]
    seen = []
    with (out / "output.txt").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        for seconds, state in watch(process, out / "soak"):
            if seconds >= arguments.settle * 60:
                seen.append((seconds, state))
            if len(seen) % 30 == 1:
                print(f"{seconds / 60:6.1f} min  {state}", flush=True)
    if process.returncode or len(seen) < 3:
        sys.exit(f"the training ended with {process.returncode}: see {out / 'output.txt'}")
    times = [seconds for seconds, _ in seen]
    growth = {key: slope(times, [s[key] for _, s in seen]) for key in ("MB", "descriptors")}
    threads = {state["threads"] for _, state in seen}
    last = seen[-1][1]
    good = (
        growth["MB"] <= MOST_GROWTH
        and abs(growth["descriptors"]) < 1
        and len(threads) <= 3
        and max(state["sheets"] for _, state in seen) <= MOST_SHEETS
        and last["bytes"] <= MOST_BYTES
    )
    print(
        f"memory {growth['MB']:+.2f} MB an hour, descriptors {growth['descriptors']:+.2f}, "
        f"threads {sorted(threads)}, {last['sheets']} sheets, "
        f"{last['bytes'] / 1e6:.1f} MB of files: {'good' if good else 'NOT GOOD'}"
    )
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
