"""Shapes: each value's, found by running the model, and reshapes that no longer compute theirs."""

import numpy as np
import onnx_ir as ir
import onnxruntime

from kgan.export.graph.editing import (
    bypass,
    constant,
    made_by,
    remove_unused,
    reshape,
    set_shape,
    shape_of,
)

# Two batches tell what goes with the batch from what does not.
BATCHES = (2, 3)


def find_shapes(model):
    """Gives every value of a model its shape, with "batch" where it goes with the batch.

    tf2onnx leaves most of them open, and ONNX's own inference stops at shapes
    that are computed; so the model is run.

    Args:
        model: `onnx_ir.Model` whose inputs are dynamic in their first dimension alone.
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
    asked = [value.name for value in session.get_outputs()]
    runs = [
        {
            name: made
            for name, made in zip(asked, session.run(asked, _zeros(model, batch)), strict=True)
        }
        for batch in BATCHES
    ]
    for node in model.graph:
        for value in node.outputs:
            if value.name in runs[0]:
                one, other = (run[value.name] for run in runs)
                value.type = ir.TensorType(ir.DataType.from_numpy(one.dtype))
                set_shape(
                    value,
                    [a if a == b else None for a, b in zip(one.shape, other.shape, strict=True)],
                )


def _zeros(model, batch):
    return {
        value.name: np.zeros(
            [batch if size is None else size for size in shape_of(value)], value.dtype.numpy()
        )
        for value in model.graph.inputs
    }


def fix_reshapes(model):
    """Gives reshapes a constant target, -1 for the batch; two in a row are one.

    Takes the shapes that `find_shapes` found.

    Args:
        model: `onnx_ir.Model`, changed in place.
    """
    graph = model.graph
    for node in list(graph):
        target = shape_of(node.outputs[0])
        if node.op_type != "Reshape" or target is None or target.count(None) > 1:
            continue
        source = node.inputs[0]
        while (before := made_by(source, "Reshape", "Squeeze", "Unsqueeze")) is not None:
            source = before.inputs[0]
        if shape_of(source) == target:
            bypass(graph, node, source)
        elif source is not node.inputs[0] or constant(node.inputs[1]) is None:
            bypass(graph, node, reshape(graph, node, source, target))
    remove_unused(model)
