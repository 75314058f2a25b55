"""Every shape in a model at a given batch size, inferred node by node without running it.

onnx can infer a whole graph at once and propagate the values of shapes, but it accepts values of
any length and fills the memory with them. Here each node's result is compared with a limit before
the next node is inferred, and only short vectors of whole numbers, which shapes consist of, are
computed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Shape: TypeAlias = tuple[int, ...]

SMALL = 1024  # values of a vector that other shapes depend on
MOST_DIMENSIONS = 8


class ShapeError(ValueError):
    """A shape is not known beforehand, or is too large; the message names the tensor."""


def infer(proto: onnx.ModelProto, batch: int, most: int) -> tuple[dict[str, Shape], dict[str, int]]:
    """The shape of every tensor.

    Args:
        proto: ModelProto of known operators, in order.
        batch: the first dimension of its inputs.
        most: the limit on the values that all nodes produce together.

    Returns:
        (dict of name -> shape, dict of name -> type for the outputs of the nodes).

    Raises:
        ShapeError: a shape is unknown, or the limit is exceeded.
        onnx.shape_inference.InferenceError: shapes or types do not fit.
    """
    graph = proto.graph
    values: dict[str, TensorProto] = {}
    shapes: dict[str, Shape] = {}
    types: dict[str, onnx.TypeProto] = {}
    produced: dict[str, int] = {}
    for tensor in graph.initializer:
        shapes[tensor.name] = tuple(tensor.dims)
        types[tensor.name] = helper.make_tensor_type_proto(tensor.data_type, tensor.dims)
        if math.prod(tensor.dims) <= SMALL:
            values[tensor.name] = tensor
    for value in graph.input:
        sizes = [batch, *(size.dim_value for size in value.type.tensor_type.shape.dim[1:])]
        shapes[value.name] = tuple(sizes)
        types[value.name] = helper.make_tensor_type_proto(value.type.tensor_type.elem_type, sizes)
    for node in graph.node:
        inputs = list(filter(None, node.input))
        inferred = onnx.shape_inference.infer_node_outputs(
            onnx.defs.get_schema(node.op_type, proto.opset_import[0].version),
            node,
            {name: types[name] for name in inputs},
            {name: values[name] for name in inputs if name in values},
            opset_imports=list(proto.opset_import),
            ir_version=proto.ir_version,
        )
        for name in filter(None, node.output):
            shapes[name] = _shape(inferred.get(name), f"{name!r} of {node.op_type}")
            types[name], produced[name] = inferred[name], inferred[name].tensor_type.elem_type
            most -= math.prod(shapes[name])
            if most < 0:
                raise ShapeError(
                    f"too many values at {name!r} of {node.op_type}: {list(shapes[name])}"
                )
        if _makes_a_shape(node, shapes, types, values):
            values[node.output[0]] = _computed(proto, node, shapes, values)
    return shapes, produced


def _shape(inferred: onnx.TypeProto | None, described: str) -> Shape:
    if inferred is None or not inferred.tensor_type.HasField("shape"):
        raise ShapeError(f"{described} has an unknown shape")
    sizes = inferred.tensor_type.shape.dim
    if len(sizes) > MOST_DIMENSIONS or not all(size.HasField("dim_value") for size in sizes):
        raise ShapeError(f"{described} has an unknown shape")
    return tuple(size.dim_value for size in sizes)


def _makes_a_shape(
    node: onnx.NodeProto,
    shapes: Mapping[str, Shape],
    types: Mapping[str, onnx.TypeProto],
    values: Mapping[str, TensorProto],
) -> bool:
    """Whether its only output is a short vector of whole numbers that can be computed."""
    if len(node.output) != 1:
        return False
    name = node.output[0]
    kind = types[name].tensor_type.elem_type
    whole = kind in (TensorProto.INT64, TensorProto.INT32)
    if not whole or len(shapes[name]) > 1 or math.prod(shapes[name]) > SMALL:
        return False
    return node.op_type == "Shape" or all(each in values for each in filter(None, node.input))


def _computed(
    proto: onnx.ModelProto,
    node: onnx.NodeProto,
    shapes: Mapping[str, Shape],
    values: Mapping[str, TensorProto],
) -> TensorProto:
    """The output of a node with known inputs; a Shape node needs only the shape of its input."""
    from onnx.reference import ReferenceEvaluator  # takes a third of a second; few models need it

    inputs = {name: numpy_helper.to_array(values[name]) for name in node.input if name in values}
    if node.op_type == "Shape":
        # A broadcast array has the shape and takes no memory.
        inputs = {node.input[0]: np.broadcast_to(np.float32(0), shapes[node.input[0]])}
    graph = helper.make_graph(
        [node],
        "node",
        [onnx.ValueInfoProto(name=name) for name in inputs],
        [onnx.ValueInfoProto(name=node.output[0])],
    )
    model = helper.make_model(graph, opset_imports=list(proto.opset_import))
    (output,) = ReferenceEvaluator(model).run(None, inputs)
    return numpy_helper.from_array(np.asarray(output), node.output[0])
