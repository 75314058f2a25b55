"""The order of the images: drawn from a key alone, so that it can be entered anywhere."""

from __future__ import annotations

from typing import Any

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
