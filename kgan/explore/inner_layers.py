"""What goes on inside a network: its graph, its convolutions, and what its layers give."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from kgan.errors import InputError
from kgan.layers import ConditionalBatchNormalization, GroupedConv2D
from kgan.models.r3gan import ChannelBias
from kgan.models.rebuild import all_layers

CONVOLUTIONS = (
    keras.layers.Conv2D,  # the class that Conv2DTranspose has nothing of
    keras.layers.Conv2DTranspose,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
    GroupedConv2D,
)
NORMALIZATIONS = (keras.layers.BatchNormalization, ConditionalBatchNormalization)
ACTIVATIONS = (
    keras.layers.Activation,
    keras.layers.ReLU,
    keras.layers.LeakyReLU,
    keras.layers.PReLU,
    keras.layers.ELU,
)
# What may follow a convolution and still belongs to it: none moves a value to another place.
FOLLOWERS = (
    *NORMALIZATIONS,
    *ACTIVATIONS,
    ChannelBias,
    keras.layers.Dropout,
    keras.layers.SpatialDropout2D,
)


class Stage(NamedTuple):
    """A convolution with what belongs to it.

    Attributes:
        convolution: the layer, perhaps wrapped, as in a `SpectralNormalization`.
        chain: it and the normalisations and activations that follow it alone, in order.
    """

    convolution: keras.layers.Layer
    chain: tuple[keras.layers.Layer, ...]

    @property
    def output(self) -> keras.layers.Layer:
        """The layer that gives the activations, the chain's last."""
        return self.chain[-1]


def inner(layer: Any) -> Any:
    """The layer that a wrapper wraps; any other operation as it is."""
    return layer.layer if isinstance(layer, keras.layers.Wrapper) else layer


def graph_of(network: Any) -> Any:
    """Keras's functional graph of a network; None of one that has none."""
    graph = getattr(network, "_functional", None) or network
    return graph if hasattr(graph, "_nodes_by_depth") else None


def nodes_of(graph: Any) -> list[Any]:
    """The nodes of a functional graph, in the order of computation."""
    return [
        node
        for depth in sorted(graph._nodes_by_depth, reverse=True)
        for node in graph._nodes_by_depth[depth]
        if node.operation and not node.is_input
    ]


def output_shape(network: keras.Model, layer: Any) -> tuple[int | None, ...]:
    """The shape of what a layer gives in a network, the batch first.

    Raises:
        InputError: a network without a functional graph, or a layer that is not in it.
    """
    waiting = [graph_of(network)]
    while waiting:
        graph = waiting.pop()
        for node in nodes_of(graph) if graph is not None else ():
            if node.operation is layer:
                return tuple(node.outputs[0].shape)
            waiting.append(graph_of(node.operation))
    raise InputError(
        "This looks into networks of Keras's functional or sequential API. "
        f"Received: {layer.name} of {network.name}, a {type(network).__name__}"
    )


def stages_of(network: keras.Model) -> list[Stage]:
    """A network's convolutions, from its input on, those of networks inside it too.

    1x1 convolutions are among them. Of a network without a functional graph each stands alone.
    """
    graph = graph_of(network)
    if graph is None:
        wrapped = {id(inner(layer)) for layer in all_layers(network) if inner(layer) is not layer}
        return [
            Stage(layer, (layer,))
            for layer in all_layers(network)
            if isinstance(inner(layer), CONVOLUTIONS) and id(layer) not in wrapped
        ]
    nodes = nodes_of(graph)
    consumers: dict[int, list[Any]] = {}
    for node in nodes:
        for tensor in node.input_tensors:
            consumers.setdefault(id(tensor), []).append(node)
    stages = []
    for node in nodes:
        if isinstance(inner(node.operation), CONVOLUTIONS):
            chain = [node.operation]
            while len(after := consumers.get(id(node.outputs[0]), [])) == 1:
                node = after[0]
                if not isinstance(node.operation, FOLLOWERS):
                    break
                chain.append(node.operation)
            stages.append(Stage(chain[0], tuple(chain)))
        elif graph_of(node.operation) is not None:
            stages += stages_of(node.operation)
    return stages


@contextlib.contextmanager
def outputs_caught(layers: Sequence[Any]) -> Iterator[dict[str, tf.Tensor]]:
    """Context manager: a dict that has, by name, what each layer gave when it was last called.

    In a tf.function that is first called within, the tensors are those of its graph.
    """
    caught: dict[str, tf.Tensor] = {}

    def catching(layer: Any) -> Any:
        call = layer.call

        def catch(*args: Any, **kwargs: Any) -> Any:
            caught[layer.name] = outputs = call(*args, **kwargs)
            return outputs

        return catch

    with contextlib.ExitStack() as stack:
        for layer in layers:
            stack.enter_context(calling(layer, catching(layer)))
        yield caught


@contextlib.contextmanager
def calling(layer: Any, call: Any) -> Iterator[None]:
    """Context manager: a layer runs another function in the place of its `call`."""
    hidden = vars(layer).get("call")
    layer.call = call  # hides the class's own
    try:
        yield
    finally:
        if hidden is None:
            del layer.call
        else:
            layer.call = hidden


def as_maps(outputs: tf.Tensor) -> tf.Tensor:
    """What a layer gives as maps (B, H, W, C), 1x1 where it gives a vector an image."""
    if len(outputs.shape) == 4:
        return outputs
    return tf.reshape(outputs, (tf.shape(outputs)[0], 1, 1, -1))
