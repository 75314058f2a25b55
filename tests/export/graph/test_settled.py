"""What tf2onnx leaves open, settled: TensorFlow itself says what is right."""

import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from kgan.export.graph.settled import settled

# Whole factors; others up and down; and pairs that onnxruntime's own modes have wrong.
PAIRS = [(1, 5), (5, 10), (7, 21), (4, 4), (9, 3), (10, 5), (3, 5), (7, 5), (11, 13), (7, 31)]
PAIRS += [(14, 23), (22, 26), (20, 6), (26, 11), (30, 29), (13, 2)]


def resized(old, new, nearest=True):
    """As tf2onnx writes TensorFlow's resize of rows and columns, each from one size to another."""
    scales = np.array([1, 1, *np.divide(new, old)], np.float32)
    mode = "tf_half_pixel_for_nn" if nearest else "half_pixel"
    node = helper.make_node(
        "Resize",
        ["maps", "roi", "scales"],
        ["images"],
        mode="nearest" if nearest else "linear",
        nearest_mode="floor",
        coordinate_transformation_mode=mode,
    )
    return model(
        [node],
        ["batch", 2, *old],
        ["batch", 2, None, None],
        {"roi": np.zeros(0, np.float32), "scales": scales},
    )


def model(nodes, taken, given, constants, kind=TensorProto.FLOAT):
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("maps", TensorProto.FLOAT, taken)],
        [helper.make_tensor_value_info("images", kind, given)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def both(proto, maps):
    """What onnxruntime and onnx's evaluator give, which must accept it."""
    onnx.checker.check_model(proto, full_check=True)
    session = onnxruntime.InferenceSession(proto.SerializeToString())
    (received,) = session.run(None, {"maps": maps})
    (defined,) = ReferenceEvaluator(proto).run(None, {"maps": maps})
    return received, defined


@pytest.mark.parametrize("rows", PAIRS, ids=str)
def test_the_nearest_pixel_is_tensorflows(rows):
    columns = PAIRS[(PAIRS.index(rows) + 5) % len(PAIRS)]
    old, new = zip(rows, columns, strict=True)
    maps = np.arange(2 * 2 * np.prod(old), dtype=np.float32).reshape(2, 2, *old)
    proto = settled(resized(old, new))
    modes = [
        attribute.s
        for node in proto.graph.node
        for attribute in node.attribute
        if attribute.name == "coordinate_transformation_mode"
    ]
    assert set(modes) <= {b"asymmetric"}
    expected = tf.image.resize(maps.transpose(0, 2, 3, 1), new, "nearest").numpy()
    for made in both(proto, maps):
        np.testing.assert_array_equal(made.transpose(0, 2, 3, 1), expected)


@pytest.mark.parametrize(("old", "new"), [((11, 7), (26, 16)), ((11, 5), (6, 15))])
def test_a_ratio_that_float32_does_not_hold_gives_the_whole_size(old, new):
    maps = np.random.default_rng(0).normal(size=(2, 2, *old)).astype(np.float32)
    expected = tf.image.resize(maps.transpose(0, 2, 3, 1), new, "bilinear").numpy()
    for made in both(settled(resized(old, new, nearest=False)), maps):
        np.testing.assert_allclose(made.transpose(0, 2, 3, 1), expected, atol=1e-5)


def test_sizes_computed_from_shapes_are_constants_but_the_batch_is_not():
    nodes = [
        helper.make_node("Shape", ["maps"], ["shape"]),
        helper.make_node("Split", ["shape"], ["batch", "channels", "rows", "columns"]),
        helper.make_node("Mul", ["rows", "columns"], ["pixels"]),
        helper.make_node("Concat", ["batch", "pixels", "channels"], ["target"], axis=0),
        helper.make_node("Reshape", ["maps", "target"], ["images"]),
    ]
    proto = settled(model(nodes, ["batch", 2, 3, 5], ["batch", None, None], {}))
    assert "Mul" not in {node.op_type for node in proto.graph.node}
    for batch in (1, 4):
        maps = np.random.default_rng(0).normal(size=(batch, 2, 3, 5)).astype(np.float32)
        for made in both(proto, maps):
            np.testing.assert_array_equal(made, maps.reshape(batch, 15, 2))


def test_numbers_that_depend_on_an_image_stay_computed():
    nodes = [
        helper.make_node("Shape", ["maps"], ["shape"]),
        helper.make_node("Slice", ["shape", "one", "two"], ["columns"]),
        helper.make_node("ArgMax", ["maps"], ["places"], axis=1, keepdims=1),
        helper.make_node("Add", ["places", "columns"], ["images"]),
    ]
    constants = {"one": np.array([1]), "two": np.array([2])}
    proto = settled(model(nodes, ["batch", 4], ["batch", 1], constants, TensorProto.INT64))
    assert {node.op_type for node in proto.graph.node} == {"ArgMax", "Add"}
    maps = np.array([[0, 0, 1, 0], [0, 2, 0, 0]], np.float32)
    for made in both(proto, maps):
        np.testing.assert_array_equal(made, [[2 + 4], [1 + 4]])
