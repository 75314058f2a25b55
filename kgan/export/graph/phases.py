"""A convolution that enlarges, written as its phases: stride-1 convolutions, interleaved.

Every s-th row and column of what a transposed convolution of stride s makes is
an ordinary convolution of the small maps with its own part of the kernel. The
phases are interleaved.
"""

import dataclasses

import numpy as np

from kgan.export.graph.editing import (
    BINARY,
    ELEMENTWISE,
    add_constant,
    bypass,
    constant,
    insert,
    is_plain,
    made_by,
    only_user,
    remove_unused,
    reshape,
    shape_of,
    transpose,
)
from kgan.export.graph.when_phases_pay import pays


@dataclasses.dataclass(frozen=True)
class Axis:
    """One dimension of an enlarging convolution.

    Attributes:
        taps: for each phase, (index in the kernel, offset in the small maps)
            of every element of the kernel that it takes.
        size: of the small maps.
        enlarged: of the large ones.
    """

    taps: tuple
    size: int
    enlarged: int

    @property
    def stride(self):
        return len(self.taps)

    @property
    def rows(self):
        """How many elements each phase makes; the last ones may be too many."""
        return -(-self.enlarged // self.stride)

    def window(self, phase):
        """(first, last) offset that a phase takes."""
        offsets = [offset for _, offset in self.taps[phase]]
        return min(offsets), max(offsets)

    def padding(self, phase):
        """(before, after) that its convolution needs."""
        first, last = self.window(phase)
        return -first, self.rows - self.size + last

    @property
    def possible(self):
        """Whether each phase is a convolution with padding from 0 up."""
        return all(taps for taps in self.taps) and all(
            min(self.padding(phase)) >= 0 for phase in range(self.stride)
        )


def of_transposed(kernel, stride, padding):
    """`Axis.taps` of a transposed convolution: output s * i + a is the sum of w[t] x[i + d]."""
    return tuple(
        tuple(
            (tap, (phase + padding - tap) // stride)
            for tap in range(kernel)
            if (phase + padding - tap) % stride == 0
        )
        for phase in range(stride)
    )


def transposed_convolutions_as_phases(model, choose=pays):
    """Rewrites the strided transposed convolutions for which that is faster.

    Args:
        model: `onnx_ir.Model` with shapes, changed in place.
        choose: `choice.pays`, or another function of the same arguments.
    """
    graph = model.graph
    for node in list(graph):
        if node.op_type != "ConvTranspose":
            continue
        given = node.attributes
        kernel, strides = constant(node.inputs[1]), given.get_ints("strides", [1, 1])
        if kernel is None or kernel.ndim != 4 or not is_plain(node):
            continue
        if strides[0] != strides[1] or strides[0] < 2:
            continue
        pads = given.get_ints("pads", [0, 0, 0, 0])
        taps = [of_transposed(kernel.shape[2 + i], strides[i], pads[i]) for i in (0, 1)]
        _rewrite(graph, node, kernel.swapaxes(0, 1), taps, choose)
    remove_unused(model)


def first_maps_as_dense(model):
    """Writes transposed convolutions of 1x1 maps as the Dense layers that they are.

    Args:
        model: `onnx_ir.Model` with shapes, changed in place.
    """
    graph = model.graph
    for node in list(graph):
        kernel = constant(node.inputs[1]) if node.op_type == "ConvTranspose" else None
        shape = shape_of(node.outputs[0])
        if kernel is None or not is_plain(node) or (shape_of(node.inputs[0]) or ())[2:] != (1, 1):
            continue
        top, left = node.attributes.get_ints("pads", [0, 0, 0, 0])[:2]
        part = kernel[:, :, top : top + shape[2], left : left + shape[3]]
        if part.shape[2:] != shape[2:]:
            continue
        flat, before = (None, len(kernel)), made_by(node.inputs[0], "Reshape")
        if before is not None and shape_of(before.inputs[0]) == flat:
            value = before.inputs[0]
        else:
            value = reshape(graph, node, node.inputs[0], flat)
        inputs = [value, add_constant(graph, part.reshape(len(kernel), -1), node.inputs[1].name)]
        if len(node.inputs) > 2 and node.inputs[2] is not None:
            bias = np.repeat(constant(node.inputs[2]), shape[2] * shape[3])
            inputs.append(add_constant(graph, bias, node.inputs[2].name))
        made = insert(graph, node, "Gemm", inputs, None, (None, int(np.prod(shape[1:]))))
        bypass(graph, node, reshape(graph, node, made, shape))
    remove_unused(model)


def _rewrite(graph, node, kernel, taps, choose):
    """Puts phases in the place of `node`; `kernel` is (Cout, Cin, H, W) as convolutions have it."""
    value = node.inputs[0]
    small, large = shape_of(value), shape_of(node.outputs[0])
    axes = [Axis(taps[i], small[2 + i], large[2 + i]) for i in (0, 1)]
    if not all(axis.possible for axis in axes) or axes[0].stride != axes[1].stride:
        return
    if not choose(kernel.shape, axes):
        return
    bias = constant(node.inputs[2]) if len(node.inputs) > 2 and node.inputs[2] else None
    steps, last = _steps_behind(node)
    phases = [
        [
            _phase(graph, node, last, kernel, bias, axes, (row, column), steps)
            for column in range(axes[1].stride)
        ]
        for row in range(axes[0].stride)
    ]
    bypass(graph, last, _interleaved(graph, last, phases, large))


def _interleaved(graph, before, phases, large):
    """Phases (N, C, h, w) put together into maps (N, C, H, W).

    By way of NHWC, where neighbours are whole vectors and joining them is all
    there is to do; onnxruntime's DepthToSpace moves number by number, on one
    core.
    """
    _, channels, height, width = shape_of(phases[0][0])
    rows = []
    for row in phases:
        turned = [transpose(graph, before, phase, (0, 2, 3, 1)) for phase in row]
        side_by_side = (None, height, width, channels * len(row))
        joined = insert(graph, before, "Concat", turned, {"axis": 3}, side_by_side)
        flat = (None, height, width * channels * len(row))
        rows.append(reshape(graph, before, joined, flat))
    stacked = (None, height, width * channels * len(rows) * len(phases[0]))
    made = insert(graph, before, "Concat", rows, {"axis": 2}, stacked)
    whole = (None, height * len(rows), width * len(phases[0]), channels)
    made = reshape(graph, before, made, whole)
    wanted = (None, *large[2:], channels)
    if wanted != whole:
        bounds = [
            add_constant(graph, np.array(numbers, np.int64), "crop")
            for numbers in ((0, 0), large[2:], (1, 2))
        ]
        made = insert(graph, before, "Slice", [made, *bounds], None, wanted)
    return transpose(graph, before, made, (0, 3, 1, 2))


def _steps_behind(node):
    """(elementwise steps right behind a node, the last node that the phases replace).

    They are applied to each phase, where onnxruntime takes them into the
    convolution, and before the copying.
    """
    steps, last = [], node
    while (step := only_user(last.outputs[0])) is not None:
        if step.op_type in BINARY:
            other = step.inputs[0 if step.inputs[1] is last.outputs[0] else 1]
            sizes = shape_of(other)
            if sizes is None or sizes[2:] != (1, 1) or len(sizes) != 4:
                break
        elif step.op_type not in ELEMENTWISE or step.op_type in ("Cast", "Identity"):
            break
        steps.append(step)
        last = step
    return steps, last


def _kernel(kernel, axes, phases, windows):
    """The part of a kernel that a phase takes, over the given windows of the small maps."""
    sizes = [last - first + 1 for first, last in windows]
    part = np.zeros((*kernel.shape[:2], *sizes), np.float64)
    for tap, offset in axes[0].taps[phases[0]]:
        for other_tap, other_offset in axes[1].taps[phases[1]]:
            part[:, :, offset - windows[0][0], other_offset - windows[1][0]] += kernel[
                :, :, tap, other_tap
            ]
    return part.astype(np.float32)


def _phase(graph, node, before, kernel, bias, axes, phases, steps):
    """One phase by itself, with its own part of the kernel and no zeros in it."""
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
        inputs = [value if given is source else given for given in step.inputs]
        source = step.outputs[0]
        value = insert(graph, before, step.op_type, inputs, dict(step.attributes), shape)
    return value
