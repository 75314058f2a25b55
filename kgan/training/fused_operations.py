"""One TensorFlow kernel each for what Keras writes as a chain of operations.

The same formulas on the same variables, within a step that one replica takes: a network's
batch normalisation by its batch, and Adam's update. They halve the operations of a step, which is
the time to trace it, and pass over the numbers once.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

from kgan.models.rebuild import all_layers

HALF = ("float16", "bfloat16")


@contextlib.contextmanager
def batch_normalization(*networks: keras.Model) -> Iterator[None]:
    """Context manager: layers that normalise by their batch do it in one kernel.

    These are keras.layers.BatchNormalization over the last axis, without renormalisation and
    with no call of their own. The kernel has no second derivative: not for a network whose
    gradient a loss takes. Under a tf.distribute strategy nothing changes.
    """
    changed = []
    if not tf.distribute.has_strategy():
        for layer in [layer for network in networks for layer in all_layers(network)]:
            if _is_plain(layer):
                # An attribute of the layer hides the class's own.
                layer.call = functools.partial(_normalize, layer)
                changed.append(layer)
    try:
        yield
    finally:
        for layer in changed:
            del layer.call


def _is_plain(layer: keras.layers.Layer) -> bool:
    kind = keras.layers.BatchNormalization
    if not isinstance(layer, kind) or type(layer).call is not kind.call or "call" in vars(layer):
        return False
    return not layer.renorm and layer.moving_mean is not None and layer.moving_mean.shape != ()


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
    variance *= (count - 1.0) / count
    for moving, now in ((layer.moving_mean, mean), (layer.moving_variance, variance)):
        moving.assign(moving * layer.momentum + now * (1.0 - layer.momentum))
    if rank != 4:
        outputs = tf.reshape(outputs, tf.shape(inputs))
    return tf.cast(outputs, layer.compute_dtype)


@contextlib.contextmanager
def adam(optimizer: keras.Optimizer) -> Iterator[None]:
    """Context manager: an optimizer with Adam's rule applies it to each variable in one kernel.

    It is left as it is with `amsgrad`, which no kernel has, and under a strategy.
    """
    rule = keras.optimizers.Adam.update_step
    plain = getattr(type(optimizer), "update_step", None) is rule and not optimizer.amsgrad
    if not plain or tf.distribute.has_strategy():
        yield
        return
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
