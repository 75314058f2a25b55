"""Which layers of an exported graph compute in int8."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnxruntime import quantization

LARGE = 0.1  # share of the weights from which a last layer is int8 too
WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")
PASSED = ("Reshape", "Transpose", "Cast")  # they give the numbers they were given


class Int8Layers(NamedTuple):
    """Nodes of a graph.

    Attributes:
        layers: those with constant weights, without the last ones and those that attention
            compares.
        attention: the layers that give the values of an attention, and the products of its
            weights and values.
    """

    layers: list[onnx.NodeProto]
    attention: list[onnx.NodeProto]


def layers_for_int8(model: onnx.ModelProto) -> Int8Layers:
    """What of an optimized graph can compute in int8.

    A softmax over keys and queries from int8 layers is far from the true one, and
    onnxruntime's grouped convolutions are slower in int8.
    """
    weights = {tensor.name: int(np.prod(tensor.dims)) for tensor in model.graph.initializer}
    producers = {name: node for node in model.graph.node for name in node.output}
    users: dict[str, list[onnx.NodeProto]] = {}
    for node in model.graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    last = _last_layers(model, weights, producers)

    def products(name: str) -> list[onnx.NodeProto]:
        """The products of two tensors, neither of them constant, that a tensor goes into."""
        direct = [
            user
            for user in users.get(name, [])
            if user.op_type == "MatMul" and user.input[1] not in weights
        ]
        passed = [user for user in users.get(name, []) if user.op_type in PASSED]
        return direct + [node for user in passed for node in products(user.output[0])]

    found = Int8Layers([], [])
    for node in model.graph.node:
        if node.op_type == "MatMul" and _is_softmax(producers.get(node.input[0]), producers):
            found.attention.append(node)
        elif (
            node.op_type in WEIGHTED
            and node.op_type != "ConvTranspose"
            and node.input[1] in weights
            and node.name not in last
            and next((a.i for a in node.attribute if a.name == "group"), 1) == 1
        ):
            compared = products(node.output[0])
            if not compared:
                found.layers.append(node)
            elif all(_is_softmax(producers.get(p.input[0]), producers) for p in compared):
                found.attention.append(node)
    return found


def _is_softmax(node: onnx.NodeProto | None, producers: Mapping[str, onnx.NodeProto]) -> bool:
    while node is not None and node.op_type in PASSED:
        node = producers.get(node.input[0])
    return node is not None and node.op_type == "Softmax"


def _last_layers(
    model: onnx.ModelProto, weights: Mapping[str, int], producers: Mapping[str, onnx.NodeProto]
) -> list[str]:
    """The names of the layers that make the output, where they are small."""
    last, to_visit = [], [producers[model.graph.output[0].name]]
    while to_visit:
        node = to_visit.pop()
        if node.op_type in WEIGHTED and node.input[1] in weights:
            last.append(node.name)
        else:
            to_visit.extend(producers[name] for name in node.input if name in producers)
    of_last = sum(weights[node.input[1]] for node in model.graph.node if node.name in last)
    return [] if of_last > LARGE * sum(weights.values()) else last


def one_scale(layers: Sequence[onnx.NodeProto]) -> dict[str, list[dict[str, Any]]]:
    """Dense layers get one scale for all outputs: they have as many outputs as pixels."""
    settings = {"quant_type": quantization.QuantType.QInt8, "symmetric": True}
    return {node.input[1]: [settings] for node in layers if node.op_type in ("Gemm", "MatMul")}
