"""Which pixels a unit sees, and which a unit of a generator reaches: sizes, strides, padding."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras

from kgan.explore.inner_layers import (
    FOLLOWERS,
    graph_of,
    inner,
    nodes_of,
    output_shape,
)
from kgan.layers import GroupedConv2D

# Layers, and operations by the names of their classes, whose output at a place depends on the
# input at that place alone. What is in no list is taken to see everything.
POINTWISE = (
    *FOLLOWERS,
    keras.layers.GaussianNoise,
    keras.layers.Identity,
    keras.layers.Rescaling,
    keras.layers.Add,
    keras.layers.Subtract,
    keras.layers.Multiply,
    keras.layers.Average,
    keras.layers.Maximum,
    keras.layers.Minimum,
)
POINTWISE_OPERATIONS = frozenset(
    "Add Subtract Multiply Divide TrueDivide Relu Relu6 LeakyRelu Elu Selu Gelu Silu Tanh Sigmoid "
    "Softplus".split()
)
CONVOLVING = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D)
POOLING = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)


class Box(NamedTuple):
    """A rectangle of places: from (top, left) to below (bottom, right)."""

    top: int
    left: int
    bottom: int
    right: int

    def joined(self, box: Box | None) -> Box:
        """The smallest rectangle that has both."""
        if box is None:
            return self
        starts = min(self.top, box.top), min(self.left, box.left)
        return Box(*starts, max(self.bottom, box.bottom), max(self.right, box.right))


NOWHERE = Box(0, 0, 0, 0)


class Window(NamedTuple):
    """How a layer slides along one axis: output o sees o * stride - before + (0 .. size - 1).

    Attributes:
        size: from the first input seen to the last, the holes of a dilated one included.
        stride: inputs from one output to the next.
        before: padding in front.
        transposed: the other way round, each input reaches those outputs.
    """

    size: int
    stride: int
    before: int
    transposed: bool = False

    def sources(self, first: int, last: int) -> tuple[int, int]:
        """The first and last input that outputs from first to last see, past the edges too."""
        return self._touching(first, last) if self.transposed else self._covered(first, last)

    def targets(self, first: int, last: int) -> tuple[int, int]:
        """The first and last output that inputs from first to last reach."""
        return self._covered(first, last) if self.transposed else self._touching(first, last)

    def _covered(self, first: int, last: int) -> tuple[int, int]:
        return first * self.stride - self.before, last * self.stride - self.before + self.size - 1

    def _touching(self, first: int, last: int) -> tuple[int, int]:
        low = -((self.size - 1 - first - self.before) // self.stride)
        return low, (last + self.before) // self.stride


def receptive_field(network: keras.Model, layer: Any, row: int, column: int) -> Box:
    """The pixels of a network's image that a place of a layer's maps depends on.

    Args:
        network: a Keras network whose first input is images (B, H, W, C).
        layer: one of its layers, of networks inside it too.
        row, column: the place.

    Returns:
        A `Box`, cut at the image's edges, of no size for a place that sees padding alone; the
        whole image where a layer in between may see everything, as one that is dense, of
        attention, or unknown.
    """
    height, width = network.inputs[0].shape[1:3]
    if len(output_shape(network, layer)) != 4:
        return Box(0, 0, height, width)
    graph = graph_of(network)
    needed = _sources(graph, {}, layer, Box(row, column, row + 1, column + 1))
    return needed.get(id(graph.inputs[0]), NOWHERE)


def projective_field(network: keras.Model, layer: Any, row: int, column: int) -> Box:
    """The pixels of a generator's image that a place of a layer's maps reaches.

    Args:
        network: a Keras network whose output is images (B, H, W, C).
        layer, row, column: as for `receptive_field`.

    Returns:
        A `Box`, cut at the image's edges; the whole image as for `receptive_field`.
    """
    height, width = network.outputs[0].shape[1:3]
    if len(output_shape(network, layer)) != 4:
        return Box(0, 0, height, width)
    graph = graph_of(network)
    reached = _targets(graph, {}, layer, Box(row, column, row + 1, column + 1))
    return reached.get(id(graph.outputs[0]), NOWHERE)


def _sources(graph: Any, needed: dict[int, Box], layer: Any, place: Box) -> dict[int, Box]:
    """What of each tensor is needed, by id, for what of some is."""
    for node in reversed(nodes_of(graph)):
        box = needed.get(id(node.outputs[0]))
        if node.operation is layer:
            box = place.joined(box)
        within = graph_of(node.operation)
        if within is not None and node.operation is not layer:
            start = {} if box is None else {id(within.outputs[0]): box}
            found = _sources(within, start, layer, place)
            pairs = zip(node.input_tensors, within.inputs, strict=True)
            boxes = [(tensor, found.get(id(x))) for tensor, x in pairs]
        elif box is None:
            continue
        else:
            boxes = [(x, _moved(node, x, box, back=True)) for x in node.input_tensors]
        for tensor, box in boxes:
            if box is not None:
                needed[id(tensor)] = box.joined(needed.get(id(tensor)))
    return needed


def _targets(graph: Any, reached: dict[int, Box], layer: Any, place: Box) -> dict[int, Box]:
    """What of each tensor is reached, by id, from what of some is."""
    for node in nodes_of(graph):
        found: Box | None = place if node.operation is layer else None
        within = graph_of(node.operation)
        if within is not None and node.operation is not layer:
            pairs = zip(within.inputs, node.input_tensors, strict=True)
            start = {id(x): reached[id(t)] for x, t in pairs if id(t) in reached}
            found = _targets(within, start, layer, place).get(id(within.outputs[0]))
        else:
            for tensor in node.input_tensors:
                if id(tensor) in reached:
                    box = _moved(node, tensor, reached[id(tensor)], back=False)
                    found = found if box is None else box.joined(found)
        if found is not None:
            reached[id(node.outputs[0])] = found
    return reached


def _moved(node: Any, tensor: Any, box: Box, back: bool) -> Box | None:
    """A box of a node's output in one of its inputs, or the other way; None for nothing."""
    output = node.outputs[0]
    there = tensor if back else output
    if len(there.shape) != 4:
        return Box(0, 0, 1, 1)  # a vector is one place
    height, width = there.shape[1:3]
    windows = _windows(node.operation, tensor, output)
    if windows is None:
        return Box(0, 0, height, width)
    spans = []
    for window, first, stop, length in zip(
        windows, (box.top, box.left), (box.bottom, box.right), (height, width), strict=True
    ):
        low, high = (window.sources if back else window.targets)(first, stop - 1)
        spans.append((max(low, 0), min(high, length - 1) + 1))
    (top, bottom), (left, right) = spans
    return Box(top, left, bottom, right) if top < bottom and left < right else None


