"""Repeated pixels: recognised in tf2onnx's chains, and taken into the convolution after them."""

import keras
import numpy as np
import onnx_ir as ir
import pytest
import tensorflow as tf
import tf2onnx

from kgan.export.graph.static_shapes import find_shapes, fix_reshapes
from kgan.export.graph.transposes import cancel_transposes
from kgan.export.graph.upsampling import (
    enlarged_convolutions_as_transposed,
    merge_resizes,
    recognise_repeats,
)
from tests.export.graph.graphs import check_same, graph, operators

NEAREST = {
    "mode": "nearest",
    "coordinate_transformation_mode": "asymmetric",
    "nearest_mode": "floor",
}


def converted(*layers, shape):
    """What tf2onnx makes of Keras layers between a Dense layer and a convolution."""
    network = keras.Sequential(
        [
            keras.Input((5,)),
            keras.layers.Dense(int(np.prod(shape))),
            keras.layers.Reshape(shape),
            *layers,
            keras.layers.Conv2D(3, 3, padding="same"),
        ]
    )
    signature = [tf.TensorSpec([None, 5], tf.float32, name="latents")]
    serve = tf.function(lambda z: {"images": network(z)}, input_signature=signature)
    proto, _ = tf2onnx.convert.from_function(serve, signature, opset=17)

    def make():
        model = ir.from_proto(proto)
        model.graph.inputs[0].shape = ir.Shape(["batch", 5])
        find_shapes(model)
        fix_reshapes(model)
        return model

    return make


@pytest.mark.parametrize("size", [2, (2, 3), (1, 4)])
def test_keras_upsampling_is_recognised(size):
    make = converted(keras.layers.UpSampling2D(size), shape=(3, 4, 6))
    assert "Tile" in operators(make())
    passes = (recognise_repeats, cancel_transposes, merge_resizes)
    made = operators(check_same(make, passes, np.random.default_rng(0)))
    assert made.count("Resize") == 1
    assert not {"Tile", "Shape", "Gather", "Cast"} & set(made)
    assert "Transpose" not in made[: made.index("Conv")]


def test_a_tile_that_repeats_whole_maps_is_none():
    constants = {
        "axis": np.array([2]),
        "times": np.array([1, 1, 2, 1, 1]),
        "shape": np.array([-1, 3, 8, 5]),
    }

    def make():
        nodes = [
            ("Unsqueeze", ["latents", "axis"], "x", {}),  # before the rows, not after them
            ("Tile", ["x", "times"], "y", {}),
            ("Reshape", ["y", "shape"], "images", {}),
        ]
        return graph(nodes, constants, (3, 4, 5))

    made = operators(check_same(make, [recognise_repeats], np.random.default_rng(1)))
    assert made == ["Unsqueeze", "Tile", "Reshape"]


@pytest.mark.parametrize(
    ("kernel", "pads", "scales"),
    [
        ((3, 3), (1, 1, 1, 1), (2, 2)),
        ((5, 5), (2, 2, 2, 2), (2, 2)),
        ((3, 5), (1, 2, 1, 2), (3, 3)),
        ((4, 4), (1, 1, 2, 2), (2, 2)),
        ((3, 3), (0, 0, 0, 0), (2, 2)),
        ((1, 3), (0, 1, 0, 1), (2, 2)),
    ],
)
@pytest.mark.parametrize("bias", [True, False])
def test_an_enlarged_convolution_is_a_transposed_one(kernel, pads, scales, bias):
    generator = np.random.default_rng(kernel[1])
    constants = {
        "w": generator.normal(size=(4, 3, *kernel)).astype(np.float32),
        "b": generator.normal(size=4).astype(np.float32),
        "scales": np.array([1, 1, *scales], np.float32),
    }

    def make():
        inputs = ["large", "w", "b"] if bias else ["large", "w"]
        nodes = [
            ("Resize", ["latents", "", "scales"], "large", NEAREST),
            ("Conv", inputs, "images", {"pads": list(pads)}),
        ]
        return graph(nodes, constants, (3, 4, 5))

    made = operators(check_same(make, [enlarged_convolutions_as_transposed], generator))
    assert made == ["ConvTranspose"]


@pytest.mark.parametrize(
    ("resize", "convolution", "kernel", "scales"),
    [
        ({"mode": "linear", "coordinate_transformation_mode": "asymmetric"}, {}, 3, (2, 2)),
        (NEAREST, {"strides": [2, 2]}, 3, (2, 2)),
        (NEAREST, {"dilations": [2, 2]}, 3, (2, 2)),
        # It would have no phases, or save nothing.
        (NEAREST, {}, 3, (1, 2)),
        (NEAREST, {}, 1, (2, 2)),
    ],
)
def test_others_stay(resize, convolution, kernel, scales):
    generator = np.random.default_rng(2)
    constants = {
        "w": generator.normal(size=(4, 3, kernel, kernel)).astype(np.float32),
        "scales": np.array([1, 1, *scales], np.float32),
    }

    def make():
        nodes = [
            ("Resize", ["latents", "", "scales"], "large", resize),
            ("Conv", ["large", "w"], "images", convolution),
        ]
        return graph(nodes, constants, (3, 4, 5))

    made = operators(check_same(make, [enlarged_convolutions_as_transposed], generator))
    assert made == ["Resize", "Conv"]
