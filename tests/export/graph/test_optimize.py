"""All passes on what tf2onnx makes of every preset: the same numbers, in fewer kinds of steps."""

import numpy as np
import onnx
import pytest

import kgan
from kgan.export import onnx as onnx_export
from kgan.export.graph import optimize
from kgan.export.graph.constants import share_constants
from kgan.export.graph.grouped import group_convolutions
from kgan.export.graph.static_shapes import find_shapes, fix_reshapes
from kgan.export.signatures import parts_of
from tests.export.graph.graphs import check_same, graph, operators, run
from tests.tiers import tiered

# Of each: what it is made with, and operators of which the optimized graph is rid.
PRESETS = {
    "gan": ({"image_shape": (8, 8, 1)}, {"Transpose"}),
    "dcgan": ({"image_shape": (28, 28, 1), "filters": 16}, {"Mul", "Add", "MatMul"}),
    "dcgan, classes": (
        {"image_shape": (28, 28, 1), "filters": 16, "num_classes": 3},
        {"MatMul", "Less", "SliceWhere"},
    ),
    "dcgan_512": ({"image_shape": (32, 16, 3)}, set()),
    "dcgan_k4": ({"image_shape": (32, 32, 3), "filters": 16}, {"Mul", "Add", "MatMul"}),
    "dcgan_upsample": ({"image_shape": (16, 16, 3)}, {"Tile", "Resize", "Shape", "Mul"}),
    "dcgan_tanh": ({"image_shape": (20, 16, 1)}, {"Tile", "Resize", "Shape", "Mul"}),
    "sagan": ({"image_shape": (32, 32, 3), "filters": 16}, {"Sqrt", "Div"}),
    "r3gan": ({"image_shape": (16, 16, 3)}, {"Split", "Concat"}),
}


def shaken(gan):
    """Gives weights and statistics other values than those they begin with."""
    generator = np.random.default_rng(1)
    for variable in gan.generator.variables:
        drawn = generator.normal(size=variable.shape)
        if variable.path.endswith("moving_variance"):
            variable.assign(np.exp(drawn))
        elif variable.path.endswith(("moving_mean", "beta", "bias")):
            variable.assign(0.3 * drawn)
        elif variable.path.endswith("gamma"):
            variable.assign(1 + 0.3 * drawn)


FAST = ("dcgan",)
NAMES = tiered(PRESETS, FAST.__contains__)


@pytest.fixture(scope="module", params=NAMES)
def plain(request):
    preset = request.param.split(",")[0]
    given, gone = PRESETS[request.param]
    gan = kgan.GAN.from_preset(preset, **given)
    shaken(gan)
    (part,) = parts_of(gan)
    model = onnx_export.convert(part, 17)
    before = model.SerializeToString(deterministic=True)
    optimized = optimize(model)
    assert model.SerializeToString(deterministic=True) == before  # it stays as it was
    return part, model, optimized, gone


def test_every_preset_gives_the_same_pictures(plain):
    part, model, made, gone = plain
    onnx.checker.check_model(made, full_check=True)
    for batch in (1, 4):
        arrays = part.draw(range(batch))
        expected = run(model, arrays)
        assert expected.std() > 0.01
        np.testing.assert_allclose(run(made, arrays), expected, atol=1e-5)
    assert not gone & set(operators(made))
    # Names and shapes are the contract.
    for before, after in zip(
        (*model.graph.input, *model.graph.output),
        (*made.graph.input, *made.graph.output),
        strict=True,
    ):
        assert before == after


def test_no_constant_is_unused_or_there_twice(plain):
    part, model, made, _ = plain
    read = {name for node in made.graph.node for name in node.input}
    seen = [
        (tuple(tensor.dims), tensor.data_type, tensor.raw_data)
        for tensor in made.graph.initializer
        if np.prod(tensor.dims) > 1
    ]
    assert {tensor.name for tensor in made.graph.initializer} <= read
    assert len(set(seen)) == len(seen)
    # Taps that are added up for each phase are more than 3x3 or 5x5 were; others are only cut up.
    enlarged = "upsample" in part.network.name or "tanh" in part.network.name
    assert made.ByteSize() < (16 / 9 if enlarged else 1.02) * model.ByteSize() + 20_000


