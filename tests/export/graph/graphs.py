"""Small ONNX graphs to try passes on, and what onnxruntime makes of them."""

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
from onnx import helper, numpy_helper

from kgan.export.graph.static_shapes import find_shapes


def graph(nodes, constants, input_shape, output="images"):
    """An `onnx_ir.Model` of nodes from "latents" (batch, *input_shape) to an output, with shapes.

    Args:
        nodes: list of (op type, input names, output name, attributes).
        constants: name -> array.
    """
    made = [
        helper.make_node(
            op_type, inputs, outputs if isinstance(outputs, list) else [outputs], f"n{i}", **given
        )
        for i, (op_type, inputs, outputs, given) in enumerate(nodes)
    ]
    proto = helper.make_model(
        helper.make_graph(
            made,
            "graph",
            [
                helper.make_tensor_value_info(
                    "latents", onnx.TensorProto.FLOAT, ["batch", *map(int, input_shape)]
                )
            ],
            [helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, None)],
            [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    model = ir.from_proto(proto)
    find_shapes(model)
    return model


def run(model, arrays):
    """What onnxruntime makes of input arrays, its own optimizations off."""
    proto = model if isinstance(model, onnx.ModelProto) else ir.to_proto(model)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, arrays)[0]


def draw(generator, model, batch=3):
    """A random input."""
    shape = [size if isinstance(size, int) else batch for size in model.graph.inputs[0].shape]
    return {"latents": generator.normal(size=shape).astype(np.float32)}


def operators(model):
    """The op types of a model, in order."""
    nodes = model.graph.node if isinstance(model, onnx.ModelProto) else model.graph
    return [node.op_type for node in nodes]


def check_same(make, passes, generator, tolerance=1e-5):
    """Runs a graph before and after passes; returns it as they leave it.

    Args:
        make: callable, gives the graph anew.
        passes: functions of a model.
        tolerance: of the largest difference, relative to the largest value.
    """
    model = make()
    arrays = draw(generator, model)
    expected = run(model, arrays)
    for change in passes:
        change(model)
    onnx.checker.check_model(ir.to_proto(model), full_check=True)
    received = run(model, arrays)
    assert received.shape == expected.shape
    scale = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(received, expected, atol=tolerance * scale, rtol=0)
    # Another batch, so that nothing was fixed to this one.
    for batch in (1, 5):
        arrays = draw(generator, model, batch)
        np.testing.assert_allclose(
            run(model, arrays), run(make(), arrays), atol=tolerance * scale, rtol=0
        )
    return model
