"""Transposes, moved to where they cancel out or where a constant absorbs them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx_ir as ir

from kgan.export.graph.editing import (
    BINARY,
    ELEMENTWISE,
    add_constant,
    bypass,
    constant,
    input_of,
    insert,
    known_constant,
    known_shape,
    made_by,
    only_user,
    remove_unused,
    set_shape,
    shape_of,
    transpose,
)


def cancel_transposes(model: ir.Model) -> None:
    """Removes the transposes between layouts that nothing needs.

    Where a Dense layer's output is reshaped into maps, a transpose goes into
    the order of the layer's outputs. Elsewhere a transpose is moved towards
    the output, through elementwise steps, until the next one undoes it.

    Args:
        model: `onnx_ir.Model` with shapes, changed in place.
    """
    graph = model.graph
    changed = True
    while changed:
        changed = False
        for node in list(graph):
            if node.op_type != "Transpose" or node.graph is None:
                continue
            for rule in (_drop, _merge, _lift_over_resize, _into_dense, _sink):
                if rule(graph, node):
                    changed = True
                    break
    remove_unused(model)


def permutation(node: ir.Node) -> tuple[int, ...]:
    """A Transpose's permutation."""
    return tuple(node.attributes["perm"].as_ints())


def _drop(graph: ir.Graph, node: ir.Node) -> bool:
    """Removes one that changes nothing."""
    perm = permutation(node)
    if perm != tuple(range(len(perm))):
        return False
    bypass(graph, node, input_of(node, 0))
    return True


def _merge(graph: ir.Graph, node: ir.Node) -> bool:
    """Makes one of two in a row."""
    first = made_by(node.inputs[0], "Transpose")
    if first is None:
        return False
    inner = permutation(first)
    perm = [inner[axis] for axis in permutation(node)]
    bypass(graph, node, transpose(graph, node, input_of(first, 0), perm))
    return True


def _lift_over_resize(graph: ir.Graph, node: ir.Node) -> bool:
    """Moves one before an enlargement: less to move, and onnxruntime enlarges NCHW maps best."""
    resize = made_by(node.inputs[0], "Resize")
    if resize is None or only_user(node.inputs[0]) is None:
        return False
    scales = known_constant(resize.inputs[2])
    perm = permutation(node)
    moved = transpose(graph, node, input_of(resize, 0), perm)
    factors = add_constant(graph, scales[list(perm)], "scales")
    enlarged = insert(
        graph,
        node,
        "Resize",
        [moved, None, factors],
        dict(resize.attributes),
        shape_of(node.outputs[0]),
    )
    bypass(graph, node, enlarged)
    return True


def _into_dense(graph: ir.Graph, node: ir.Node) -> bool:
    """Dense, ..., Reshape, ..., Transpose: makes the Dense layer give its outputs in that order."""
    perm, value = permutation(node), input_of(node, 0)
    if perm[0] != 0:
        return False
    path, reshape = [], None
    while (step := value.producer()) is not None and only_user(value) is not None:
        if step.op_type in ("MatMul", "Gemm"):
            break
        data = _data_input(step)
        if step.op_type == "Reshape" and reshape is None:
            reshape, data = step, 0
        elif data is None or (reshape is not None and len(step.inputs) > 1):
            return False
        path.append((step, data))
        value = input_of(step, data)
    else:
        return False
    shape = shape_of(value)
    kernel = constant(step.inputs[1])
    if reshape is None or shape is None or len(shape) != 2 or kernel is None:
        return False
    maps = known_shape(reshape.outputs[0])
    if maps.count(None) != 1 or maps[0] is not None or np.prod(maps[1:]) != shape[1]:
        return False
    order = np.arange(shape[1]).reshape(1, *maps[1:]).transpose(perm).reshape(-1)
    turned_kernel = step.op_type == "Gemm" and step.attributes.get_int("transB", 0) == 1
    axis = 0 if turned_kernel else 1
    name = input_of(step, 1).name
    step.replace_input_with(1, add_constant(graph, np.take(kernel, order, axis), name))
    if len(step.inputs) > 2 and step.inputs[2] is not None:
        bias = np.broadcast_to(known_constant(step.inputs[2]), (1, shape[1]))[0]
        step.replace_input_with(2, add_constant(graph, bias[order], step.inputs[2].name))
    for passed, data in path:
        if passed is reshape:
            sizes = np.array([-1, *(maps[axis] for axis in perm[1:])], np.int64)
            passed.replace_input_with(1, add_constant(graph, sizes, "shape"))
            turned = True
        else:
            turned = _comes_after(passed, reshape, path)
            if turned and passed.op_type in BINARY:
                _turn_operand(graph, passed, 1 - data, perm)
        if turned:
            before = known_shape(passed.outputs[0])
            set_shape(passed.outputs[0], [before[axis] for axis in perm])
    bypass(graph, node, input_of(node, 0))
    return True


def _comes_after(step: ir.Node, reshape: ir.Node, path: Sequence[tuple[ir.Node, int]]) -> bool:
    steps = [passed for passed, _ in path]
    return steps.index(step) < steps.index(reshape)  # the path goes upwards


def _data_input(step: ir.Node) -> int | None:
    """Which input of an elementwise step carries the maps; None for any other step.

    The other operand is a constant, or smaller: moving it costs nothing.
    """
    if step.op_type in ELEMENTWISE:
        return 0
    if step.op_type in BINARY:
        rank = len(shape_of(step.outputs[0]) or ())
        for data in (0, 1):
            if shape_of(step.inputs[data]) == shape_of(step.outputs[0]):
                operand = step.inputs[1 - data]
                small = shape_of(operand)
                if small is None:
                    continue
                if constant(operand) is not None or (
                    len(small) == rank and small != shape_of(step.outputs[0])
                ):
                    return data
    return None


def _turn_operand(graph: ir.Graph, step: ir.Node, index: int, perm: Sequence[int]) -> None:
    """Transposes a step's other operand too; it may have fewer dimensions."""
    operand = input_of(step, index)
    array = constant(operand)
    if array is None:
        step.replace_input_with(index, transpose(graph, step, operand, perm))
    elif array.size > 1:
        whole = array.reshape((1,) * (len(perm) - array.ndim) + array.shape)
        step.replace_input_with(index, add_constant(graph, whole.transpose(perm), operand.name))


def _sink(graph: ir.Graph, node: ir.Node) -> bool:
    """Transpose -> elementwise step becomes elementwise step -> Transpose."""
    output = node.outputs[0]
    step = only_user(output)
    if step is None or step.outputs[0].is_graph_output():
        return False
    data = _data_input(step)
    if data is None or step.inputs[data] is not output or not _undone_later(step):
        return False
    perm = permutation(node)
    inverse = tuple(int(axis) for axis in np.argsort(perm))
    inputs = list(step.inputs)
    inputs[data] = node.inputs[0]
    turned = insert(
        graph, step, step.op_type, inputs, dict(step.attributes), shape_of(node.inputs[0])
    )
    moved = turned.producer()
    if moved is not None and step.op_type in BINARY:
        _turn_operand(graph, moved, 1 - data, inverse)
    if step.op_type == "Cast":
        turned.type = step.outputs[0].type
    bypass(graph, step, transpose(graph, step, turned, perm))
    return True


def _undone_later(step: ir.Node | None) -> bool:
    """Whether, after elementwise steps only, there is a transpose to meet."""
    while step is not None and _data_input(step) is not None:
        step = only_user(step.outputs[0])
    return step is not None and step.op_type in ("Transpose", "Resize")
