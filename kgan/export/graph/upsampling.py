"""Enlargement by repeating pixels, recognised in the form tf2onnx writes it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx_ir as ir

from kgan.export.graph.editing import (
    add_constant,
    bypass,
    constant,
    input_of,
    insert,
    is_plain,
    known_constant,
    known_shape,
    made_by,
    only_user,
    remove_unused,
    shape_of,
    transpose,
)

NEAREST = {
    "mode": "nearest",
    "coordinate_transformation_mode": "asymmetric",
    "nearest_mode": "floor",
}
LAYOUTS = ((0, 1, 2, 3), (0, 2, 3, 1), (0, 3, 1, 2))


def recognise_repeats(model: ir.Model) -> None:
    """Writes each Unsqueeze, Tile, (Transpose,) Reshape that repeats pixels as one Resize.

    That is how tf2onnx writes Keras's UpSampling2D, one axis after the other.
    What such a chain does shows in where it puts the numbers 0, 1, 2, ...

    Args:
        model: `onnx_ir.Model` with shapes and constant reshapes, changed in place.
    """
    graph = model.graph
    for tile in list(graph):
        if tile.op_type != "Tile" or (first := made_by(tile.inputs[0], "Unsqueeze")) is None:
            continue
        chain, last = [first, tile], only_user(tile.outputs[0])
        if last is not None and last.op_type == "Transpose":
            chain.append(last)
            last = only_user(last.outputs[0])
        if last is None or last.op_type != "Reshape":
            continue
        chain.append(last)
        source = input_of(first, 0)
        repeat = _as_repeat(source, chain)
        if repeat is not None:
            scales, perm = repeat
            sizes = zip(known_shape(source), scales, strict=True)
            shape = [None if size is None else size * scale for size, scale in sizes]
            factors = add_constant(graph, np.array(scales, np.float32), "scales")
            enlarged = insert(graph, last, "Resize", [source, None, factors], NEAREST, shape)
            if perm != LAYOUTS[0]:
                enlarged = transpose(graph, last, enlarged, perm)
            bypass(graph, last, enlarged)
    remove_unused(model)


def _as_repeat(
    source: ir.Value, chain: Sequence[ir.Node]
) -> tuple[list[int], tuple[int, ...]] | None:
    """(scale per axis, layout) if a chain repeats pixels, then changes the layout; else None."""
    shape, target = shape_of(source), shape_of(chain[-1].outputs[0])
    if shape is None or target is None or len(shape) != 4 or len(target) != 4:
        return None
    numbers = np.arange(np.prod(shape[1:]), dtype=np.float32).reshape(1, *shape[1:])
    moved = _run(chain, numbers)
    for perm in LAYOUTS:
        unturned = np.transpose(moved, np.argsort(perm))
        scales = [big // small for big, small in zip(unturned.shape, numbers.shape, strict=True)]
        repeated = numbers
        for axis, scale in enumerate(scales):
            repeated = repeated.repeat(scale, axis)
        if scales[0] == 1 and np.array_equal(unturned, repeated):
            return scales, perm
    return None


def _run(chain: Sequence[ir.Node], array: np.ndarray) -> np.ndarray:
    """The output of a chain of such nodes for an array of one image."""
    for node in chain:
        if node.op_type == "Transpose":
            array = array.transpose(node.attributes["perm"].as_ints())
        elif node.op_type == "Tile":
            array = np.tile(array, known_constant(node.inputs[1]))
        else:
            shape = known_shape(node.outputs[0])
            array = array.reshape([1 if size is None else size for size in shape])
    return array


def merge_resizes(model: ir.Model) -> None:
    """Makes one of two enlargements in a row, such as one of the rows and one of the columns.

    Args:
        model: `onnx_ir.Model` with shapes, changed in place.
    """
    graph = model.graph
    for node in list(graph):
        first = made_by(node.inputs[0], "Resize") if is_nearest(node) else None
        if first is None or not is_nearest(first) or only_user(first.outputs[0]) is None:
            continue
        product = known_constant(first.inputs[2]) * known_constant(node.inputs[2])
        scales = add_constant(graph, product, "scales")
        inputs = [first.inputs[0], None, scales]
        shape = shape_of(node.outputs[0])
        bypass(graph, node, insert(graph, node, "Resize", inputs, NEAREST, shape))
    remove_unused(model)


def enlarged_convolutions_as_transposed(model: ir.Model) -> None:
    """Writes each enlargement by repeating pixels and the convolution after it as one layer.

    Together they are a transposed convolution whose stride is the scale: the
    kernel's elements that fall on the same small element are added up, so that
    5x5 on maps enlarged by 2 takes 9 multiplications instead of 25.

    Args:
        model: `onnx_ir.Model` with shapes, changed in place.
    """
    graph = model.graph
    for node in list(graph):
        resize = made_by(node.inputs[0], "Resize") if node.op_type == "Conv" else None
        if resize is None or not is_nearest(resize) or not is_plain(node):
            continue
        kernel = constant(node.inputs[1])
        scales = known_constant(resize.inputs[2]).astype(int).tolist()
        strides = set(node.attributes.get_ints("strides", [1, 1]))
        if kernel is None or kernel.ndim != 4 or strides != {1} or scales[:2] != [1, 1]:
            continue
        sizes = kernel.shape[2:]
        if scales[2] != scales[3] or max(sizes) == 1:  # it would have no phases, or save nothing
            continue
        whole = np.zeros(
            (*kernel.shape[:2], *(k + s - 1 for k, s in zip(sizes, scales[2:], strict=True)))
        )
        for row in range(scales[2]):
            for column in range(scales[3]):
                whole[:, :, row : row + sizes[0], column : column + sizes[1]] += kernel[
                    :, :, ::-1, ::-1
                ]
        pads = node.attributes.get_ints("pads", [0, 0, 0, 0])
        pads = [size - 1 - pad for size, pad in zip((*sizes, *sizes), pads, strict=True)]
        if min(pads) < 0:
            continue
        inputs = [
            resize.inputs[0],
            add_constant(graph, whole.swapaxes(0, 1).astype(np.float32), input_of(node, 1).name),
            *node.inputs[2:],
        ]
        attributes = {"kernel_shape": list(whole.shape[2:]), "strides": scales[2:], "pads": pads}
        layer = insert(graph, node, "ConvTranspose", inputs, attributes, shape_of(node.outputs[0]))
        bypass(graph, node, layer)
    remove_unused(model)


def is_nearest(node: ir.Node | None) -> bool:
    """Whether a node only enlarges, by whole numbers and by repeating pixels."""
    if node is None or node.op_type != "Resize" or len(node.inputs) != 3:
        return False
    scales = constant(node.inputs[2])
    modes = {key: node.attributes.get_string(key, None) for key in NEAREST}
    return scales is not None and modes == NEAREST and bool((scales == scales.round()).all())
