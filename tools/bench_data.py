#!/usr/bin/env python3
"""Measures how fast each source of pictures gives batches, against plain Pillow and a training.

    .venv/bin/python tools/bench_data.py [DIR] [--size 64x64] [--pictures 2000] [--seconds 4]

DIR is a folder of JPEG files; without it 256x256 ones are made from the embedded
set. Everything is measured in turn, three times over, in one process; the
figures are the medians. Numbers from one machine at one time can be compared
with each other, and with nothing else.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
from PIL import Image, ImageOps

import kgan
from kgan.data import batches, first_images, open_source, pack

BATCH = 64
ROUNDS = 3
AUGMENT = ["flip", "crop", "brightness"]


def make_jpegs(folder, count):
    """Colour JPEGs of 256x256 with fine grain, as photographs have."""
    random = np.random.default_rng(0)
    clothes = first_images(open_source(None, image_shape=(256, 256, 3)), min(count, 6000))
    folder.mkdir()
    for index in range(count):
        picture = clothes[index % len(clothes)] * random.uniform(0.4, 1.0, 3)
        picture += random.normal(0, 8, picture.shape)
        picture = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
        picture.save(folder / f"{index:05d}.jpg", quality=90)
    return folder


def plain_pillow(files, shape):
    """The loop one would write by hand: open, crop to the middle, scale, to an array."""
    for file in files:
        with Image.open(file) as image:
            fitted = ImageOps.fit(image.convert("RGB"), shape[1::-1], Image.Resampling.BICUBIC)
            yield np.asarray(fitted)


def rate(steps, pictures_a_step, seconds):
    """Pictures a second of an iterator after its first step, for about so many seconds."""
    next(steps)
    start, count = time.perf_counter(), 0
    for _ in steps:
        count += pictures_a_step
        if time.perf_counter() - start > seconds:
            break
    return count / (time.perf_counter() - start)


def train_steps(shape):
    """Steps of the default GAN, one after the other, on pictures that are there already."""
    gan = kgan.GAN.from_preset("dcgan", image_shape=shape)
    gan.compile()
    images = tf.random.normal((BATCH, *shape))
    step = tf.function(gan.train_step)
    while True:
        step(images)
        yield


def main():
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR")
    parser.add_argument("--size", default="64x64")
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=4.0)
    arguments = parser.parse_args()
    shape = (*map(int, arguments.size.split("x")), 3)
    with tempfile.TemporaryDirectory() as temporary:
        temporary = Path(temporary)
        folder = arguments.folder or make_jpegs(temporary / "jpegs", arguments.pictures)
        files = sorted(map(str, folder.rglob("*.jp*g")))
        pack(open_source(folder, image_shape=shape), temporary / "shards")
        np.save(temporary / "a.npy", first_images(open_source(folder, image_shape=shape), 10**9))

        def pipeline(path, cache, augment):
            source = open_source(path, image_shape=shape)
            options = {"augment": augment, "cache": cache, "shuffle": True, "seed": 0}
            endless = batches(
                source, batch_size=BATCH, value_range=(-1, 1), first_batch=0, **options
            )
            return iter(endless), BATCH

        kinds = {
            "plain Pillow, one process": lambda: (plain_pillow(files * 50, shape), 1),
            "training dcgan": lambda: (train_steps(shape), BATCH),
        }
        for augment in ([], AUGMENT):
            suffix = f", {'+'.join(augment)}" if augment else ""
            for name, path, cache in (
                ("folder", folder, None),
                ("folder, cached in memory", folder, "memory"),
                ("packed shards", temporary / "shards", None),
                ("packed shards, cached in memory", temporary / "shards", "memory"),
                ("arrays", temporary / "a.npy", None),
            ):
                kinds[name + suffix] = lambda p=path, c=cache, a=augment: pipeline(p, c, a)
        with Image.open(files[0]) as image:
            size = "x".join(map(str, image.size))
        rates = {name: [] for name in kinds}
        for _ in range(ROUNDS):
            for name, start in kinds.items():
                rates[name].append(rate(*start(), arguments.seconds))
                print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    medians = {name: np.median(values) for name, values in rates.items()}
    pillow, training = (medians[name] for name in list(kinds)[:2])
    print(f"{len(files)} JPEG of {size} -> {arguments.size}, batches of {BATCH}")
    print("\n| source | pictures/s | to plain Pillow | to training |\n|---|---|---|---|")
    for name, value in medians.items():
        print(f"| {name} | {value:,.0f} | {value / pillow:.2f} | {value / training:.1f} |")


if __name__ == "__main__":
    main()
