"""Gradients of a network, summed over the replicas of a strategy in one piece."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from kgan.training import replicas


@contextlib.contextmanager
def in_one_piece(optimizer: keras.Optimizer) -> Iterator[None]:
    """Context manager: an optimizer sums its gradients over the replicas as one vector.

    Keras sends each variable's gradient by itself, and between machines each costs a meeting of
    all. The sums are the same. Of the plain optimizers of Keras, under a strategy; any other stays
    as it is.

    Args:
        optimizer: any Keras optimizer.
    """
    own = getattr(type(optimizer), "_all_reduce_sum_gradients", None)
    if replicas.count() == 1 or own is not keras.Optimizer._all_reduce_sum_gradients:
        yield
        return
    # An attribute of the optimizer hides the class's own.
    optimizer._all_reduce_sum_gradients = _summed
    try:
        yield
    finally:
        # Replicas take turns within a step, so that another may have taken it away.
        vars(optimizer).pop("_all_reduce_sum_gradients", None)


def _summed(pairs: Any) -> list[tuple[tf.Tensor | None, Any]]:
    """(gradient, variable) pairs to the same with gradients summed over the replicas."""
    pairs = list(pairs)
    kinds: dict[Any, list[int]] = {}
    gradients = [
        None if gradient is None else tf.convert_to_tensor(gradient) for gradient, _ in pairs
    ]
    for place, gradient in enumerate(gradients):
        if gradient is not None:
            kinds.setdefault(gradient.dtype, []).append(place)
    for places in kinds.values():
        parts = [gradients[place] for place in places]
        flat = tf.concat([tf.reshape(part, [-1]) for part in parts], axis=0)
        context = tf.distribute.get_replica_context()
        total = context.all_reduce(tf.distribute.ReduceOp.SUM, flat)
        sizes = [part.shape.num_elements() for part in parts]
        for place, piece in zip(places, tf.split(total, sizes), strict=True):
            gradients[place] = tf.reshape(piece, gradients[place].shape)
    return [(gradient, variable) for gradient, (_, variable) in zip(gradients, pairs, strict=True)]
