"""What the passes share: constants of an ONNX graph, single users, inserting and removing nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx_ir as ir
from onnx_ir.passes import common

Shape = tuple[Any, ...]  # whole numbers; None for a size that depends on the batch

# One input, one output, each element by itself.
ELEMENTWISE = frozenset(
    "Abs Cast Clip Elu Erf Exp Identity LeakyRelu Neg Relu Round Sigmoid Softplus Sqrt Tanh".split()
)
BINARY = frozenset({"Add", "Div", "Mul", "Sub"})


def constant(value: ir.Value | None) -> np.ndarray | None:
    """The array of a constant value; None for any other value."""
    if value is None or value.is_graph_input():
        return None
    tensor = ir.convenience.get_const_tensor(value)
    return None if tensor is None else tensor.numpy()


def known_constant(value: ir.Value | None) -> np.ndarray:
    """The array of a value that must be constant.

    Raises:
        ValueError: it is not constant.
    """
    array = constant(value)
    if array is None:
        raise ValueError(f"{_name(value)} is not constant")
    return array


def input_of(node: ir.Node, index: int) -> ir.Value:
    """An input that a node must have.

    Raises:
        ValueError: it is left out.
    """
    value = node.inputs[index] if index < len(node.inputs) else None
    if value is None:
        raise ValueError(f"{node.op_type} {node.name} has no input {index}")
    return value


def _name(value: ir.Value | None) -> str:
    return "an input that is left out" if value is None else f"the value {value.name}"


def add_constant(graph: ir.Graph, array: np.ndarray, name: str | None) -> ir.Value:
    """A new initializer of a graph.

    Args:
        graph: `onnx_ir.Graph`.
        array: numpy array.
        name: its name; a number is added where that is taken.

    Returns:
        Its value.
    """
    name = name or "constant"
    free, number = name, 0
    while free in graph.initializers:
        number += 1
        free = f"{name}_{number}"
    tensor = ir.tensor(np.asarray(array, order="C"), name=free)
    value = ir.Value(
        name=free,
        shape=ir.Shape(array.shape),
        type=ir.TensorType(tensor.dtype),
        const_value=tensor,
    )
    graph.register_initializer(value)
    return value


def shape_of(value: ir.Value | None) -> Shape | None:
    """A value's shape, None for a size that depends on the batch; None where it is unknown."""
    if value is None or value.shape is None:
        return None
    return tuple(size if isinstance(size, int) else None for size in value.shape)


def known_shape(value: ir.Value | None) -> Shape:
    """A value's shape, None for a size that depends on the batch.

    Raises:
        ValueError: it is unknown.
    """
    shape = shape_of(value)
    if shape is None:
        raise ValueError(f"the shape of {_name(value)} is unknown")
    return shape


def set_shape(value: ir.Value, sizes: Sequence[int | None]) -> None:
    """Declares a value's shape, with None for a size that depends on the batch."""
    value.shape = ir.Shape(["batch" if size is None else size for size in sizes])


def is_plain(node: ir.Node) -> bool:
    """Whether a convolution has neither groups nor dilations, and has its padding in numbers."""
    attributes = node.attributes
    return (
        attributes.get_int("group", 1) == 1
        and set(attributes.get_ints("dilations", [1])) == {1}
        and attributes.get_string("auto_pad", "NOTSET") == "NOTSET"
    )


def only_user(value: ir.Value | None) -> ir.Node | None:
    """The one node that reads a value; None where there are none or more, or it is an output."""
    users = () if value is None else value.uses()
    if value is None or len(users) != 1 or value.is_graph_output():
        return None
    return next(iter(users)).node


def made_by(value: ir.Value | None, *op_types: str) -> ir.Node | None:
    """The node that produces a value if it is of one of these types, else None."""
    node = None if value is None else value.producer()
    return node if node is not None and node.op_type in op_types else None


def insert(
    graph: ir.Graph,
    before: ir.Node,
    op_type: str,
    inputs: Sequence[ir.Value | None],
    attributes: Mapping[str, Any] | None = None,
    shape: Sequence[int | None] | None = None,
) -> ir.Value:
    """Inserts a new node with one output before another; returns its output, of the given shape."""
    node = ir.node(op_type, inputs, attributes)
    output = node.outputs[0]
    if shape is not None:
        set_shape(output, shape)
    first = next((value for value in inputs if value is not None and value.type is not None), None)
    output.type = None if first is None else first.type
    graph.insert_before(before, node)
    return output


def transpose(graph: ir.Graph, before: ir.Node, value: ir.Value, perm: Sequence[int]) -> ir.Value:
    """Inserts a transpose of a value; returns its output."""
    shape = known_shape(value)
    return insert(
        graph, before, "Transpose", [value], {"perm": list(perm)}, [shape[axis] for axis in perm]
    )


def reshape(
    graph: ir.Graph, before: ir.Node, value: ir.Value, shape: Sequence[int | None]
) -> ir.Value:
    """Inserts a reshape to a shape whose batch is None; returns its output."""
    sizes = np.array([-1 if size is None else size for size in shape], np.int64)
    return insert(
        graph, before, "Reshape", [value, add_constant(graph, sizes, "shape")], None, shape
    )


def bypass(graph: ir.Graph, node: ir.Node, value: ir.Value) -> None:
    """Removes a node with one output, and what only it read; its readers read `value` instead."""
    replaced = node.outputs[0]
    name = replaced.name if replaced.is_graph_output() else None
    if name and (value.producer() is None or value.is_graph_output()):
        value = insert(graph, node, "Identity", [value], shape=shape_of(value))
    if name:  # it is part of the contract
        replaced.name, value.name = None, name
        value.type, value.shape = replaced.type, replaced.shape
    ir.convenience.replace_all_uses_with(replaced, value, replace_graph_outputs=True)
    _remove(graph, node)


def _remove(graph: ir.Graph, node: ir.Node) -> None:
    sources = [value.producer() for value in node.inputs if value is not None]
    graph.remove(node, safe=True)
    for source in sources:
        if source is not None and source.graph is graph and not _needed(source):
            _remove(graph, source)


def _needed(node: ir.Node) -> bool:
    return any(value.uses() or value.is_graph_output() for value in node.outputs)


def remove_unused(model: ir.Model) -> None:
    """Removes nodes and constants that no output depends on."""
    common.RemoveUnusedNodesPass()(model)
