"""Shapes: of every value, found by running the model; and reshapes to constant shapes."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
import onnxruntime

from kgan.export.graph.editing import (
    bypass,
    constant,
    input_of,
    known_shape,
    made_by,
    remove_unused,
    reshape,
    set_shape,
    shape_of,
)

# Two batch sizes show which sizes depend on the batch.
BATCHES = (2, 3)
# What every value of a model was at each of the batch sizes, by name.
Runs = tuple[dict[str, np.ndarray], dict[str, np.ndarray]]


def find_shapes(model: ir.Model) -> Runs:
    """Gives every value of a model its shape, with "batch" where a size depends on the batch.

    tf2onnx leaves most of them open, and ONNX's own inference stops at shapes
    that are computed; so the model is run.

    Args:
        model: `onnx_ir.Model` whose inputs are dynamic in their first dimension only.

    Returns:
        The values themselves, for inputs of zeros.
    """
    proto = ir.to_proto(model)
    own = {value.name for value in proto.graph.output}
    names = [name for node in proto.graph.node for name in node.output if name]
    proto.graph.output.extend(ir.to_proto(ir.Value(name=name)) for name in names if name not in own)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    outputs = [value.name for value in session.get_outputs()]
    small, large = (
        dict(zip(outputs, session.run(outputs, _zeros(model, batch)), strict=True))
        for batch in BATCHES
    )
    for node in model.graph:
        for value in node.outputs:
            if value.name in small:
                array = small[value.name]
                sizes = zip(array.shape, large[value.name].shape, strict=True)
                value.type = ir.TensorType(ir.DataType.from_numpy(array.dtype))
                set_shape(value, [size if size == larger else None for size, larger in sizes])
    return small, large


def _zeros(model: ir.Model, batch: int) -> dict[str, np.ndarray]:
    zeros = {}
    for value in model.graph.inputs:
        sizes = [batch if size is None else size for size in known_shape(value)]
        zeros[value.name or ""] = np.zeros(sizes, (value.dtype or ir.DataType.FLOAT).numpy())
    return zeros


def fix_reshapes(model: ir.Model) -> None:
    """Gives reshapes a constant target, -1 for the batch; two in a row become one.

    Uses the shapes that `find_shapes` found.

    Args:
        model: `onnx_ir.Model`, changed in place.
    """
    graph = model.graph
    for node in list(graph):
        target = shape_of(node.outputs[0])
        if node.op_type != "Reshape" or target is None or target.count(None) > 1:
            continue
        source = input_of(node, 0)
        while (before := made_by(source, "Reshape", "Squeeze", "Unsqueeze")) is not None:
            source = input_of(before, 0)
        if shape_of(source) == target:
            bypass(graph, node, source)
        elif source is not node.inputs[0] or constant(node.inputs[1]) is None:
            bypass(graph, node, reshape(graph, node, source, target))
    remove_unused(model)
