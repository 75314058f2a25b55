"""Transposes meet their inverses, or go into a Dense layer; the numbers stay."""

import numpy as np
import pytest

from kgan.export.graph.transposes import cancel_transposes
from tests.export.graph.graphs import check_same, graph, operators

TO_NHWC, TO_NCHW = {"perm": [0, 2, 3, 1]}, {"perm": [0, 3, 1, 2]}


def check(nodes, constants, input_shape):
    generator = np.random.default_rng(0)
    drawn = {
        name: generator.normal(size=value).astype(np.float32) if isinstance(value, tuple) else value
        for name, value in constants.items()
    }
    return operators(
        check_same(lambda: graph(nodes, drawn, input_shape), [cancel_transposes], generator)
    )


def test_they_meet_behind_elementwise_steps():
    nodes = [
        ("Transpose", ["latents"], "a", TO_NHWC),
        ("Mul", ["by_channel", "a"], "b", {}),
        ("Sub", ["b", "by_column"], "c", {}),
        ("LeakyRelu", ["c"], "d", {"alpha": 0.3}),
        ("Clip", ["d", "low"], "e", {}),
        ("Transpose", ["e"], "f", TO_NCHW),
        ("Tanh", ["f"], "images", {}),
    ]
    constants = {"by_channel": (3,), "by_column": (1, 1, 5, 1), "low": np.float32(-0.5)}
    assert check(nodes, constants, (3, 4, 5)) == ["Mul", "Sub", "LeakyRelu", "Clip", "Tanh"]


def test_also_where_a_class_chooses_the_scale():
    nodes = [
        ("Transpose", ["latents"], "a", TO_NHWC),
        ("ReduceMean", ["a"], "of_each", {"axes": [1, 2]}),  # (batch, 1, 1, C), not constant
        ("Sigmoid", ["of_each"], "scale", {}),
        ("Relu", ["a"], "b", {}),
        ("Mul", ["b", "scale"], "c", {}),
        ("Transpose", ["c"], "images", TO_NCHW),
    ]
    made = check(nodes, {}, (3, 4, 5))
    assert made.count("Transpose") <= 2  # one for what is read twice, one for the small scale


def test_two_in_a_row_and_one_that_does_nothing():
    nodes = [
        ("Transpose", ["latents"], "a", {"perm": [0, 1, 2, 3]}),
        ("Transpose", ["a"], "b", TO_NHWC),
        ("Transpose", ["b"], "images", TO_NHWC),
    ]
    assert check(nodes, {}, (3, 4, 5)) == ["Transpose"]


def test_a_last_one_stays_where_it_is():
    nodes = [("Tanh", ["latents"], "a", {}), ("Transpose", ["a"], "images", TO_NHWC)]
    assert check(nodes, {}, (3, 4, 5)) == ["Tanh", "Transpose"]


@pytest.mark.parametrize("dense", ["MatMul", "Gemm"])
def test_a_dense_layer_takes_it_in(dense):
    inputs = ["latents", "w", "b"] if dense == "Gemm" else ["latents", "w"]
    nodes = [
        (dense, inputs, "flat", {}),
        ("Tanh", ["flat"], "a", {}),
        ("Reshape", ["a", "shape"], "maps", {}),
        ("Mul", ["maps", "by_channel"], "b1", {}),
        ("Relu", ["b1"], "c", {}),
        ("Transpose", ["c"], "images", TO_NCHW),
    ]
    constants = {
        "w": (6, 60),
        "b": (60,),
        "shape": np.array([-1, 4, 5, 3]),
        "by_channel": (3,),
    }
    assert check(nodes, constants, (6,)) == [dense, "Tanh", "Reshape", "Mul", "Relu"]


def test_before_an_enlargement_there_is_less_to_move():
    nearest = {
        "mode": "nearest",
        "coordinate_transformation_mode": "asymmetric",
        "nearest_mode": "floor",
    }
    nodes = [
        ("Transpose", ["latents"], "a", TO_NHWC),
        ("Resize", ["a", "", "scales"], "b", nearest),
        ("Transpose", ["b"], "images", TO_NCHW),
    ]
    scales = np.array([1, 2, 3, 1], np.float32)
    assert check(nodes, {"scales": scales}, (3, 4, 5)) == ["Resize"]
