"""Guided backpropagation: which pixels make a unit respond, without what speaks against it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kgan.explore.inner_layers import as_maps, calling, graph_of, nodes_of, outputs_caught
from kgan.models.rebuild import all_layers

RECTIFIERS = (keras.layers.ReLU, keras.layers.LeakyReLU, keras.layers.PReLU)
FUNCTIONS = (keras.activations.relu, keras.activations.relu6, keras.activations.leaky_relu)
OPERATIONS = ("Relu", "Relu6", "LeakyRelu")  # of keras.ops in a functional graph


def guided_gradients(
    network: keras.Model,
    inputs: list[np.ndarray],
    layer: Any,
    units: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
) -> np.ndarray:
    """The guided gradient of one value of a layer by each image.

    Through a rectifier goes what is positive, and only where its input is positive. The same
    holds for LeakyReLU and PReLU, whose slope below 0 lets nothing back; above an upper bound, as
    that of ReLU6, nothing goes back either. Through all else, tanh too, goes the gradient itself.

    Args:
        network: a Keras network of images, run in inference mode.
        inputs: what it takes, images float32 (B, H, W, C) in its range first.
        layer: the layer whose value it is.
        units, rows, columns: int arrays (B,), the channel and the place of each image's value; 0
            and 0 for a layer that gives vectors.

    Returns:
        float32 array (B, H, W, C).

    Reference:
        Springenberg et al. 2014, section 3.4 and figure 1, https://arxiv.org/abs/1412.6806
    """
    places = np.stack([np.arange(len(units)), rows, columns, units], axis=1)
    first, *rest = (tf.constant(each) for each in inputs)
    with guided_rectifiers(network), outputs_caught([layer]) as caught, tf.GradientTape() as tape:
        tape.watch(first)
        network([first, *rest] if rest else first, training=False)
        values = tf.gather_nd(as_maps(caught[layer.name]), places)
    gradients = tape.gradient(values, first, unconnected_gradients="zero")
    return np.asarray(gradients, np.float32)


@contextlib.contextmanager
def guided_rectifiers(network: keras.Model) -> Iterator[None]:
    """Context manager: all rectifiers in a network are guided, their outputs as they were."""
    with contextlib.ExitStack() as stack:
        for operation in operations_of(network):
            if is_rectifier(operation):
                stack.enter_context(calling(operation, _guided(operation.call)))
            elif has_rectifier(operation):
                stack.enter_context(activating(operation, _guided(operation.activation)))
        yield


def operations_of(network: keras.Model) -> list[Any]:
    """All layers in a network, and the operations of keras.ops in its functional graphs."""
    layers = all_layers(network)
    graphs = [graph for graph in map(graph_of, layers) if graph is not None]
    found = {id(one): one for one in layers}
    found |= {id(node.operation): node.operation for graph in graphs for node in nodes_of(graph)}
    return list(found.values())


def is_rectifier(operation: Any) -> bool:
    """Whether a layer or operation does nothing but rectify."""
    if isinstance(operation, keras.Layer):
        return isinstance(operation, RECTIFIERS)
    return type(operation).__name__ in OPERATIONS


def has_rectifier(layer: Any) -> bool:
    """Whether a layer rectifies what it computes, as with `activation="relu"`."""
    return getattr(layer, "activation", None) in FUNCTIONS


@contextlib.contextmanager
def activating(layer: Any, function: Any) -> Iterator[None]:
    """Context manager: a layer has another activation."""
    own = layer.activation
    layer.activation = function
    try:
        yield
    finally:
        layer.activation = own


def _guided(rectify: Any) -> Any:
    def rectified(inputs: tf.Tensor, *args: Any, **kwargs: Any) -> tf.Tensor:
        # The outputs are constants to the gradient, which flows through the gate alone.
        outputs = tf.stop_gradient(rectify(tf.stop_gradient(inputs), *args, **kwargs))
        return _gate(inputs, outputs)

    return rectified


@tf.custom_gradient
def _gate(inputs: tf.Tensor, outputs: tf.Tensor) -> tuple[tf.Tensor, Any]:
    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        through = (inputs > 0) & (outputs >= inputs) & (upstream > 0)
        return tf.where(through, upstream, tf.zeros_like(upstream)), tf.zeros_like(outputs)

    return tf.identity(outputs), gradient
