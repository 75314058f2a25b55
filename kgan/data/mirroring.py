"""Whether pictures may be mirrored: a small network tries to tell them from their mirror images.

Where it can, left and right mean something, as for shoes that all point one way, letters, or
faces lit from one side, and a generator that trains on both would draw both.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from PIL import Image

from kgan.channels import PICTURES
from kgan.data.array_source import ArraySource
from kgan.data.choosing import numbered
from kgan.data.sources import Source, StreamSource
from kgan.files import cache_directory, whole_file
from kgan.images import to_pil
from kgan.reading import read_text

LOG = logging.getLogger("kgan")
MOST = 3000  # pictures that are looked at: the accuracy is known to 0.01 then
LEAST = 500  # of these, 1 set in 80 passes LIMIT by chance alone; of fewer, more
LIMIT = 0.55
SIDE = 32  # of what the network sees
WIDTHS = (12, 24, 48)  # of its convolutions, each of stride 2
BATCH = 64
STEPS = 150  # of each of two trainings
RATE, DECAY = 2e-3, 1e-2
CACHED = 2  # the version of what is cached


class Mirrored(NamedTuple):
    """What came of the question.

    Attributes:
        accuracy: share of unseen pictures that the network told from their mirror images; 0.5 is
            chance. None where there were too few pictures to ask.
        images: how many it was asked about.
    """

    accuracy: float | None
    images: int

    @property
    def harmless(self) -> bool:
        """Whether the data do not care."""
        return self.accuracy is not None and self.accuracy <= LIMIT

    def __str__(self) -> str:
        if self.accuracy is None:
            return f"{self.images} pictures are too few to tell whether left and right matter"
        share = f"{self.accuracy:.0%} of {self.images:,} pictures told from their mirror images"
        return f"{share}, half would be chance"


def ask(source: Source) -> Mirrored:
    """Asks of a source whether left and right matter, once: the answer is cached.

    The weights, draws and order are fixed: on one machine the same pictures give the same answer.
    Neither the source nor any random state of the process changes.

    Args:
        source: the pictures, of which at most `MOST` are decoded, drawn at random.
    """
    if source.good < LEAST:
        return Mirrored(None, source.good)
    path = _cached_at(source)
    known = None if path is None else _read(path)
    if known is not None:
        return known
    images = _small(source)
    if len(images) < LEAST:  # the others were broken
        return Mirrored(None, len(images))
    found = Mirrored(accuracy(np.stack(images)), len(images))
    if path is not None:
        try:
            with whole_file(path) as temporary:
                temporary.write_text(json.dumps(found._asdict()), encoding="utf-8")
        except OSError as error:  # a cache is no reason to fail
            LOG.warning("whether to mirror is not kept in %s (%s)", path, error.strerror)
    return found


def _cached_at(source: Source) -> Path | None:
    """Where the answer is kept; None for a user without a home."""
    facts = json.dumps([CACHED, source.fingerprint()])
    name = hashlib.sha256(facts.encode()).hexdigest()[:32]
    try:
        return cache_directory() / "mirroring" / f"{name}.json"
    except RuntimeError:
        return None


def _read(path: Path) -> Mirrored | None:
    """The answer that was kept; None where there is none that can be one."""
    try:
        known = json.loads(read_text(path))
        found = Mirrored(known["accuracy"], known["images"])
        good = type(found.accuracy) is float and 0.0 <= found.accuracy <= 1.0
        return found if good and type(found.images) is int and found.images >= LEAST else None
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        return None


def _small(source: Source) -> list[np.ndarray]:
    """Some of the pictures, none that is held out, each uint8 (SIDE, SIDE, C), in random order.

    Each is shrunk as it is read: the pictures themselves may not fit into memory at once.
    """
    apart = source.left_out | source.broken
    order = np.random.default_rng(0).permutation(source.usable)
    wanted = [int(index) for index in order if index not in apart][:MOST]
    if isinstance(source, ArraySource):
        return [_shrunk(source.images[index]) for index in wanted]
    assert isinstance(source, StreamSource)
    looked_at = source.aside()  # what proves broken is found again, and told, in training
    chosen = np.zeros(source.count, bool)
    chosen[wanted] = True
    found = {
        int(index): _shrunk(image)
        for image, (index, _) in looked_at.read(numbered(looked_at, chosen))
    }
    return [found[index] for index in wanted if index in found]


def _shrunk(image: np.ndarray) -> np.ndarray:
    if image.shape[-1] not in PICTURES:
        return np.concatenate(list(map(_shrunk, np.split(image, image.shape[-1], axis=2))), axis=2)
    small = np.asarray(to_pil(image).resize((SIDE, SIDE), Image.Resampling.BILINEAR))
    return small.reshape(SIDE, SIDE, -1)


def accuracy(images: np.ndarray) -> float:
    """The share of images that a network, trained on the other half, tells from their mirrors.

    Args:
        images: uint8 array (N, SIDE, SIDE, C), N at least 4, in random order.

    Returns:
        From 0 to 1, chance being 0.5; an image that equals its mirror image counts half.
    """
    with tf.device("CPU"):
        small = tf.cast(images, tf.float32)
        small = (small - tf.reduce_mean(small)) / tf.maximum(tf.math.reduce_std(small), 1e-3)
        halves = small[: len(images) // 2], small[len(images) // 2 :]
        told = [
            _told(learn, seen, seed) for seed, (learn, seen) in enumerate((halves, halves[::-1]))
        ]
    return float(np.concatenate(told).mean())


def _told(learn: tf.Tensor, seen: tf.Tensor, seed: int) -> np.ndarray:
    """1.0 for each unseen image told from its mirror image, 0.0 for each taken for it."""
    weights = _weights(int(learn.shape[-1]), seed)
    moments = [(tf.Variable(tf.zeros_like(w)), tf.Variable(tf.zeros_like(w))) for w in weights]
    batches = np.random.default_rng(seed).integers(0, len(learn), (STEPS, BATCH))

    @tf.function(autograph=False)
    def step(images: tf.Tensor, number: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            # Which of the two is the mirror image: the network sees both, in no order.
            loss = tf.reduce_mean(tf.nn.softplus(-_margin(weights, images)))
        rate = RATE * (1.0 - number / STEPS)
        power = tf.stack([0.9, 0.99]) ** (number + 1.0)
        gradients = tape.gradient(loss, weights)
        for weight, gradient, (m, v) in zip(weights, gradients, moments, strict=True):
            weight.assign_sub(rate * DECAY * weight)
            tf.raw_ops.ResourceApplyAdam(
                var=weight.handle,
                m=m.handle,
                v=v.handle,
                beta1_power=power[0],
                beta2_power=power[1],
                lr=rate,
                beta1=0.9,
                beta2=0.99,
                epsilon=1e-8,
                grad=gradient,
            )

    for number, batch in enumerate(batches):
        step(tf.gather(learn, batch), tf.constant(float(number)))
    margins = [_margin(weights, seen[i : i + 256]).numpy() for i in range(0, len(seen), 256)]
    return 0.5 + 0.5 * np.sign(np.concatenate(margins))


def _weights(channels: int, seed: int) -> list[tf.Variable]:
    """Kernels from He's normal law, one a convolution, and the last, linear one's."""
    rng = np.random.default_rng(seed)
    shapes: list[tuple[int, ...]] = [
        (3, 3, *pair) for pair in zip((channels, *WIDTHS), WIDTHS, strict=False)
    ]
    shapes.append(((SIDE // 2 ** len(WIDTHS)) ** 2 * WIDTHS[-1], 1))
    return [
        tf.Variable(rng.normal(0, math.sqrt(2 / math.prod(shape[:-1])), shape), dtype=tf.float32)
        for shape in shapes
    ]


def _margin(weights: list[tf.Variable], images: tf.Tensor) -> tf.Tensor:
    """How much more an image looks like one than its mirror image does, (B,)."""
    maps = tf.concat([images, tf.reverse(images, [2])], 0)
    for kernel in weights[:-1]:
        maps = tf.nn.leaky_relu(tf.nn.conv2d(maps, kernel, 2, "SAME"), 0.2)
    scores = tf.matmul(tf.reshape(maps, (tf.shape(maps)[0], -1)), weights[-1])[:, 0]
    own, mirrored = tf.split(scores, 2)
    return own - mirrored
