"""The order of the images: drawn from a key alone, so that it can be entered anywhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

BLOCK_BYTES = 2**27  # of images that are shuffled together


def order(count: int, key: tf.Tensor | None) -> tf.data.Dataset:
    """A tf.data.Dataset of the numbers 0..count-1, all in an order drawn from `key`.

    Args:
        count: how many numbers.
        key: int64 tensor (2,); None for their own order.
    """
    numbers = tf.data.Dataset.range(count)
    if key is None:
        return numbers
    last = tf.cast(count - 1, tf.int64)
    # index_shuffle uses only some low bits of its seed, so that keys close together
    # would give the same order; two hashes of the key make that rare.
    seed = tf.random.stateless_uniform([2], key, None, None, tf.int32)
    # Stateless and without a buffer: an epoch of any length can begin anywhere.
    return numbers.map(lambda n: tf.random.experimental.index_shuffle(n, seed, last))


def balanced_order(labels: np.ndarray, key: tf.Tensor | None) -> tf.data.Dataset:
    """A tf.data.Dataset of as many numbers of images as there are, every class as often.

    Where their number does not divide, some classes come once more, and so do some images of a
    class: those of a rare one repeat within an epoch, and of a frequent one not every image
    comes. All that is drawn from `key`.

    Args:
        labels: int array (N,), the class of each image.
        key: int64 tensor (2,); None for the classes in turn and the images in their own order.
    """
    _, sizes = np.unique(labels, return_counts=True)
    with tf.device("CPU"):
        by_class = tf.constant(np.argsort(labels, kind="stable"), tf.int64)
        first, size = (tf.constant(n, tf.int64) for n in (np.cumsum(sizes) - sizes, sizes))
    fold_in = tf.random.experimental.stateless_fold_in

    def image(turn: tf.Tensor) -> tf.Tensor:
        number, time = turn % len(sizes), turn // len(sizes)
        among = size[number]
        place = time % among
        if key is not None:
            own = fold_in(fold_in(key, number), time // among)
            seed = tf.random.stateless_uniform([2], own, None, None, tf.int32)
            place = tf.random.experimental.index_shuffle(place, seed, among - 1)
        return by_class[first[number] + place]

    return order(len(labels), key).map(image)


def block_of(count: int, size: float) -> int:
    """How many of `count` images of `size` bytes each to shuffle together."""
    return max(1, min(count, int(BLOCK_BYTES / max(1, size))))


def shuffled(dataset: tf.data.Dataset, block: int, key: tf.Tensor) -> tf.data.Dataset:
    """A dataset shuffled block by block, for what can only be read from its beginning.

    Unlike `tf.data.Dataset.shuffle` it takes its order from `key` alone.

    Args:
        dataset: of tuples of tensors that have one shape each.
        block: elements per block; two blocks are in memory.
        key: int64 tensor (2,).
    """

    def shuffle(number: tf.Tensor, parts: Any) -> tf.data.Dataset:
        own = tf.random.experimental.stateless_fold_in(key, number)
        rows = order(tf.shape(parts[0], tf.int64)[0], own)
        return rows.map(lambda row: tuple(tf.gather(part, row) for part in parts))

    blocks = dataset.batch(block).prefetch(1).enumerate()
    return blocks.flat_map(lambda number, parts: shuffle(number, parts))
