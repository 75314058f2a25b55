"""Random numbers that are the same on every device, compiled or not, and however a batch is split.

TensorFlow's own choice of algorithm differs under XLA, and a replica of a tf.distribute
strategy knows only its part of the batch.
"""

import tensorflow as tf


def uniform(seed, shape, least=0.0, most=1.0, dtype=tf.float32):
    """U(least, most) from an int tensor (2,), by Philox."""
    return tf.random.stateless_uniform(shape, seed, least, most, dtype, alg="philox")


def normal(seed, shape):
    """N(0, 1) from an int tensor (2,), float32, by Philox."""
    return tf.random.stateless_normal(shape, seed, alg="philox")


def fold_in(seed, number):
    """Another seed, int tensor (2,), made of a seed and a number."""
    return tf.random.experimental.stateless_fold_in(seed, number, alg="philox")


def of_this_replica(draw, batch_size):
    """This replica's rows of what one device would draw for the whole batch.

    Args:
        draw: function of a number of rows that gives a tensor of so many.
        batch_size: rows of this replica, as many as every other has.
    """
    replica = tf.distribute.get_replica_context()
    if replica.num_replicas_in_sync == 1:
        return draw(batch_size)
    first = replica.replica_id_in_sync_group * batch_size
    return draw(batch_size * replica.num_replicas_in_sync)[first : first + batch_size]
