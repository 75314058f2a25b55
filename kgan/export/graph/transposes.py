"""Transposes moved to where they meet their inverse, or where a constant takes them in."""

import numpy as np

from kgan.export.graph.editing import (
    BINARY,
    ELEMENTWISE,
    add_constant,
    bypass,
    constant,
    insert,
    made_by,
    only_user,
    remove_unused,
    set_shape,
    shape_of,
    transpose,
)


def cancel_transposes(model):
    """Takes out the transposes between layouts that nothing needs.

    What a Dense layer makes is reshaped into maps: there a transpose goes into
    the order of the layer's outputs. Elsewhere a transpose is moved towards
    the output, through whatever works on each element by itself, until the
    next one takes it back.

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


def permutation(node):
    """A Transpose's permutation, a tuple."""
    return tuple(node.attributes["perm"].as_ints())


def _drop(graph, node):
    """One that changes nothing."""
    perm = permutation(node)
    if perm != tuple(range(len(perm))):
        return False
    bypass(graph, node, node.inputs[0])
    return True


def _merge(graph, node):
    """Two in a row are one."""
    first = made_by(node.inputs[0], "Transpose")
    if first is None:
        return False
    inner = permutation(first)
    perm = [inner[axis] for axis in permutation(node)]
    bypass(graph, node, transpose(graph, node, first.inputs[0], perm))
    return True


def _lift_over_resize(graph, node):
    """Before an enlargement there is less to move, and onnxruntime enlarges NCHW maps best."""
    resize = made_by(node.inputs[0], "Resize")
    if resize is None or only_user(node.inputs[0]) is None:
        return False
    scales = constant(resize.inputs[2])
    perm = permutation(node)
    moved = transpose(graph, node, resize.inputs[0], perm)
    factors = add_constant(graph, scales[list(perm)], "scales")
    made = insert(
        graph,
        node,
        "Resize",
        [moved, None, factors],
        dict(resize.attributes),
        shape_of(node.outputs[0]),
    )
    bypass(graph, node, made)
    return True


def _into_dense(graph, node):
    """Dense, ..., Reshape, ..., Transpose: the Dense layer gives its outputs in that order."""
    perm, value = permutation(node), node.inputs[0]
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
        value = step.inputs[data]
    else:
        return False
    shape = shape_of(value)
    kernel = constant(step.inputs[1])
    if reshape is None or shape is None or len(shape) != 2 or kernel is None:
        return False
    maps = shape_of(reshape.outputs[0])
    if maps.count(None) != 1 or maps[0] is not None or np.prod(maps[1:]) != shape[1]:
        return False
    order = np.arange(shape[1]).reshape(1, *maps[1:]).transpose(perm).reshape(-1)
    axis = 0 if step.op_type == "Gemm" and step.attributes.get_int("transB", 0) else 1
    name = step.inputs[1].name
    step.replace_input_with(1, add_constant(graph, np.take(kernel, order, axis), name))
    if len(step.inputs) > 2 and step.inputs[2] is not None:
        bias = np.broadcast_to(constant(step.inputs[2]), (1, shape[1]))[0]
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
            before = shape_of(passed.outputs[0])
            set_shape(passed.outputs[0], [before[axis] for axis in perm])
    bypass(graph, node, node.inputs[0])
    return True


def _comes_after(step, reshape, path):
    steps = [passed for passed, _ in path]
    return steps.index(step) < steps.index(reshape)  # the path goes upwards


def _data_input(step):
    """Which input of an elementwise step carries the maps; None where it is no such step.

    The other operand is a constant, or smaller: moving it costs nothing.
    """
    if step.op_type in ELEMENTWISE:
        return 0
    if step.op_type in BINARY:
        rank = len(shape_of(step.outputs[0]) or ())
        for data in (0, 1):
            if shape_of(step.inputs[data]) == shape_of(step.outputs[0]):
                other = step.inputs[1 - data]
                small = shape_of(other)
                if small is None:
                    continue
                if constant(other) is not None or (
                    len(small) == rank and small != shape_of(step.outputs[0])
                ):
                    return data
    return None


def _turn_operand(graph, step, index, perm):
    """Gives a step's other operand transposed too; it may be of fewer dimensions."""
    operand = step.inputs[index]
    array = constant(operand)
    if array is None:
        step.replace_input_with(index, transpose(graph, step, operand, perm))
    elif array.size > 1:
        whole = array.reshape((1,) * (len(perm) - array.ndim) + array.shape)
        step.replace_input_with(index, add_constant(graph, whole.transpose(perm), operand.name))


def _sink(graph, node):
    """Transpose -> elementwise step becomes elementwise step -> Transpose."""
    output = node.outputs[0]
    step = only_user(output)
    if step is None or step.outputs[0].is_graph_output():
        return False
    data = _data_input(step)
    if data is None or step.inputs[data] is not output or not _taken_back(step):
        return False
    perm = permutation(node)
    inverse = tuple(int(axis) for axis in np.argsort(perm))
    inputs = list(step.inputs)
    inputs[data] = node.inputs[0]
    turned = insert(
        graph, step, step.op_type, inputs, dict(step.attributes), shape_of(node.inputs[0])
    )
    if step.op_type in BINARY:
        _turn_operand(graph, turned.producer(), 1 - data, inverse)
    if step.op_type == "Cast":
        turned.type = step.outputs[0].type
    bypass(graph, step, transpose(graph, step, turned, perm))
    return True


def _taken_back(step):
    """Whether further down, behind elementwise steps alone, there is a transpose to meet."""
    while step is not None and _data_input(step) is not None:
        step = only_user(step.outputs[0])
    return step is not None and step.op_type in ("Transpose", "Resize")
