#!/usr/bin/env python3
"""Loads an export: onnxruntime under 1 to 64 threads, `kgan serve` over HTTP, and its memory.

    .venv/bin/python tools/bench_serving.py [EXPORT] [--seconds 5] [--calls 100000] [--markdown]

A call, and a request, is for one picture. Its clients run on the same cores as what they load, and
take their share of them; they keep their connections. "others" is the share of the machine's cores
that neither they nor the server had. Needs kgan[serve].
"""

import argparse
import contextlib
import http.client
import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
from training_speed import machine

from kgan.runtime import Generator

EXPORT = Path(__file__).parents[1] / "saved_models/faces_dcgan"
THREADS = (1, 2, 4, 8, 16, 32, 64)
WARM = 64  # calls before anything is measured
MOST_SECONDS = 60  # that a thread may take to begin and to end
# How the server is started: as it is by itself, and without what it is for.
SERVERS = {"kgan serve": [], "kgan serve --batch-size 1": ["--batch-size", "1"]}


class Load(NamedTuple):
    """What one load gave."""

    what: str
    threads: int
    a_second: float
    p50_ms: float
    p99_ms: float
    others: float


def main() -> None:
    """Measures, and prints as it goes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("export", nargs="?", type=Path, default=EXPORT, help="(the faces)")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each load (5)")
    parser.add_argument("--threads", type=int, nargs="+", default=THREADS, help="(1 to 64)")
    parser.add_argument("--calls", type=int, default=100_000, help="of the memory (100,000)")
    parser.add_argument("--markdown", action="store_true", help="as a table for docs/serving.md")
    options = parser.parse_args()
    if min(*options.threads, options.seconds, options.calls) <= 0:
        parser.error("--threads, --seconds and --calls are above 0")
    generator = Generator(options.export)
    print(f"{machine.describe()}, {machine.version('onnxruntime')}")
    usable = len(getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count() or 1))(0))
    size = "x".join(map(str, generator.image_shape))
    print(f"{usable} cores may be used; {generator.info['name']}, {size}\n")
    loads: list[Load] = []

    def told(load: Load) -> None:
        loads.append(load)
        if not options.markdown:
            print(
                f"{load.what}, {load.threads} threads: {load.a_second:.0f} pictures a second, p50 "
                f"{load.p50_ms:.2f} ms, p99 {load.p99_ms:.2f} ms, others {load.others:.0%}",
                flush=True,
            )

    calls = itertools.count()
    for threads in options.threads:
        told(
            load(
                "onnxruntime",
                threads,
                options.seconds,
                lambda: lambda: generator.from_seeds([next(calls)]),
                psutil.Process(),
            )
        )
    for what, words in SERVERS.items():
        with serving(options.export, words) as (server, port):
            before = server.memory_info().rss
            for threads in options.threads:
                told(load(what, threads, options.seconds, lambda: requests(port, calls), server))
            after = server.memory_info().rss
        print(f"{what}: memory {megabytes(before)} before these loads, {megabytes(after)} after")
    if options.markdown:
        print("\n| | threads | pictures a second | p50 ms | p99 ms | others |")
        print("|---|---|---|---|---|---|")
        for one in loads:
            print(
                f"| {one.what} | {one.threads} | {one.a_second:.0f} | {one.p50_ms:.2f} | "
                f"{one.p99_ms:.2f} | {one.others:.0%} |"
            )
    remember(generator, options.calls)


def load(
    what: str,
    threads: int,
    seconds: float,
    client: Callable[[], Callable[[], object]],
    server: psutil.Process,
) -> Load:
    """Calls from several threads, each as fast as it is answered.

    Args:
        what: is loaded.
        threads: how many.
        seconds: how long.
        client: makes what a thread calls.
        server: the process that answers, this one or another.
    """
    taken: list[list[float]] = [[] for _ in range(threads)]
    ready, end = threading.Barrier(threads + 1), threading.Event()

    def run(own: list[float]) -> None:
        call = client()
        for _ in range(max(1, WARM // threads)):
            call()
        ready.wait(MOST_SECONDS)
        while not end.is_set():
            begun = time.perf_counter()
            call()
            own.append(time.perf_counter() - begun)

    workers = [threading.Thread(target=run, args=(own,), daemon=True) for own in taken]
    for worker in workers:
        worker.start()
    ready.wait(MOST_SECONDS)
    window = machine.Window(own=lambda: processor_seconds({psutil.Process(), server}))
    window.open()
    time.sleep(seconds)
    end.set()
    for worker in workers:
        worker.join(MOST_SECONDS)
    found = window.close()
    milliseconds = 1e3 * np.concatenate(taken)
    p50, p99 = np.percentile(milliseconds, [50, 99])
    rate = len(milliseconds) / found["seconds"]
    return Load(what, threads, rate, p50, p99, found["others"])


def processor_seconds(processes: set[psutil.Process]) -> float:
    """Of all of them, so far."""
    return sum(sum(process.cpu_times()[:2]) for process in processes)


@contextlib.contextmanager
def serving(export: Path, words: list[str]) -> Iterator[tuple[psutil.Process, int]]:
    """A server in a process of its own: (the process, its port)."""
    command = [sys.executable, "-m", "kgan", "serve", export, "--port", "0", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline()
            if not url:
                sys.exit(f"It did not begin: {' '.join(map(str, command))}")
            yield psutil.Process(process.pid), int(url.split("/")[2].rpartition(":")[2])
        finally:
            process.terminate()


def requests(port: int, seeds: Iterator[int]) -> Callable[[], None]:
    """What asks for a PNG of the next seed, over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port)

    def ask() -> None:
        connection.request("GET", f"/generate?seed={next(seeds)}")
        answer = connection.getresponse()
        data = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{answer.status}: {data[:200]!r}")

    return ask


def remember(generator: Generator, calls: int) -> None:
    """Prints what this process holds over many calls."""
    for call in range(calls + 1):
        if call % max(1, calls // 4) == 0:
            held = psutil.Process().memory_info().rss
            print(f"memory after {call:,} calls: {megabytes(held)}", flush=True)
        generator.from_seeds([call])


def megabytes(size: int) -> str:
    """Bytes, for people."""
    return f"{size / 2**20:.1f} MiB"


if __name__ == "__main__":
    main()
