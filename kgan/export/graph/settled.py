"""What tf2onnx leaves open or writes outside the standard, settled by running the model once."""

from __future__ import annotations

import numpy as np
import onnx
import onnx_ir as ir

from kgan.export.graph.editing import (
    add_constant,
    bypass,
    constant,
    input_of,
    insert,
    known_constant,
    known_shape,
    remove_unused,
)
from kgan.export.graph.static_shapes import Runs, find_shapes
from kgan.export.graph.upsampling import NEAREST

MODE = "coordinate_transformation_mode"
OUTSIDE = "tf_half_pixel_for_nn"  # ONNX dropped it with opset 13
EXACT = 4096  # ratios of fewer pixels that are multiples of 1/4096 are exact in float32
SMALL = 1024  # numbers of a vector that sizes are computed with


def settled(proto: onnx.ModelProto) -> onnx.ModelProto:
    """A model whose sizes are constants and whose enlargements are standard operators.

    Args:
        proto: ModelProto from tf2onnx, with only its batch dynamic.

    Returns:
        A ModelProto with the same inputs and outputs.
    """
    model = ir.from_proto(proto)
    graph = model.graph
    for node in list(graph):
        _round_up(graph, node)
        _depth_as_scalar(graph, node)
    outside = [node for node in graph if _is_outside(node)]
    if outside or any(node.op_type == "Shape" for node in graph):
        for node in outside:  # sizes are the same in any mode, and onnxruntime warns of this one
            node.attributes[MODE] = ir.AttrString(MODE, NEAREST[MODE])
        _fix_sizes(model, find_shapes(model))
        for node in outside:
            _standard_resize(graph, node)
    remove_unused(model)
    return ir.to_proto(model)


def _fix_sizes(model: ir.Model, runs: Runs) -> None:
    """Makes a constant of each size that is computed from shapes and is the same in any batch.

    Keras's Conv1DTranspose pads by what it computes from the shape of its input, and ONNX's own
    inference, which says how large the output is, does not follow such arithmetic everywhere.
    """
    graph = model.graph
    small, large = runs
    # Values that do not depend on the numbers in an image, only on shapes.
    of_shapes: set[ir.Value] = set()
    for node in graph:
        inputs = [value for value in node.inputs if value is not None]
        if node.op_type != "Shape" and not all(
            value in of_shapes or constant(value) is not None for value in inputs
        ):
            continue
        of_shapes.update(node.outputs)
        for value in node.outputs:
            array = small.get(value.name or "")
            if (
                array is not None
                and array.dtype.kind == "i"
                and array.size <= SMALL
                and np.array_equal(array, large[value.name or ""])
                and not value.is_graph_output()
            ):
                ir.convenience.replace_all_uses_with(value, add_constant(graph, array, "sizes"))


def _round_up(graph: ir.Graph, node: ir.Node) -> None:
    """Makes scales of a Resize that float32 does not hold a little too large.

    tf2onnx writes the number next to 26/11, which is smaller, and 11 pixels become 25.
    """
    if node.op_type != "Resize" or len(node.inputs) != 3:
        return
    scales = known_constant(node.inputs[2])
    inexact = scales * EXACT != np.round(scales * EXACT)
    if inexact.any():
        larger = np.where(inexact, np.nextafter(scales, np.float32(np.inf)), scales)
        node.replace_input_with(2, add_constant(graph, larger.astype(np.float32), "scales"))


def _depth_as_scalar(graph: ir.Graph, node: ir.Node) -> None:
    """The depth of a OneHot may be a vector of one, but onnx's own evaluator fails on it."""
    depth = constant(input_of(node, 1)) if node.op_type == "OneHot" else None
    if depth is not None and depth.ndim == 1:
        node.replace_input_with(1, add_constant(graph, depth.reshape(()), "depth"))


def _is_outside(node: ir.Node) -> bool:
    return node.op_type == "Resize" and node.attributes.get_string(MODE, "") == OUTSIDE


def _standard_resize(graph: ir.Graph, node: ir.Node) -> None:
    """Writes the nearest neighbour as TensorFlow chooses it with operators of the standard.

    By whole factors that is each pixel, repeated. By others TensorFlow rounds in float32, as no
    mode of Resize does in every implementation (onnxruntime's own are wrong from 11 to 13
    pixels, for instance): its choice is written down and gathered.
    """
    value = input_of(node, 0)
    before, after = known_shape(value), known_shape(node.outputs[0])
    # The batch is never resized; its size is None.
    ratios = [1 if new == old else new / old for old, new in zip(before, after, strict=True)]
    if all(ratio == int(ratio) for ratio in ratios):
        scales = add_constant(graph, np.array(ratios, np.float32), "scales")
        value = insert(graph, node, "Resize", [value, None, scales], NEAREST, after)
    else:
        shape = list(before)
        for axis, ratio in enumerate(ratios):
            if ratio != 1:
                shape[axis] = after[axis]
                chosen = add_constant(graph, _nearest(before[axis], after[axis]), "nearest")
                value = insert(graph, node, "Gather", [value, chosen], {"axis": axis}, shape)
    bypass(graph, node, value)


def _nearest(old: int, new: int) -> np.ndarray:
    """int64 (new,): the pixel of `old` that TensorFlow's ResizeNearestNeighbor puts at each place.

    Reference:
        `HalfPixelScalerForNN` in tensorflow/core/util/image_resizer_state.h, in float32.
    """
    places = np.arange(new, dtype=np.float32) + np.float32(0.5)
    pixels = np.floor(places * (np.float32(old) / np.float32(new))).astype(np.int64)
    return np.clip(pixels, 0, old - 1)
