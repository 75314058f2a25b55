"""Batch normalisation at inference, a scale and a shift per channel, in the layer before it."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from kgan.export.graph.editing import (
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
    shape_of,
)

LINEAR = ("Conv", "ConvTranspose", "MatMul", "Gemm")


def split_batch_norm(model: ir.Model) -> None:
    """Writes every BatchNormalization as a multiplication and an addition.

    Args:
        model: `onnx_ir.Model`, changed in place.
    """
    graph = model.graph
    for node in list(graph):
        if node.op_type != "BatchNormalization":
            continue
        arrays = [array for array in map(constant, node.inputs[1:]) if array is not None]
        rank = len(shape_of(node.inputs[0]) or ())
        if len(arrays) < 4 or rank < 2:
            continue
        scale, shift, mean, variance = (array.astype(np.float64) for array in arrays)
        factor = scale / np.sqrt(variance + node.attributes.get_float("epsilon", 1e-5))
        ends = (-1, *[1] * (rank - 2))
        value = input_of(node, 0)
        for op_type, array in (("Mul", factor), ("Add", shift - mean * factor)):
            operand = add_constant(graph, array.astype(np.float32).reshape(ends), op_type.lower())
            value = insert(graph, node, op_type, [value, operand], shape=shape_of(node.inputs[0]))
        bypass(graph, node, value)
    remove_unused(model)


def fold_affine(model: ir.Model) -> None:
    """Folds constant scales and shifts per channel into the layer before.

    A `Mul` or `Add` of a constant, after a convolution, a transposed
    convolution or a Dense layer (also through the reshape and transposes
    between a Dense layer and its maps), goes into that layer's kernel and
    bias. A MatMul that gets a bias becomes a Gemm.

    Args:
        model: `onnx_ir.Model` with shapes, changed in place.
    """
    changed = True
    while changed:
        changed = False
        for node in list(model.graph):
            if node.op_type in ("Mul", "Add") and _fold(model.graph, node):
                changed = True
    remove_unused(model)


def _fold(graph: ir.Graph, node: ir.Node) -> bool:
    arrays = [constant(value) for value in node.inputs]
    if (arrays[0] is None) == (arrays[1] is None):
        return False
    data = 0 if arrays[0] is None else 1
    operand, value = known_constant(node.inputs[1 - data]), input_of(node, data)
    shape = shape_of(value)
    if shape is None or shape != shape_of(node.outputs[0]) or shape.count(None) != 1:
        return False
    try:
        factors = np.broadcast_to(operand, (1, *shape[1:]))
    except ValueError:  # a different number for each image of a batch
        return False
    source = value
    while (moved := made_by(source, "Reshape", "Transpose")) is not None:
        if only_user(source) is None:
            return False
        before, after = shape_of(moved.inputs[0]), known_shape(source)
        # As many numbers per image: a Dense layer on maps has the pixels in its first dimension.
        if before is None or None in (*before[1:], *after[1:]) or before[0] is not None:
            return False
        if after[0] is not None or np.prod(before[1:]) != np.prod(after[1:]):
            return False
        if moved.op_type == "Transpose":
            factors = factors.transpose(np.argsort(moved.attributes["perm"].as_ints()))
        else:
            factors = factors.reshape((1, *before[1:]))
        source = input_of(moved, 0)
    layer = made_by(source, *LINEAR)
    if layer is None or only_user(source) is None:
        return False
    if layer.op_type in ("Conv", "ConvTranspose"):
        channels = factors.reshape(factors.shape[1], -1)
        if (channels != channels[:, :1]).any():
            return False
        factors = channels[:, 0]
    elif factors.ndim != 2:
        return False
    if not _scale_or_shift(graph, layer, node.op_type, factors.reshape(-1).astype(np.float64)):
        return False
    bypass(graph, node, input_of(node, data))  # the layer itself may have been replaced
    return True


def _scale_or_shift(graph: ir.Graph, layer: ir.Node, op_type: str, by_channel: np.ndarray) -> bool:
    """Scales or shifts a layer's output channels, in its weights; False if that is not possible."""
    kernel = constant(layer.inputs[1])
    has_bias = len(layer.inputs) > 2 and layer.inputs[2] is not None
    bias = constant(layer.inputs[2]) if has_bias else 0.0
    if kernel is None or bias is None:
        return False
    if layer.op_type == "Gemm":
        attributes = layer.attributes
        if attributes.get_float("alpha", 1.0) != 1.0 or attributes.get_float("beta", 1.0) != 1.0:
            return False
    if layer.op_type == "ConvTranspose" and layer.attributes.get_int("group", 1) != 1:
        return False
    if op_type == "Mul":
        axis = _output_axis(layer)
        ends = [-1 if index == axis else 1 for index in range(kernel.ndim)]
        scaled = kernel * by_channel.reshape(ends)
        name = input_of(layer, 1).name
        layer.replace_input_with(1, add_constant(graph, scaled.astype(np.float32), name))
        bias = bias * by_channel
    else:
        bias = bias + by_channel
    if has_bias or np.any(bias):
        shift = add_constant(graph, np.asarray(bias).astype(np.float32), f"{layer.name}/bias")
        _set_bias(graph, layer, shift)
    return True


def _output_axis(layer: ir.Node) -> int:
    if layer.op_type == "Gemm":
        return 0 if layer.attributes.get_int("transB", 0) else 1
    return 0 if layer.op_type == "Conv" else 1


def _set_bias(graph: ir.Graph, layer: ir.Node, bias: ir.Value) -> None:
    if layer.op_type == "MatMul":
        inputs = [*layer.inputs, bias]
        dense = insert(graph, layer, "Gemm", inputs, shape=shape_of(layer.outputs[0]))
        bypass(graph, layer, dense)
        return
    if len(layer.inputs) < 3:
        layer.resize_inputs(3)
    layer.replace_input_with(2, bias)
