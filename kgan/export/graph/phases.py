"""A convolution that enlarges, written as its phases: stride-1 convolutions, interleaved.

Every s-th row and column of a transposed convolution's output, where s is its stride, is
an ordinary convolution of the small maps with its own part of the kernel. These
phases are interleaved.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import onnx_ir as ir

from kgan.export.graph.editing import (
    BINARY,
    ELEMENTWISE,
    Shape,
    add_constant,
    bypass,
    constant,
    input_of,
    insert,
    is_plain,
    known_constant,
    known_shape,
    made_by,
    only_user,
    remove_unused,
    reshape,
    shape_of,
    transpose,
)
from kgan.export.graph.when_phases_pay import pays

Taps = tuple[tuple[tuple[int, int], ...], ...]


@dataclasses.dataclass(frozen=True)
class Axis:
    """One dimension of an enlarging convolution.

    Attributes:
        taps: for each phase, (index in the kernel, offset in the small maps)
            of every element of the kernel that it takes.
        size: the small maps' size.
        enlarged: the large maps' size.
    """

    taps: Taps
    size: int
    enlarged: int

    @property
    def stride(self) -> int:
        return len(self.taps)

    @property
    def rows(self) -> int:
        """How many elements each phase produces; the last ones may be too many."""
        return -(-self.enlarged // self.stride)

    def window(self, phase: int) -> tuple[int, int]:
        """(first, last) offset that a phase takes."""
        offsets = [offset for _, offset in self.taps[phase]]
        return min(offsets), max(offsets)

    def padding(self, phase: int) -> tuple[int, int]:
        """(before, after) that its convolution needs."""
        first, last = self.window(phase)
        return -first, self.rows - self.size + last

    @property
    def possible(self) -> bool:
        """Whether each phase is a convolution whose padding is not negative."""
        return all(taps for taps in self.taps) and all(
            min(self.padding(phase)) >= 0 for phase in range(self.stride)
        )


# (kernel shape (Cout, Cin, H, W), axes of the rows and of the columns) -> whether to use phases.
Choice = Callable[[tuple[int, ...], Sequence[Axis]], bool]


def of_transposed(kernel: int, stride: int, padding: int) -> Taps:
    """`Axis.taps` of a transposed convolution: output s * i + a is the sum of w[t] x[i + d]."""
    return tuple(
        tuple(
            (tap, (phase + padding - tap) // stride)
            for tap in range(kernel)
            if (phase + padding - tap) % stride == 0
        )
        for phase in range(stride)
    )


def transposed_convolutions_as_phases(model: ir.Model, choose: Choice = pays) -> None:
    """Rewrites the strided transposed convolutions for which that is faster.

    Args:
        model: `onnx_ir.Model` with shapes, changed in place.
        choose: `when_phases_pay.pays`, or another function with the same arguments.
    """
    graph = model.graph
    for node in list(graph):
        if node.op_type != "ConvTranspose":
            continue
        attributes = node.attributes
        kernel, strides = constant(node.inputs[1]), attributes.get_ints("strides", [1, 1])
        if kernel is None or kernel.ndim != 4 or not is_plain(node):
            continue
        if strides[0] != strides[1] or strides[0] < 2:
            continue
        pads = attributes.get_ints("pads", [0, 0, 0, 0])
        taps = [of_transposed(kernel.shape[2 + i], strides[i], pads[i]) for i in (0, 1)]
        _rewrite(graph, node, kernel.swapaxes(0, 1), taps, choose)
    remove_unused(model)


def first_maps_as_dense(model: ir.Model) -> None:
    """Writes transposed convolutions of 1x1 maps as the Dense layers that they are.

    Args:
        model: `onnx_ir.Model` with shapes, changed in place.
    """
    graph = model.graph
    for node in list(graph):
        kernel = constant(node.inputs[1]) if node.op_type == "ConvTranspose" else None
        shape = known_shape(node.outputs[0])
        if kernel is None or not is_plain(node) or (shape_of(node.inputs[0]) or ())[2:] != (1, 1):
            continue
        top, left = node.attributes.get_ints("pads", [0, 0, 0, 0])[:2]
        part = kernel[:, :, top : top + shape[2], left : left + shape[3]]
        if part.shape[2:] != shape[2:]:
            continue
        flat, before = (None, len(kernel)), made_by(node.inputs[0], "Reshape")
        if before is not None and shape_of(before.inputs[0]) == flat:
            value = input_of(before, 0)
        else:
            value = reshape(graph, node, input_of(node, 0), flat)
        inputs = [value, add_constant(graph, part.reshape(len(kernel), -1), input_of(node, 1).name)]
        if len(node.inputs) > 2 and node.inputs[2] is not None:
            bias = np.repeat(known_constant(node.inputs[2]), shape[2] * shape[3])
            inputs.append(add_constant(graph, bias, node.inputs[2].name))
        dense = insert(graph, node, "Gemm", inputs, None, (None, int(np.prod(shape[1:]))))
        bypass(graph, node, reshape(graph, node, dense, shape))
    remove_unused(model)


def _rewrite(
    graph: ir.Graph, node: ir.Node, kernel: np.ndarray, taps: Sequence[Taps], choose: Choice
) -> None:
    """Replaces `node` with phases; `kernel` is (Cout, Cin, H, W), as convolutions have it."""
    small, large = known_shape(node.inputs[0]), known_shape(node.outputs[0])
    axes = [Axis(taps[i], small[2 + i], large[2 + i]) for i in (0, 1)]
    if not all(axis.possible for axis in axes) or axes[0].stride != axes[1].stride:
        return
    if not choose(kernel.shape, axes):
        return
    bias = constant(node.inputs[2]) if len(node.inputs) > 2 and node.inputs[2] else None
    steps, last = _steps_after(node)
    phases = [
        [
            _phase(graph, node, last, kernel, bias, axes, (row, column), steps)
            for column in range(axes[1].stride)
        ]
        for row in range(axes[0].stride)
    ]
    bypass(graph, last, _interleaved(graph, last, phases, large))


def _interleaved(
    graph: ir.Graph,
    before: ir.Node,
    phases: Sequence[Sequence[ir.Value]],
    large: Shape,
) -> ir.Value:
    """Phases (N, C, h, w) joined into maps (N, C, H, W).

    In NHWC, where neighbours are whole vectors and joining them is all there is to do;
    onnxruntime's DepthToSpace moves number by number, on one core.
    """
    _, channels, height, width = known_shape(phases[0][0])
    rows = []
    for row in phases:
        turned = [transpose(graph, before, phase, (0, 2, 3, 1)) for phase in row]
        side_by_side = (None, height, width, channels * len(row))
        joined = insert(graph, before, "Concat", turned, {"axis": 3}, side_by_side)
        flat = (None, height, width * channels * len(row))
        rows.append(reshape(graph, before, joined, flat))
    stacked = (None, height, width * channels * len(rows) * len(phases[0]))
    maps = insert(graph, before, "Concat", rows, {"axis": 2}, stacked)
    whole = (None, height * len(rows), width * len(phases[0]), channels)
    maps = reshape(graph, before, maps, whole)
    cropped = (None, *large[2:], channels)
    if cropped != whole:
        bounds = [
            add_constant(graph, np.array(numbers, np.int64), "crop")
            for numbers in ((0, 0), large[2:], (1, 2))
        ]
        maps = insert(graph, before, "Slice", [maps, *bounds], None, cropped)
    return transpose(graph, before, maps, (0, 3, 1, 2))


def _steps_after(node: ir.Node) -> tuple[list[ir.Node], ir.Node]:
    """(elementwise steps right after a node, the last node that the phases replace).

    They are applied to each phase, where onnxruntime fuses them into the
    convolution, before the interleaving.
    """
    steps: list[ir.Node] = []
    last = node
    while (step := only_user(last.outputs[0])) is not None:
        if step.op_type in BINARY:
            operand = step.inputs[0 if step.inputs[1] is last.outputs[0] else 1]
            sizes = shape_of(operand)
            if sizes is None or sizes[2:] != (1, 1) or len(sizes) != 4:
                break
        elif step.op_type not in ELEMENTWISE or step.op_type in ("Cast", "Identity"):
            break
        steps.append(step)
        last = step
    return steps, last


def _kernel(
    kernel: np.ndarray,
    axes: Sequence[Axis],
    phases: tuple[int, int],
    windows: Sequence[tuple[int, int]],
) -> np.ndarray:
    """The part of a kernel that a phase takes, over windows of the small maps."""
    sizes = [last - first + 1 for first, last in windows]
    part = np.zeros((*kernel.shape[:2], *sizes), np.float64)
    for tap, offset in axes[0].taps[phases[0]]:
        row = offset - windows[0][0]
        for column_tap, column_offset in axes[1].taps[phases[1]]:
            part[:, :, row, column_offset - windows[1][0]] += kernel[:, :, tap, column_tap]
    return part.astype(np.float32)


def _phase(
    graph: ir.Graph,
    node: ir.Node,
    before: ir.Node,
    kernel: np.ndarray,
    bias: np.ndarray | None,
    axes: Sequence[Axis],
    phases: tuple[int, int],
    steps: Sequence[ir.Node],
) -> ir.Value:
    """One phase of `node`, with its own part of the kernel and no zeros in it."""
    windows = [axis.window(phase) for axis, phase in zip(axes, phases, strict=True)]
    (top, bottom), (left, right) = (
        axis.padding(phase) for axis, phase in zip(axes, phases, strict=True)
    )
    part = _kernel(kernel, axes, phases, windows)
    inputs = [node.inputs[0], add_constant(graph, part, f"{node.name}/phase")]
    if bias is not None:
        inputs.append(add_constant(graph, bias, f"{node.name}/bias"))
    attributes = {"kernel_shape": list(part.shape[2:]), "pads": [top, left, bottom, right]}
    shape = (None, kernel.shape[0], axes[0].rows, axes[1].rows)
    value, source = insert(graph, before, "Conv", inputs, attributes, shape), node.outputs[0]
    for step in steps:
        inputs = [value if operand is source else operand for operand in step.inputs]
        source = step.outputs[0]
        value = insert(graph, before, step.op_type, inputs, dict(step.attributes), shape)
    return value