@pytest.mark.parametrize("bias", [True, False])
def test_convolutions_of_groups_are_one(bias):
    generator = np.random.default_rng(0)
    constants = {
        f"{name}{i}": generator.normal(size=shape).astype(np.float32)
        for i in range(3)
        for name, shape in (("w", (4, 2, 3, 3)), ("b", (4,)))
    }

    def make():
        parts = [f"part{i}" for i in range(3)]
        nodes = [
            ("Transpose", ["latents"], "turned", {"perm": [0, 2, 3, 1]}),
            ("Split", ["turned"], parts, {"axis": -1}),
        ]
        for i, part in enumerate(parts):
            nodes.append(("Transpose", [part], f"back{i}", {"perm": [0, 3, 1, 2]}))
            inputs = [f"back{i}", f"w{i}", *([f"b{i}"] if bias else [])]
            nodes.append(("Conv", inputs, f"made{i}", {"pads": [1, 1, 1, 1]}))
        nodes.append(("Concat", [f"made{i}" for i in range(3)], "images", {"axis": 1}))
        return graph(nodes, constants, (6, 4, 5))

    assert operators(check_same(make, [group_convolutions], generator))[-1] == "Conv"


def test_groups_that_are_not_in_order_stay():
    generator = np.random.default_rng(0)
    constants = {f"w{i}": generator.normal(size=(2, 2, 1, 1)).astype(np.float32) for i in (0, 1)}

    def make():
        nodes = [
            ("Split", ["latents"], ["a", "b"], {"axis": 1}),
            ("Conv", ["b", "w0"], "c", {}),
            ("Conv", ["a", "w1"], "d", {}),
            ("Concat", ["c", "d"], "images", {"axis": 1}),
        ]
        return graph(nodes, constants, (4, 3, 3))

    assert "Split" in operators(check_same(make, [group_convolutions], generator))


def test_equal_constants_are_shared():
    kernel = np.random.default_rng(0).normal(size=(40, 40)).astype(np.float32)
    constants = {"one": kernel, "two": kernel.copy(), "other": kernel + 1, "idle": kernel - 1}

    def make():
        nodes = [
            ("MatMul", ["latents", "one"], "x", {}),
            ("MatMul", ["x", "two"], "y", {}),
            ("MatMul", ["y", "other"], "images", {}),
        ]
        return graph(nodes, constants, (40,))

    made = check_same(make, [share_constants], np.random.default_rng(0))
    assert set(made.graph.initializers) == {"one", "other"}


def test_reshapes_in_a_row_are_one_and_those_that_do_nothing_none():
    constants = {"axis": np.array([1]), "back": np.array([0, 3, 4]), "flat": np.array([-1, 12])}

    def make():
        nodes = [
            ("Unsqueeze", ["latents", "axis"], "x", {}),
            ("Reshape", ["x", "back"], "y", {}),
            ("Relu", ["y"], "z", {}),
            ("Unsqueeze", ["z", "axis"], "a", {}),
            ("Reshape", ["a", "flat"], "images", {}),
        ]
        return graph(nodes, constants, (3, 4))

    made = check_same(make, [find_shapes, fix_reshapes], np.random.default_rng(0))
    assert operators(made) == ["Relu", "Reshape"]


def test_computed_reshapes_get_constant_targets():
    constants = {"first": np.array([0]), "rest": np.array([6, 2])}

    def make():
        nodes = [
            ("Shape", ["latents"], "shape", {}),
            ("Gather", ["shape", "first"], "batch_size", {}),
            ("Concat", ["batch_size", "rest"], "target", {"axis": 0}),
            ("Reshape", ["latents", "target"], "images", {}),
        ]
        return graph(nodes, constants, (3, 4))

    made = check_same(make, [find_shapes, fix_reshapes], np.random.default_rng(0))
    assert operators(made) == ["Reshape"]
    (target,) = made.graph.initializers.values()
    assert target.const_value.numpy().tolist() == [-1, 6, 2]
