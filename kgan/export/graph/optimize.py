"""The passes, in order."""

from __future__ import annotations

import onnx
import onnx_ir as ir
from onnx_ir.passes import common

from kgan.export.graph.batch_norm import fold_affine, split_batch_norm
from kgan.export.graph.constants import share_constants
from kgan.export.graph.grouped import group_convolutions
from kgan.export.graph.phases import (
    Choice,
    first_maps_as_dense,
    transposed_convolutions_as_phases,
)
from kgan.export.graph.static_shapes import find_shapes, fix_reshapes
from kgan.export.graph.transposes import cancel_transposes
from kgan.export.graph.upsampling import (
    enlarged_convolutions_as_transposed,
    merge_resizes,
    recognise_repeats,
)
from kgan.export.graph.when_phases_pay import pays


def optimize(proto: onnx.ModelProto, choose: Choice = pays) -> onnx.ModelProto:
    """A model from tf2onnx, as a graph that gives the same numbers faster.

    Args:
        proto: ModelProto, float32, with only its batch dynamic.
        choose: whether a transposed convolution is written as phases; see `when_phases_pay.pays`.

    Returns:
        A ModelProto with the same inputs and outputs.
    """
    model = ir.from_proto(proto)
    find_shapes(model)
    fix_reshapes(model)
    recognise_repeats(model)
    group_convolutions(model)
    split_batch_norm(model)
    fold_affine(model)
    cancel_transposes(model)
    merge_resizes(model)
    enlarged_convolutions_as_transposed(model)
    first_maps_as_dense(model)
    transposed_convolutions_as_phases(model, choose)
    share_constants(model)
    common.TopologicalSortPass()(model)
    return ir.to_proto(model)
