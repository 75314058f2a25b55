"""Shapes: each value's, found by running the model, and reshapes that no longer compute theirs."""

import numpy as np
import onnx_ir as ir
import onnxruntime

from kgan.export.graph.editing import add_constant, constant, remove_unused, set_shape, shape_of

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
    """Gives reshapes whose target is computed a constant target, -1 for the batch.

    Takes the shapes that `find_shapes` found.

    Args:
        model: `onnx_ir.Model`, changed in place.
    """
    for node in model.graph:
        if node.op_type != "Reshape" or constant(node.inputs[1]) is not None:
            continue
        target = shape_of(node.outputs[0])
        if target is None or target.count(None) > 1:
            continue
        sizes = np.array([-1 if size is None else size for size in target], np.int64)
        node.replace_input_with(1, add_constant(model.graph, sizes, "shape"))
    remove_unused(model)
