"""Constants: each held once, and none that nothing reads."""

from onnx_ir.passes import common


def share_constants(model):
    """Lets all that read equal constants read the same one; takes out those that nobody reads.

    Args:
        model: `onnx_ir.Model`, changed in place.
    """
    # onnx-ir passes over large ones unless it is told how large they may be.
    common.DeduplicateInitializersPass(size_limit=1 << 40)(model)
    common.RemoveUnusedNodesPass()(model)
