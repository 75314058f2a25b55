"""Random numbers that are the same on every device, compiled or not, and however a batch is split.

TensorFlow's own floats differ under XLA, though the bits of Philox are the same; and a replica of a
tf.distribute strategy knows only its part of the batch. Seeds are int tensors (2,).

Reference:
    Salmon et al. 2011, section 5.3 (Philox), https://doi.org/10.1145/2063384.2063405
"""

import math

import tensorflow as tf

BITS = (
    23  # with one more TensorFlow's erfinv, which adds 1, would round the last one up to infinity
)


def uniform(seed, shape, least=0.0, most=1.0):
    """U(least, most), float32: one of 2**23 evenly spaced numbers, `most` not among them."""
    return least + (most - least) * tf.cast(_bits(seed, shape), tf.float32) * 2.0**-BITS


def symmetric_uniform(seed, shape):
    """U(-1, 1), float32."""
    return uniform(seed, shape, -1.0, 1.0)


def normal(seed, shape):
    """N(0, 1), float32, by the inverse of its distribution function; within -5.3 and 5.3."""
    middles = 2 * _bits(seed, shape) + 1 - 2**BITS
    return math.sqrt(2.0) * tf.math.erfinv(tf.cast(middles, tf.float32) * 2.0**-BITS)


def seeds(seed, n):
    """n other seeds, int32 (n, 2)."""
    return tf.random.stateless_uniform((n, 2), seed, 0, 2**31 - 1, tf.int32, alg="philox")


def fold_in(seed, number):
    """Another seed, made of a seed and a number."""
    return tf.random.experimental.stateless_fold_in(seed, number, alg="philox")


def of_this_replica(draw, batch_size):
    """This replica's rows of what one device would draw for the whole batch.

    Args:
        draw: function of a number of rows that gives a tensor of so many.
        batch_size: rows of this replica, as many as every other has.
    """
    replica = tf.distribute.get_replica_context()
    if replica is None or replica.num_replicas_in_sync == 1:  # None: outside of any step
        return draw(batch_size)
    first = replica.replica_id_in_sync_group * batch_size
    return draw(batch_size * replica.num_replicas_in_sync)[first : first + batch_size]


def _bits(seed, shape):
    """int32 tensor, 0 to 2**BITS - 1."""
    bits = tf.random.stateless_uniform(shape, seed, None, None, tf.uint32, alg="philox")
    return tf.cast(tf.bitwise.right_shift(bits, tf.constant(32 - BITS, tf.uint32)), tf.int32)
