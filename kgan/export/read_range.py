"""The value range of a network's output, read off its last operation."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from kgan.errors import InputError
from kgan.files import first_line

RANGES = {"Tanh": (-1.0, 1.0), "Sigmoid": (0.0, 1.0)}
# They only move values about; the range is that of what comes before them.
VALUES_UNCHANGED = frozenset(
    """
    DepthToSpace EnsureShape ExpandDims Identity Reshape ResizeNearestNeighbor ReverseV2 Slice
    Snapshot SpaceToDepth Squeeze StopGradient StridedSlice Tile Transpose
    """.split()
)


def last_operation(network: keras.Model, inputs: Sequence[tf.TensorSpec]) -> str:
    """The TensorFlow operation that a network's output has its values from, such as "Tanh".

    It is read off the graph of an inference call, whatever the network is made of: layers,
    keras.ops, a subclass or a SavedModel.

    Args:
        network: a Keras model of one output.
        inputs: what it takes, with the batch.

    Raises:
        InputError: TensorFlow can make no graph of it alone, as of one whose name TensorFlow does
            not take, or whose call writes variables, as a draw of random numbers does.
    """

    @tf.function(input_signature=list(inputs), autograph=False)
    def call(*tensors: tf.Tensor) -> tf.Tensor:
        return network(list(tensors) if len(tensors) > 1 else tensors[0], training=False)

    # Functions that call functions become one graph.
    try:
        graph = convert_variables_to_constants_v2(call.get_concrete_function())
    except ValueError as error:
        reason = first_line(error)
        if "AssignVariableOp" in reason:
            reason = "it writes variables in inference, as one that draws random numbers does"
        raise InputError(
            f"TensorFlow can make no graph of {network.name} that is one of its inputs alone: "
            f"{reason}"
        ) from error
    operation = graph.outputs[0].op
    while operation.type in VALUES_UNCHANGED:
        operation = operation.inputs[0].op
    return str(operation.type)
