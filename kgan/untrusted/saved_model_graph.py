"""SavedModels from anywhere: only operations that compute, checked before TensorFlow loads one.

A SavedModel is a program: TensorFlow runs some of its functions while it loads it, and an
operation can read and write any file.
"""

from __future__ import annotations

import os
from pathlib import Path

from google.protobuf.message import DecodeError
from tensorflow.core.framework.function_pb2 import FunctionDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from kgan import memory
from kgan.errors import InputError
from kgan.files import printable
from kgan.reading import read_bytes

FILE = "saved_model.pb"
LARGEST_FILE = 2**31  # bytes, protobuf's own limit
# What Keras layers and keras.ops are made of in TensorFlow, in inference and in training. Left out
# on purpose: files, text, Python functions, tables, queues, data sets, images' codecs, devices.
OPERATIONS = frozenset(
    """
    Abs Acos Acosh Add AddN AddV2 All Any ArgMax ArgMin Asin Asinh Assert AssignAddVariableOp
    AssignSubVariableOp AssignVariableOp Atan Atan2 Atanh AvgPool AvgPool3D BatchMatMul
    BatchMatMulV2 BatchMatMulV3 BatchToSpaceND BiasAdd Bincount Bitcast BitwiseAnd BitwiseOr
    BitwiseXor BroadcastArgs BroadcastGradientArgs BroadcastTo Bucketize Cast Ceil CheckNumerics
    ClipByValue Concat ConcatOffset ConcatV2 Conj Const Conv2D Conv2DBackpropFilter
    Conv2DBackpropInput Conv3D Conv3DBackpropInputV2 Cos Cosh Cross Cumprod Cumsum DepthToSpace
    DepthwiseConv2dNative DepthwiseConv2dNativeBackpropInput Diag DiagPart Div DivNoNan
    DynamicStitch Einsum Elu Empty EmptyTensorList EnsureShape Equal Erf Erfc Erfinv Exp
    ExpandDims Expm1 FakeQuantWithMinMaxVars Fill Floor FloorDiv FloorMod FusedBatchNorm
    FusedBatchNormV2 FusedBatchNormV3 Gather GatherNd GatherV2 Greater GreaterEqual Identity
    IdentityN If Igamma Igammac InTopKV2 Inv InvertPermutation IsFinite IsInf IsNan L2Loss
    LeakyRelu LeftShift Less LessEqual Lgamma LinSpace Log Log1p LogSoftmax LogicalAnd
    LogicalNot LogicalOr MatMul MatrixBandPart MatrixDiag MatrixDiagPart MatrixDiagPartV3
    MatrixDiagV3 MatrixInverse MatrixSetDiagV3 Max MaxPool MaxPool3D Maximum Mean Min Minimum
    MirrorPad Mod Mul MulNoNan Multinomial Neg NoOp NotEqual OneHot OnesLike Pack Pad PadV2
    PartitionedCall Placeholder PlaceholderWithDefault Pow PreventGradient Prod Qr RFFT
    RandomGamma RandomShuffle RandomStandardNormal RandomUniform RandomUniformInt Range Rank
    ReadVariableOp RealDiv Reciprocal Relu Relu6 Reshape ResizeArea ResizeBicubic ResizeBilinear
    ResizeNearestNeighbor ReverseSequence ReverseV2 RightShift Rint Roll Round Rsqrt ScatterNd
    SegmentSum Select SelectV2 Selu Shape ShapeN Sigmoid Sign Sin Sinh Size Slice Snapshot
    Softmax Softplus Softsign SpaceToBatchND SpaceToDepth Split SplitV Sqrt Square
    SquaredDifference Squeeze StatefulPartitionedCall StatelessIf StatelessRandomGetAlg
    StatelessRandomGetKeyCounter StatelessRandomGetKeyCounterAlg StatelessRandomNormal
    StatelessRandomNormalV2 StatelessRandomUniform StatelessRandomUniformInt
    StatelessRandomUniformIntV2 StatelessRandomUniformV2 StatelessTruncatedNormal
    StatelessTruncatedNormalV2 StatelessWhile StopGradient StridedSlice Sub Sum Svd Tan Tanh
    TensorListFromTensor TensorListGetItem TensorListLength TensorListPushBack TensorListReserve
    TensorListSetItem TensorListStack TensorScatterAdd TensorScatterUpdate Tile TopKV2 Transpose
    TruncateDiv TruncateMod TruncatedNormal Unique Unpack UnsortedSegmentMax UnsortedSegmentSum
    VarHandleOp VarIsInitializedOp Where While Xdivy Xlog1py Xlogy ZerosLike
    """.split()
)


def check_saved_model(directory: str | os.PathLike[str]) -> None:
    """Refuses a SavedModel whose functions do anything but compute.

    All functions are looked at that loading it or calling it can reach; what it saves itself with
    is reached by neither.

    Args:
        directory: the folder with saved_model.pb.

    Raises:
        InputError: it cannot be read, is of TensorFlow 1, or has another operation.
    """
    try:
        data = read_bytes(Path(directory, FILE), LARGEST_FILE)
        memory.check("This SavedModel", 2 * len(data), "a smaller one", directory)
        saved = SavedModel.FromString(data)
    except (DecodeError, OSError):
        raise InputError(f"Not a readable SavedModel. Received: {directory}") from None
    if len(saved.meta_graphs) != 1 or not saved.meta_graphs[0].object_graph_def.nodes:
        raise InputError(
            "A SavedModel of TensorFlow 1 is not loaded: save the network with Keras or "
            f"TensorFlow 2. Received: {directory}"
        )
    (graph,) = saved.meta_graphs
    library = {function.signature.name: function for function in graph.graph_def.library.function}
    operations = _reached(library, list(graph.object_graph_def.concrete_functions))
    strange = sorted(operations - OPERATIONS)
    if strange:
        raise InputError(
            "A SavedModel is a program, and is loaded where it only computes. Received operations "
            f"that may do more: {printable(', '.join(strange[:5]))} in {directory}"
        )


def _reached(library: dict[str, FunctionDef], names: list[str]) -> set[str]:
    """The operations in functions of these names and in all that they call."""
    operations, seen = set(), set()
    while names:
        name = names.pop()
        if name in seen:
            continue
        seen.add(name)
        if name not in library:
            operations.add(name)  # an operation called as a function
            continue
        for node in library[name].node_def:
            if node.op in library:
                names.append(node.op)
            else:
                operations.add(node.op)
            for value in node.attr.values():
                names += [f.name for f in (value.func, *value.list.func) if f.name]
    return operations
