"""Any ONNX network that turns images into features, checked as exports are before it runs."""

from __future__ import annotations

import os
from typing import Literal

import onnx
from onnx import TensorProto, helper

from kgan.files import printable
from kgan.untrusted.model import Model, declared, described, skeleton
from kgan.untrusted.onnx_files import onnx_rules, parse

Layout = Literal["NCHW", "NHWC"]
CHANNELS = 3
LARGEST_SIDE = 2048
KINDS: dict[int, str] = {TensorProto.FLOAT: "float32", TensorProto.UINT8: "uint8"}


def read_feature_network(
    data: bytes,
    origin: str | os.PathLike[str],
    size: int | None = None,
    layout: Layout | None = None,
    output: str | None = None,
) -> FeatureNetwork:
    """Checks the content of an .onnx file that kgan did not have to write.

    Args:
        data: the file's content.
        origin: where it comes from, for messages.
        size: height and width of its images; None for those in the file.
        layout: where it has the channels; None for where the file says that there are 3.
        output: name of the tensor that has the features, any in the graph; None for
            the only output.

    Raises:
        InputError: it is not an ONNX model, does not fit the arguments, has another input or
            output than images and features, or cannot be run safely (as for exports).
    """
    proto = parse(data, origin)
    with onnx_rules(origin):
        return FeatureNetwork(proto, origin, size, layout, output)


class FeatureNetwork(Model):
    """A checked network; `read_feature_network` makes one.

    Attributes:
        input_name, input_dtype: of its images, "float32" or "uint8".
        layout: "NCHW" or "NHWC".
        size: height and width of its images.
        single: whether it takes one image at a time.
        output: description of its output as in a manifest.
        proto: the ModelProto, with what the output needs and nothing else.
    """

    def __init__(
        self,
        proto: onnx.ModelProto,
        origin: str | os.PathLike[str],
        size: int | None,
        layout: Layout | None,
        output: str | None,
    ) -> None:
        self.origin = origin
        self.proto = proto
        self.manifest = {}  # it needs none
        proto.DiscardUnknownFields()
        del proto.metadata_props[:]
        self._check_length()
        self._keep_output(output)
        _drop_unused_domains(proto)
        self._check_parts()
        self._read_input(size, layout)
        del proto.graph.value_info[:]
        onnx.checker.check_model(skeleton(proto))
        self._read_output()
        self.needs(1)

    def _read_input(self, size: int | None, layout: Layout | None) -> None:
        """Finds the images among the inputs, and gives them their size."""
        graph = self.proto.graph
        weights = {tensor.name for tensor in graph.initializer}
        # Before ONNX's IR version 4 weights are inputs too.
        inputs = [value for value in graph.input if value.name not in weights]
        received = ", ".join(map(described, inputs)) or "none"
        if len(inputs) != 1:
            self._refuse("A network of features has one input, its images", received)
        self.input_name, dtype, shape = declared(inputs[0])
        if dtype not in KINDS or shape is None or len(shape) != 4 or shape[0] not in (None, 1):
            self._refuse(
                "A network of features takes images float32 or uint8, (batch, 3, H, W) or "
                "(batch, H, W, 3), its batch open or 1",
                received,
            )
        self.input_dtype, self.single = KINDS[dtype], shape[0] == 1
        if layout is None and (shape[1] == CHANNELS) == (shape[3] == CHANNELS):
            self._refuse("Say where the network has the channels, layout NCHW or NHWC", received)
        self.layout = layout or ("NCHW" if shape[1] == CHANNELS else "NHWC")
        channels, sides = (shape[1], shape[2:]) if self.layout == "NCHW" else (shape[3], shape[1:3])
        size = size or sides[0]
        if size is None:
            self._refuse("Say the size of the network's images: its file leaves it open", received)
        self.size = size
        if (
            channels not in (None, CHANNELS)
            or any(side not in (None, size) for side in sides)
            or not 1 <= size <= LARGEST_SIDE
        ):
            self._refuse(
                f"The network does not take {self.layout} images of {size}x{size} with 3 channels",
                received,
            )
        whole = [size, size]
        whole.insert(0 if self.layout == "NCHW" else 2, CHANNELS)
        self.inputs = [
            {"name": self.input_name, "dtype": self.input_dtype, "shape": ["batch", *whole]}
        ]
        del graph.input[:]
        graph.input.append(
            helper.make_tensor_value_info(self.input_name, dtype, [self._first(), *whole])
        )

    def _keep_output(self, output: str | None) -> None:
        """Makes one tensor the only output, and drops the nodes that it does not need."""
        graph = self.proto.graph
        names = [value.name for value in graph.output]
        if output is None and len(names) == 1:
            output = names[0]
        made = {name for node in graph.node for name in node.output if name}
        if output is None or output not in made:
            self._refuse(
                "Name the tensor that has the features, an output of the network or another",
                f"{output!r}, outputs {', '.join(map(printable, names)) or 'none'}",
            )
        wanted, nodes = {output}, []
        for node in reversed(graph.node):
            if wanted.intersection(node.output):
                nodes.append(node)
                wanted.update(node.input)
        kept = [onnx.NodeProto.FromString(node.SerializeToString()) for node in reversed(nodes)]
        tensors = [tensor for tensor in graph.initializer if tensor.name in wanted]
        tensors = [onnx.TensorProto.FromString(tensor.SerializeToString()) for tensor in tensors]
        for field, values in ((graph.node, kept), (graph.initializer, tensors)):
            del field[:]
            field.extend(values)
        del graph.output[:]
        # The checker wants a shape; which one it is, is only known after it.
        graph.output.append(helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch"]))

    def _read_output(self) -> None:
        """Describes the output: a row of features an image."""
        output = self.proto.graph.output[0]
        shapes, sizes = self._shapes(1)
        shape = shapes[output.name]
        long = [side for side in shape[1:] if side != 1]
        if not shape or shape[0] != 1 or len(long) > 1 or not all(shape) or sizes[output.name] != 4:
            self._refuse(
                "Features are float32 (batch, d), further sizes 1: name another tensor as output",
                f"{output.name!r} of {list(shape)} for a batch of 1",
            )
        sides: list[int | str] = ["batch", *shape[1:]]
        self.output = {"name": output.name, "dtype": "float32", "shape": sides}
        self.outputs = [self.output]  # as a `Model` has them
        self.width = long[0] if long else 1
        output.CopyFrom(
            helper.make_tensor_value_info(
                output.name, TensorProto.FLOAT, [self._first(), *shape[1:]]
            )
        )

    def _first(self) -> int | str:
        return 1 if self.single else "batch"


def _drop_unused_domains(proto: onnx.ModelProto) -> None:
    """Sets of operators that exporters name and do not use: a node in one is refused anyway."""
    used = {node.domain for node in proto.graph.node}
    for imported in [each for each in proto.opset_import if each.domain not in ("", "ai.onnx")]:
        if imported.domain not in used:
            proto.opset_import.remove(imported)
