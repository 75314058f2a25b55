"""Every shape of a model at a given batch, found node by node without running it.

onnx can infer a whole graph at once and carry the values of shapes along with it, but takes any
length of such a value for granted and fills the memory with it. Here each node's result is held
against a limit before the next one is looked at, and only short vectors of whole numbers, which
shapes are made of, are computed.
"""

import math

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SMALL = 1024  # values of a vector that other shapes hang on
MOST_DIMENSIONS = 8


class ShapeError(ValueError):
    """A shape that is not known beforehand, or too large; the message says whose."""


def infer(proto, batch, most):
    """The shape of every tensor.

    Args:
        proto: ModelProto of known operators, in order.
        batch: what the first dimension of its inputs is.
        most: values that all nodes together may make.

    Returns:
        (dict of name -> shape, dict of name -> type for what the nodes make).

    Raises:
        ShapeError: as it says.
        onnx.shape_inference.InferenceError: shapes or types that do not fit.
    """
    graph, values = proto.graph, {}
    shapes, types, made = {}, {}, {}
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
            types[name], made[name] = inferred[name], inferred[name].tensor_type.elem_type
            most -= math.prod(shapes[name])
            if most < 0:
                raise ShapeError(f"too much at {name!r} of {node.op_type}: {list(shapes[name])}")
        if _makes_a_shape(node, shapes, types, values):
            values[node.output[0]] = _computed(proto, node, shapes, values)
    return shapes, made


def _shape(inferred, described):
    if inferred is None or not inferred.tensor_type.HasField("shape"):
        raise ShapeError(f"{described} has an unknown shape")
    sizes = inferred.tensor_type.shape.dim
    if len(sizes) > MOST_DIMENSIONS or not all(size.HasField("dim_value") for size in sizes):
        raise ShapeError(f"{described} has an unknown shape")
    return tuple(size.dim_value for size in sizes)


def _makes_a_shape(node, shapes, types, values):
    """Whether its one output is a short vector of whole numbers that can be known."""
    if len(node.output) != 1:
        return False
    name = node.output[0]
    kind = types[name].tensor_type.elem_type
    whole = kind in (TensorProto.INT64, TensorProto.INT32)
    if not whole or len(shapes[name]) > 1 or math.prod(shapes[name]) > SMALL:
        return False
    return node.op_type == "Shape" or all(each in values for each in filter(None, node.input))


def _computed(proto, node, shapes, values):
    """The value of a node of which all inputs are known; of a Shape their shape is enough."""
    from onnx.reference import ReferenceEvaluator  # a third of a second, and few models ask for it

    inputs = {name: numpy_helper.to_array(values[name]) for name in node.input if name in values}
    if node.op_type == "Shape":
        # An array of that shape that takes no memory.
        inputs = {node.input[0]: np.broadcast_to(np.float32(0), shapes[node.input[0]])}
    graph = helper.make_graph(
        [node],
        "node",
        [onnx.ValueInfoProto(name=name) for name in inputs],
        [onnx.ValueInfoProto(name=node.output[0])],
    )
    model = helper.make_model(graph, opset_imports=list(proto.opset_import))
    (made,) = ReferenceEvaluator(model).run(None, inputs)
    return numpy_helper.from_array(np.asarray(made), node.output[0])
