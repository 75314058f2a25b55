"""Transposed convolutions as their phases, and 1x1 maps as Dense layers."""

import numpy as np
import pytest

from kgan.export.graph.phases import (
    Axis,
    first_maps_as_dense,
    of_transposed,
    transposed_convolutions_as_phases,
)
from kgan.export.graph.when_phases_pay import pays
from tests.export.graph.graphs import check_same, draw, graph, operators, run
from tests.oracle import needs_torch, torch


def always(kernel_shape, axes):
    return True


def phases(model):
    transposed_convolutions_as_phases(model, always)


def transposed(generator, cin, cout, kernel, stride, pads, size, steps=(), bias=True):
    constants = {"w": generator.normal(size=(cin, cout, *kernel)).astype(np.float32) / cin}
    inputs = ["latents", "w"]
    if bias:
        constants["b"] = generator.normal(size=cout).astype(np.float32)
        inputs.append("b")
    constants["by_channel"] = generator.normal(size=(1, cout, 1, 1)).astype(np.float32)

    def make():
        first = "maps" if steps else "images"
        given = {"strides": [stride, stride], "pads": list(pads)}
        return graph([("ConvTranspose", inputs, first, given), *steps], constants, (cin, *size))

    return make


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    ("kernel", "stride", "pads", "size"),
    [
        ((5, 5), 2, (1, 1, 2, 2), (4, 4)),  # Keras's 'same'
        ((5, 5), 2, (2, 2, 2, 2), (4, 4)),  # 4 -> 7: a row and a column too many
        ((5, 5), 2, (1, 1, 2, 2), (3, 6)),
        ((4, 4), 2, (1, 1, 1, 1), (5, 2)),
        ((3, 4), 2, (0, 1, 1, 1), (4, 4)),
        ((2, 2), 2, (0, 0, 0, 0), (3, 3)),
        ((6, 6), 2, (2, 2, 2, 2), (4, 5)),
        ((7, 5), 3, (2, 1, 2, 1), (4, 4)),
        ((5, 5), 2, (0, 0, 0, 0), (2, 2)),
    ],
)
def test_phases_give_what_the_layer_gave(kernel, stride, pads, size, bias):
    generator = np.random.default_rng(kernel[0] * 100 + size[1])
    cin, cout = 3, 4
    make = transposed(generator, cin, cout, kernel, stride, pads, size, bias=bias)
    made = operators(check_same(make, [phases], generator))
    assert "ConvTranspose" not in made
    assert made.count("Conv") == stride**2


@needs_torch
def test_against_pytorch():
    generator = np.random.default_rng(3)
    make = transposed(generator, 6, 5, (4, 4), 2, (1, 1, 1, 1), (7, 7))
    model = make()
    arrays = draw(generator, model)
    weights = {name: value.const_value.numpy() for name, value in model.graph.initializers.items()}
    expected = torch.nn.functional.conv_transpose2d(
        torch.tensor(arrays["latents"]),
        torch.tensor(np.array(weights["w"])),
        torch.tensor(np.array(weights["b"])),
        stride=2,
        padding=1,
    )
    phases(model)
    np.testing.assert_allclose(run(model, arrays), expected.numpy(), atol=1e-5)


def test_what_comes_behind_goes_into_each_phase():
    generator = np.random.default_rng(4)
    steps = [
        ("Mul", ["maps", "by_channel"], "scaled", {}),
        ("LeakyRelu", ["scaled"], "images", {"alpha": 0.2}),
    ]
    make = transposed(generator, 3, 4, (4, 4), 2, (1, 1, 1, 1), (4, 4), steps)
    made = operators(check_same(make, [phases], generator))
    assert made.count("LeakyRelu") == made.count("Mul") == 4
    assert made.index("Concat") > made.index("LeakyRelu")


@pytest.mark.parametrize(
    ("kernel", "stride", "pads"),
    [
        ((1, 1), 2, (0, 0, 0, 0)),  # three of four phases take nothing
        ((5, 5), 1, (2, 2, 2, 2)),
        ((4, 4), 2, (3, 3, 3, 3)),  # a phase would have to be cut, not padded
    ],
)
def test_what_has_no_phases_stays(kernel, stride, pads):
    generator = np.random.default_rng(5)
    make = transposed(generator, 2, 2, kernel, stride, pads, (6, 6))
    assert operators(check_same(make, [phases], generator)) == ["ConvTranspose"]


def test_a_layer_for_which_it_does_not_pay_stays():
    generator = np.random.default_rng(6)
    seen = []

    def never(kernel_shape, axes):
        seen.append((kernel_shape, [(axis.size, axis.enlarged) for axis in axes]))
        return False

    make = transposed(generator, 2, 3, (4, 4), 2, (1, 1, 1, 1), (5, 6))
    made = check_same(make, [lambda m: transposed_convolutions_as_phases(m, never)], generator)
    assert operators(made) == ["ConvTranspose"]
    assert seen == [((3, 2, 4, 4), [(5, 10), (6, 12)])]


@pytest.mark.parametrize(
    ("cout", "kernel", "stride", "better"),
    [
        (64, 5, 2, True),
        (48, 4, 2, True),
        (16, 4, 2, True),
        (64, 8, 4, True),
        (3, 5, 2, False),  # a last layer
        (20, 5, 2, False),  # 12 channels of zeros beside them
        (64, 2, 2, False),  # nothing overlaps
        (64, 16, 8, False),  # 64 phases
    ],
)
def test_the_choice_is_as_measured(cout, kernel, stride, better):
    axis = Axis(of_transposed(kernel, stride, 1), 8, 8 * stride)
    assert pays((cout, 32, kernel, kernel), [axis, axis]) is better


@pytest.mark.parametrize("pads", [(0, 0, 0, 0), (1, 0, 1, 2)])
@pytest.mark.parametrize("bias", [True, False])
def test_one_by_one_maps_are_a_dense_layer(pads, bias):
    generator = np.random.default_rng(7)
    constants = {
        "shape": np.array([-1, 6, 1, 1]),
        "w": generator.normal(size=(6, 3, 4, 4)).astype(np.float32),
        "b": generator.normal(size=3).astype(np.float32),
    }

    def make():
        inputs = ["maps", "w", "b"] if bias else ["maps", "w"]
        nodes = [
            ("Reshape", ["latents", "shape"], "maps", {}),
            ("ConvTranspose", inputs, "images", {"pads": list(pads)}),
        ]
        return graph(nodes, constants, (6,))

    made = check_same(make, [first_maps_as_dense], generator)
    assert operators(made) == ["Gemm", "Reshape"]
