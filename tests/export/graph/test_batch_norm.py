"""Folding keeps the numbers: random weights, statistics, shapes, and every kind of layer."""

import numpy as np
import pytest

from kgan.export.graph.batch_norm import fold_affine, split_batch_norm
from tests.export.graph.graphs import check_same, graph, operators

PASSES = (split_batch_norm, fold_affine)


def floats(generator, *shape):
    return generator.normal(size=shape).astype(np.float32)


def statistics(generator, channels):
    return {
        "scale": floats(generator, channels),
        "shift": floats(generator, channels),
        "mean": floats(generator, channels),
        "variance": generator.uniform(0.1, 3, channels).astype(np.float32),
    }


NORM = ["scale", "shift", "mean", "variance"]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["Conv", "ConvTranspose"])
def test_after_convolutions(kind, seed):
    generator = np.random.default_rng(seed)
    cin, cout, size = generator.integers(1, 9, 3)
    size, kernel = size + 3, int(generator.integers(1, 5))
    shape = (cout, cin) if kind == "Conv" else (cin, cout)
    constants = {"w": floats(generator, *shape, kernel, kernel), **statistics(generator, cout)}
    inputs = ["latents", "w"]
    if seed % 2:
        constants["b"] = floats(generator, cout)
        inputs.append("b")

    def make():
        nodes = [
            (kind, inputs, "maps", {"strides": [2, 2]}),
            ("BatchNormalization", ["maps", *NORM], "images", {"epsilon": 1e-3}),
        ]
        return graph(nodes, constants, (cin, size, size + 1))

    assert operators(check_same(make, PASSES, generator)) == [kind]


@pytest.mark.parametrize("seed", range(3))
def test_after_dense_layers_also_behind_the_reshape(seed):
    generator = np.random.default_rng(seed)
    height, width, channels = generator.integers(1, 6, 3)
    constants = {
        "w": floats(generator, 7, height * width * channels),
        "shape": np.array([-1, height, width, channels]),
        "factor": floats(generator, channels),
        "add": floats(generator, 1, 1, 1, channels),
    }

    def make():
        nodes = [
            ("MatMul", ["latents", "w"], "flat", {}),
            ("Reshape", ["flat", "shape"], "maps", {}),
            ("Mul", ["factor", "maps"], "scaled", {}),
            ("Transpose", ["scaled"], "turned", {"perm": [0, 3, 1, 2]}),
            ("Transpose", ["turned"], "back", {"perm": [0, 2, 3, 1]}),
            ("Add", ["back", "add"], "normal", {}),
            ("Relu", ["normal"], "images", {}),
        ]
        return graph(nodes, constants, (7,))

    made = operators(check_same(make, PASSES, generator))
    assert made == ["Gemm", "Reshape", "Transpose", "Transpose", "Relu"]


@pytest.mark.parametrize("turned", [0, 1])
def test_a_gemm_keeps_its_bias(turned):
    generator = np.random.default_rng(5)
    constants = {
        "w": floats(generator, 4, 7) if turned else floats(generator, 7, 4),
        "b": floats(generator, 4),
        "factor": floats(generator, 4),
        "add": floats(generator, 4),
    }

    def make():
        nodes = [
            ("Gemm", ["latents", "w", "b"], "flat", {"transB": turned}),
            ("Mul", ["flat", "factor"], "scaled", {}),
            ("Add", ["scaled", "add"], "images", {}),
        ]
        return graph(nodes, constants, (7,))

    assert operators(check_same(make, PASSES, generator)) == ["Gemm"]


@pytest.mark.parametrize(
    ("steps", "shape"),
    [
        # Another number for each pixel.
        ([("Mul", ["maps", "pixels"], "images", {})], (1, 1, 3, 3)),
        # What others read too.
        (
            [("Mul", ["maps", "pixels"], "x", {}), ("Add", ["x", "maps"], "images", {})],
            (1, 4, 1, 1),
        ),
        # An activation in between.
        ([("Relu", ["maps"], "x", {}), ("Mul", ["x", "pixels"], "images", {})], (1, 4, 1, 1)),
    ],
)
def test_what_cannot_be_folded_stays(steps, shape):
    generator = np.random.default_rng(6)
    constants = {"w": floats(generator, 4, 2, 1, 1), "pixels": floats(generator, *shape)}

    def make():
        return graph([("Conv", ["latents", "w"], "maps", {}), *steps], constants, (2, 3, 3))

    assert "Mul" in operators(check_same(make, PASSES, generator))
