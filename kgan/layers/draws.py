"""Random numbers that are the same on every device, compiled or not, and however a batch is split.

TensorFlow's own floats differ under XLA, although the bits of Philox are the same; and a replica
of a tf.distribute strategy knows only its part of the batch. Seeds are int tensors (2,). The bits
and the strategy are TensorFlow's: on Keras's other backends nothing can be drawn.

Reference:
    Salmon et al. 2011, section 5.3 (Philox), https://doi.org/10.1145/2063384.2063405
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import tensorflow as tf

from kgan.tensors import of_tensorflow

Shape: TypeAlias = Sequence[int | tf.Tensor]

# With one more bit TensorFlow's erfinv, which adds 1, would round the last value up to infinity.
BITS = 23


def uniform(seed: tf.Tensor, shape: Shape, least: float = 0.0, most: float = 1.0) -> tf.Tensor:
    """U(least, most), float32: one of 2**23 evenly spaced numbers, `most` excluded."""
    return least + (most - least) * tf.cast(_bits(seed, shape), tf.float32) * 2.0**-BITS


def shares(seed_generator: Any, batch_size: int | tf.Tensor) -> tf.Tensor:
    """This replica's next numbers of U(0, 1), float32 (batch_size,), from a SeedGenerator."""
    seed = seed_generator.next()
    return of_this_replica(lambda n: uniform(seed, (n,)), batch_size)


def symmetric_uniform(seed: tf.Tensor, shape: Shape) -> tf.Tensor:
    """U(-1, 1), float32."""
    return uniform(seed, shape, -1.0, 1.0)


def normal(seed: tf.Tensor, shape: Shape) -> tf.Tensor:
    """N(0, 1), float32, by its inverse distribution function; between -5.3 and 5.3."""
    middles = 2 * _bits(seed, shape) + 1 - 2**BITS
    return math.sqrt(2.0) * tf.math.erfinv(tf.cast(middles, tf.float32) * 2.0**-BITS)


@of_tensorflow
def below(seed: tf.Tensor, end: int) -> tf.Tensor:
    """A whole number from 0 to end - 1, int32 scalar."""
    return tf.random.stateless_uniform((), seed, 0, end, tf.int32, alg="philox")


@of_tensorflow
def seeds(seed: tf.Tensor, n: int | tf.Tensor) -> tf.Tensor:
    """Derives n seeds from a seed, int32 (n, 2)."""
    return tf.random.stateless_uniform((n, 2), seed, 0, 2**31 - 1, tf.int32, alg="philox")


@of_tensorflow
def fold_in(seed: tf.Tensor, number: int | tf.Tensor) -> tf.Tensor:
    """Derives a seed from a seed and a number."""
    return tf.random.experimental.stateless_fold_in(seed, number, alg="philox")


def of_this_replica(
    draw: Callable[[int | tf.Tensor], tf.Tensor], batch_size: int | tf.Tensor
) -> tf.Tensor:
    """This replica's rows of what a single device would draw for the whole batch.

    Args:
        draw: function from a number of rows to a tensor with that many rows.
        batch_size: rows of this replica, the same on every replica.
    """
    replica = tf.distribute.get_replica_context()
    if replica is None or replica.num_replicas_in_sync == 1:  # None: outside any step
        return draw(batch_size)
    first = replica.replica_id_in_sync_group * batch_size
    return draw(batch_size * replica.num_replicas_in_sync)[first : first + batch_size]


class PerImage:
    """Numbers of its own for each image of a batch, the same on every device and replica.

    Each call draws others than the calls before.

    Args:
        seed: int tensor (2,), of the whole batch.
        count: images on this replica.
    """

    def __init__(self, seed: tf.Tensor, count: int | tf.Tensor) -> None:
        self.seed = seed
        self.count = count
        self.numbers = itertools.count()

    def uniform(self, least: float, most: float) -> tf.Tensor:
        """U(least, most), float32 (count,)."""
        own = self._next()
        return of_this_replica(lambda n: uniform(own, (n,), least, most), self.count)

    def uniforms(self, *shape: int) -> tf.Tensor:
        """U(0, 1), float32 (count, *shape)."""
        own = self._next()
        return of_this_replica(lambda n: uniform(own, (n, *shape)), self.count)

    def normals(self, *shape: int) -> tf.Tensor:
        """N(0, 1), float32 (count, *shape)."""
        own = self._next()
        return of_this_replica(lambda n: normal(own, (n, *shape)), self.count)

    def _next(self) -> tf.Tensor:
        return fold_in(self.seed, next(self.numbers))


@of_tensorflow
def _bits(seed: tf.Tensor, shape: Shape) -> tf.Tensor:
    """int32 tensor, 0 to 2**BITS - 1."""
    bits = tf.random.stateless_uniform(shape, seed, None, None, tf.uint32, alg="philox")
    return tf.cast(tf.bitwise.right_shift(bits, tf.constant(32 - BITS, tf.uint32)), tf.int32)
