"""What the passes share: constants of an ONNX graph, single users, nodes put in and taken out."""

import numpy as np
import onnx_ir as ir

# One input, one output, each element by itself.
ELEMENTWISE = frozenset(
    "Abs Cast Clip Elu Erf Exp Identity LeakyRelu Neg Relu Round Sigmoid Softplus Sqrt Tanh".split()
)
BINARY = frozenset({"Add", "Div", "Mul", "Sub"})


def constant(value):
    """The array of a value that never changes, None of any other."""
    if value is None or value.is_graph_input():
        return None
    tensor = ir.convenience.get_const_tensor(value)
    return None if tensor is None else tensor.numpy()


def add_constant(graph, array, name):
    """A new initializer of a graph.

    Args:
        graph: `onnx_ir.Graph`.
        array: numpy array.
        name: how it begins; a number is added where that is taken.

    Returns:
        Its value.
    """
    taken, number = name, 0
    while taken in graph.initializers:
        number += 1
        taken = f"{name}_{number}"
    tensor = ir.tensor(np.ascontiguousarray(array), name=taken)
    value = ir.Value(
        name=taken,
        shape=ir.Shape(array.shape),
        type=ir.TensorType(tensor.dtype),
        const_value=tensor,
    )
    graph.register_initializer(value)
    return value


def shape_of(value):
    """A value's shape as a tuple, None where it goes with the batch; None where it is unknown."""
    if value.shape is None:
        return None
    return tuple(size if isinstance(size, int) else None for size in value.shape)


def set_shape(value, sizes):
    """Says what shape a value has, with None where it goes with the batch."""
    value.shape = ir.Shape(["batch" if size is None else size for size in sizes])


def is_plain(node):
    """Whether a convolution has neither groups nor dilations, and says its padding in numbers."""
    given = node.attributes
    return (
        given.get_int("group", 1) == 1
        and set(given.get_ints("dilations", [1])) == {1}
        and given.get_string("auto_pad", "NOTSET") == "NOTSET"
    )


def only_user(value):
    """The one node that reads a value; None where there is another number, or it is an output."""
    users = value.uses()
    if len(users) != 1 or value.is_graph_output():
        return None
    return next(iter(users)).node


def made_by(value, *op_types):
    """The node that makes a value where it is of one of these types, else None."""
    node = None if value is None else value.producer()
    return node if node is not None and node.op_type in op_types else None


def insert(graph, before, op_type, inputs, attributes=None, shape=None):
    """Puts a new node of one output before another; returns its output, of the given shape."""
    node = ir.node(op_type, inputs, attributes)
    output = node.outputs[0]
    if shape is not None:
        set_shape(output, shape)
    first = next((value for value in inputs if value is not None and value.type is not None), None)
    output.type = None if first is None else first.type
    graph.insert_before(before, node)
    return output


def transpose(graph, before, value, perm):
    """Inserts a transpose of a value; returns its output."""
    shape = shape_of(value)
    return insert(
        graph, before, "Transpose", [value], {"perm": list(perm)}, [shape[axis] for axis in perm]
    )


def reshape(graph, before, value, shape):
    """Inserts a reshape to a shape whose batch is None; returns its output."""
    sizes = np.array([-1 if size is None else size for size in shape], np.int64)
    return insert(
        graph, before, "Reshape", [value, add_constant(graph, sizes, "shape")], None, shape
    )


def bypass(graph, node, value):
    """Takes out a node of one output, and what only it read; its readers read `value` instead."""
    replaced = node.outputs[0]
    name = replaced.name if replaced.is_graph_output() else None
    if name and (value.producer() is None or value.is_graph_output()):
        value = insert(graph, node, "Identity", [value], shape=shape_of(value))
    if name:  # it is part of the contract
        replaced.name, value.name = None, name
        value.type, value.shape = replaced.type, replaced.shape
    ir.convenience.replace_all_uses_with(replaced, value, replace_graph_outputs=True)
    _remove(graph, node)


def _remove(graph, node):
    read = [value.producer() for value in node.inputs if value is not None]
    graph.remove(node, safe=True)
    for source in read:
        if source is not None and source.graph is graph and not _needed(source):
            _remove(graph, source)


def _needed(node):
    return any(value.uses() or value.is_graph_output() for value in node.outputs)


def remove_unused(model):
    """Takes out nodes and constants that no output depends on."""
    ir.passes.common.RemoveUnusedNodesPass()(model)
