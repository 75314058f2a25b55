"""A part's function with all that it captures as constants, as converters want it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from kgan.export.serving import signature_of
from kgan.export.signatures import Part

Rewrite = Callable[[tf.Graph, tf.compat.v1.GraphDef], None]
# Attributes of nodes and functions: a gradient of its own, and what keeps XLA's calls calls.
DROPPED = ("_gradient_op_type", "_XlaMustCompile", "_noinline", "_GrapplerSpecializedFunc")
RENAMED = "_plain"


def frozen(part: Part, function: Any, rewrite: Rewrite | None = None) -> Any:
    """A function of `kgan.export.serving` whose weights and captured tensors are constants.

    Gradients of a layer's own (Keras's silu has one) are left out: an export only computes, and
    TensorFlow can neither find them again in a graph that it reads back nor save them. So is the
    wish for XLA, by which Keras's convolutions in groups are a call that no converter looks into.

    Args:
        part: the `Part` that it computes.
        function: tf.function, traced already or not.
        rewrite: changes the GraphDef of the frozen graph, which it is given too, in place.

    Returns:
        tf.function with the same inputs and outputs, which captures nothing.
    """
    inlined = _inlined(function)
    graph = _plain(inlined.graph)
    if graph.library.function:  # without the wish, calls go the way of all calls
        inlined = _inlined(_function(part, inlined, graph))
        graph = _plain(inlined.graph)
    if rewrite:
        rewrite(inlined.graph, graph)
    return _function(part, inlined, graph)


def _inlined(function: Any) -> Any:
    # Converters know a loop as one operator, not as the frames that TensorFlow lowers it to.
    return convert_variables_to_constants_v2(
        function.get_concrete_function(), lower_control_flow=False
    )


def _plain(graph: tf.Graph) -> tf.compat.v1.GraphDef:
    definition = graph.as_graph_def()
    functions = definition.library.function
    nodes = [*definition.node, *(node for each in functions for node in each.node_def)]
    for holder in [*nodes, *functions]:
        for name in DROPPED:
            holder.attr.pop(name, None)
    # TensorFlow knows the functions as they were by their names.
    for each in functions:
        each.signature.name += RENAMED
    for attribute in (value for node in nodes for value in node.attr.values()):
        for called in [attribute.func, *attribute.list.func]:
            if called.name:
                called.name += RENAMED
    return definition


def _function(part: Part, inlined: Any, graph: tf.compat.v1.GraphDef) -> Any:
    """A tf.function of a GraphDef that has the inputs and outputs of `inlined`."""
    input_names = [tensor.name for tensor in inlined.inputs]
    output_names = [tensor.name for tensor in inlined.outputs]

    @tf.function(input_signature=signature_of(part), autograph=False)
    def serve(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        inputs = dict(zip(input_names, tensors, strict=True))
        (output,) = tf.graph_util.import_graph_def(graph, inputs, output_names, name="")
        return {part.output: output}

    return serve
