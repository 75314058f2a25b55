"""Constants: each held once, and no unused ones."""

from __future__ import annotations

import onnx_ir as ir
from onnx_ir.passes import common


def share_constants(model: ir.Model) -> None:
    """Merges equal constants into one, and removes unused ones.

    Args:
        model: `onnx_ir.Model`, changed in place.
    """
    # onnx-ir skips large ones unless it is told how large they may be.
    common.DeduplicateInitializersPass(size_limit=1 << 40)(model)
    common.RemoveUnusedNodesPass()(model)
