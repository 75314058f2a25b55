"""One TensorFlow kernel each for what Keras writes as a chain of operations.

The same formulas on the same variables, within a step that one replica takes: a network's
batch normalisation by its batch, and Adam's update. They halve the operations of a step, which is
the time to trace it, and pass over the numbers once.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from kgan.models.rebuild import all_layers

HALF = ("float16", "bfloat16")
# Two threads may train models that share a layer: each has the changed layers for itself.
LOCK = threading.RLock()


@contextlib.contextmanager
def batch_normalization(*networks: keras.Model, but: keras.Model | None = None) -> Iterator[None]:
    """Context manager: layers that normalise by their batch do it in one kernel.

    These are keras.layers.BatchNormalization itself, over the last axis, with float32 weights and
    without renormalisation. Under a tf.distribute strategy those that are synchronized add up
    what they need of all replicas at once, in place of three sums one after another.

    Args:
        *networks: whose layers are meant.
        but: a network whose layers are not, as the kernel has no second derivative.
    """
    if tf.distribute.has_strategy():
        with _sums_at_once(networks):
            yield
        return
    kept = set() if but is None else {id(layer) for layer in all_layers(but)}
    layers = [layer for network in networks for layer in all_layers(network)]
    changed = []
    with LOCK:
        try:
            for layer in layers:
                if id(layer) not in kept and _is_plain(layer):
                    # An attribute of the layer hides the class's own.
                    layer.call = functools.partial(_normalize, layer)
                    changed.append(layer)
            yield
        finally:
            for layer in changed:
                del layer.call


@contextlib.contextmanager
def _sums_at_once(networks: Sequence[keras.Model]) -> Iterator[None]:
    """`batch_normalization` under a strategy.

    Replicas take turns within a step, so that none may hold a lock over all of it, and another
    may have taken the attribute away.
    """
    layers = {layer for network in networks for layer in all_layers(network) if _is_plain(layer)}
    changed = [layer for layer in layers if layer.synchronized]
    for layer in changed:
        layer._moments = functools.partial(_moments, layer)
    try:
        yield
    finally:
        for layer in changed:
            vars(layer).pop("_moments", None)


def _is_plain(layer: keras.layers.Layer) -> bool:
    if type(layer) is not keras.layers.BatchNormalization or "call" in vars(layer):
        return False  # a class of one's own may mean other statistics
    return layer.built and not layer.renorm and layer.variable_dtype == "float32"


def _normalize(
    layer: keras.layers.BatchNormalization, inputs: Any, training: Any = None, mask: Any = None
) -> tf.Tensor:
    kind = tf.convert_to_tensor(inputs)
    rank = len(inputs.shape)
    if (
        training is not True
        or not layer.trainable
        or mask is not None
        or layer.axis % rank != rank - 1
        or kind.dtype.name not in ("float32", *HALF)
    ):
        return type(layer).call(layer, inputs, training=training, mask=mask)
    channels = inputs.shape[-1]
    maps = inputs if rank == 4 else tf.reshape(inputs, (-1, 1, 1, channels))
    outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=maps,
        scale=tf.ones(channels) if layer.gamma is None else tf.convert_to_tensor(layer.gamma),
        offset=tf.zeros(channels) if layer.beta is None else tf.convert_to_tensor(layer.beta),
        mean=tf.zeros(0),
        variance=tf.zeros(0),
        epsilon=layer.epsilon,
        is_training=True,
    )
    # The kernel's variance is the sample's, Keras keeps that of the values themselves.
    count = tf.cast(tf.size(maps) // channels, tf.float32)
    # Of one value it is 0, whatever the kernel makes of a division by none.
    variance = tf.math.multiply_no_nan(variance, (count - 1.0) / count)
    for moving, now in ((layer.moving_mean, mean), (layer.moving_variance, variance)):
        moving.assign(moving * layer.momentum + now * (1.0 - layer.momentum))
    if rank != 4:
        outputs = tf.reshape(outputs, tf.shape(inputs))
    return tf.cast(outputs, layer.compute_dtype)


def _moments(
    layer: keras.layers.BatchNormalization, inputs: tf.Tensor, mask: Any
) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and variance (C,) over all replicas, of float32 inputs (..., C); as Keras finds them."""
    context = tf.distribute.get_replica_context()
    rank = len(inputs.shape)
    if context is None or mask is not None or layer.axis % rank != rank - 1:
        return type(layer)._moments(layer, inputs, mask)
    channels, axes = inputs.shape[-1], list(range(rank - 1))
    count = tf.cast(tf.size(inputs) // channels, inputs.dtype)
    sums = [tf.reduce_sum(inputs, axes), tf.reduce_sum(tf.square(inputs), axes), count[None]]
    total = context.all_reduce(tf.distribute.ReduceOp.SUM, tf.concat(sums, axis=0))
    mean, square, _ = tf.split(tf.math.divide_no_nan(total, total[-1]), [channels, channels, 1])
    return mean, tf.maximum(square - tf.square(mean), 0.0)


# Optimizers whose beta_2 is a step's: id -> (their own number, the replicas that are at it).
BORROWED: dict[int, tuple[float, int]] = {}


@contextlib.contextmanager
def with_beta_2(optimizer: keras.Optimizer, beta_2: tf.Tensor | None) -> Iterator[None]:
    """Context manager: an optimizer applies updates with this beta_2 in place of its own number.

    Its correction of the bias is that of a constant beta_2, 1 - beta_2 ** steps with the value of
    the step, as PyTorch's Adam has it when its beta_2 is changed.
    """
    if beta_2 is None:
        yield
        return
    # Replicas take turns within a step: the number comes back when the last has done.
    key = id(optimizer)
    with LOCK:
        own, users = BORROWED.get(key, (optimizer.beta_2, 0))
        BORROWED[key] = own, users + 1
        optimizer.beta_2 = beta_2
    try:
        yield
    finally:
        with LOCK:
            users = BORROWED[key][1] - 1
            BORROWED[key] = own, users
            if not users:
                del BORROWED[key]
                optimizer.beta_2 = own


@contextlib.contextmanager
def adam(optimizer: keras.Optimizer, beta_2: tf.Tensor | None = None) -> Iterator[None]:
    """Context manager: an optimizer with Adam's rule applies it to each variable in one kernel.

    It is left as it is with `amsgrad`, which no kernel has, for weights of another dtype than
    float32, where it has a rule of its own, and under a strategy.

    Args:
        optimizer: any Keras optimizer, built.
        beta_2: scalar float tensor that takes the place of its own, in a kernel or not; None for
            its own.
    """
    with with_beta_2(optimizer, beta_2), _in_one_kernel(optimizer):
        yield


@contextlib.contextmanager
def _in_one_kernel(optimizer: keras.Optimizer) -> Iterator[None]:
    plain = (
        getattr(type(optimizer), "update_step", None) is keras.optimizers.Adam.update_step
        and not optimizer.amsgrad
        and "update_step" not in vars(optimizer)
        and all(m is None or m.dtype == "float32" for m in optimizer._momentums)
    )
    if not plain or tf.distribute.has_strategy():
        yield
        return
    with LOCK:
        optimizer.update_step = _adam_step(optimizer)
        try:
            yield
        finally:
            del optimizer.update_step


def _adam_step(optimizer: keras.optimizers.Adam) -> Callable[[Any, tf.Variable, tf.Tensor], None]:
    shared: dict[str, tf.Tensor] = {}  # by all variables of one application

    def step(gradient: Any, variable: tf.Variable, learning_rate: tf.Tensor) -> None:
        if not shared:
            count = tf.cast(optimizer.iterations + 1, tf.float32)
            for name, beta in (("beta1", optimizer.beta_1), ("beta2", optimizer.beta_2)):
                shared[name] = tf.cast(beta, tf.float32)
                shared[f"{name}_power"] = tf.pow(shared[name], count)
            shared["epsilon"] = tf.cast(optimizer.epsilon, tf.float32)
            shared["lr"] = tf.cast(learning_rate, tf.float32)
        place = optimizer._get_variable_index(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=optimizer._momentums[place].value.handle,
            v=optimizer._velocities[place].value.handle,
            grad=tf.cast(tf.convert_to_tensor(gradient), tf.float32),
            use_locking=True,
            **shared,
        )

    return step
