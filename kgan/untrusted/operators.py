"""The operators that an export may contain, and how much arithmetic each of them needs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from onnx import NodeProto

# The standard operators that tf2onnx writes for Keras layers and that kgan's own passes write.
# Excluded on purpose: subgraphs (Loop, If, Scan), sequences, random numbers, and operators whose
# output shape depends on values.
OPERATORS = frozenset(
    """
    Abs Add And ArgMax ArgMin AveragePool BatchNormalization Cast Ceil Clip Concat Constant
    ConstantOfShape Conv ConvInteger ConvTranspose Cos CumSum DepthToSpace DequantizeLinear Div
    DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand Flatten Floor Gather GatherElements
    GatherND Gemm GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual HardSigmoid HardSwish
    Identity InstanceNormalization LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax
    MatMul MatMulInteger Max MaxPool Mean Min Mish Mod Mul Neg Not OneHot Or PRelu Pad Pow
    QLinearConv QLinearMatMul QuantizeLinear Range Reciprocal ReduceL1 ReduceL2 ReduceMax ReduceMean
    ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize Round ScatterElements
    ScatterND Selu Shape Sigmoid Sign Sin Size Slice Softmax Softplus Softsign SpaceToDepth Split
    Sqrt Squeeze Sub Sum Tanh ThresholdedRelu Tile Transpose Trilu Unsqueeze Where Xor
    """.split()
)

# operator: which of its inputs is the kernel
CONVOLUTIONS = {"Conv": 1, "ConvInteger": 1, "QLinearConv": 3}
MATRIX_PRODUCTS = ("MatMul", "MatMulInteger", "QLinearMatMul", "Gemm")
POOLS = ("AveragePool", "MaxPool")


def work(
    node: NodeProto,
    inputs: Sequence[Any],
    outputs: Sequence[tuple[int, ...]],
) -> tuple[int, int]:
    """Upper bounds of a node's (multiply-adds, values of scratch memory).

    Args:
        node: NodeProto.
        inputs, outputs: shapes, tuples of ints; None for an omitted input.
    """
    size = math.prod(outputs[0])
    if node.op_type in CONVOLUTIONS:
        kernel = math.prod(inputs[CONVOLUTIONS[node.op_type]][1:])
        # It runs as one matrix product per image, after copying the patches to scratch memory.
        return size * kernel, math.prod(outputs[0][2:]) * kernel * _groups(node)
    if node.op_type == "ConvTranspose":
        kernel = math.prod(inputs[1][1:])
        return math.prod(inputs[0]) * kernel, math.prod(inputs[0][2:]) * kernel * _groups(node)
    if node.op_type in MATRIX_PRODUCTS:
        return size * max(inputs[0], default=1), 0
    if node.op_type == "Einsum":
        return math.prod(math.prod(shape) for shape in inputs), 0
    if node.op_type in POOLS:
        settings = {attribute.name: attribute.ints for attribute in node.attribute}
        return size * math.prod(settings["kernel_shape"]), 0
    return size + sum(math.prod(shape) for shape in inputs if shape is not None), 0


def _groups(node: NodeProto) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == "group"), 1)