def _windows(operation: Any, source: Any, output: Any) -> tuple[Window, Window] | None:
    """How an operation slides along rows and columns; None where it may see everything."""
    layer = inner(operation)
    shapes = source.shape, output.shape
    if any(len(shape) != 4 for shape in shapes):
        return None
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        return None
    same = shapes[0][1:3] == shapes[1][1:3]
    joins = isinstance(layer, keras.layers.Concatenate) and layer.axis in (3, -1)
    named = not isinstance(layer, keras.Layer) and type(layer).__name__ in POINTWISE_OPERATIONS
    if isinstance(layer, POINTWISE) or joins or named:
        return (Window(1, 1, 0),) * 2 if same else None
    if isinstance(layer, GroupedConv2D):
        return (Window(layer.kernel_size, 1, (layer.kernel_size - 1) // 2),) * 2
    if isinstance(layer, keras.layers.ZeroPadding2D):
        (top, _), (left, _) = layer.padding
        return Window(1, 1, top), Window(1, 1, left)
    if isinstance(layer, keras.layers.Cropping2D):
        (top, _), (left, _) = layer.cropping
        return Window(1, 1, -top), Window(1, 1, -left)
    if isinstance(layer, keras.layers.UpSampling2D):
        if layer.interpolation not in ("nearest", "bilinear"):
            return None
        rows, columns = (_upsampled(each, layer.interpolation) for each in layer.size)
        return rows, columns
    if isinstance(layer, POOLING):
        return _padded(layer, layer.pool_size, (1, 1), *shapes)
    if isinstance(layer, keras.layers.Conv2DTranspose):
        return _padded(layer, layer.kernel_size, layer.dilation_rate, shapes[1], shapes[0], True)
    if isinstance(layer, CONVOLVING):
        return _padded(layer, layer.kernel_size, layer.dilation_rate, *shapes)
    return None


def _padded(
    layer: Any, sizes: Any, dilations: Any, large: Any, small: Any, transposed: bool = False
) -> tuple[Window, Window]:
    """TensorFlow's padding: 'same' has its odd pixel behind, 'valid' none."""
    windows = []
    for axis in range(2):
        size = (sizes[axis] - 1) * dilations[axis] + 1
        stride, before = layer.strides[axis], 0
        if layer.padding == "same":
            whole = (small[axis + 1] - 1) * stride + size - large[axis + 1]
            before = max(whole, 0) // 2
        windows.append(Window(size, stride, before, transposed))
    return windows[0], windows[1]


def _upsampled(times: int, interpolation: str) -> Window:
    if interpolation == "nearest" or times == 1:
        return Window(times, times, 0, transposed=True)
    # The triangle of half-pixel centres: it reaches outputs less than `times` from its middle.
    before = (times + 2) // 2 - 1
    return Window(times + 2 * before, times, before, transposed=True)
