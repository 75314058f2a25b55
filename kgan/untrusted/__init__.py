"""Exported files from any source, checked completely before onnxruntime reads a byte of them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kgan.untrusted.feature_network import FeatureNetwork, Layout, read_feature_network
    from kgan.untrusted.model import Model, described, read_model
    from kgan.untrusted.onnx_files import read_file
    from kgan.untrusted.promise import check_promise
    from kgan.untrusted.session import Session, checked_session

# Name -> the module that has it; imported on first use: a training reads Keras's files, for which
# it needs neither onnx nor onnxruntime.
_LAZY = {
    "FeatureNetwork": "feature_network",
    "Layout": "feature_network",
    "Model": "model",
    "Session": "session",
    "check_promise": "promise",
    "checked_session": "session",
    "described": "model",
    "read_feature_network": "feature_network",
    "read_file": "onnx_files",
    "read_model": "model",
}
__all__ = [
    "FeatureNetwork",
    "Layout",
    "Model",
    "Session",
    "check_promise",
    "checked_session",
    "described",
    "read_feature_network",
    "read_file",
    "read_model",
]


if not TYPE_CHECKING:  # a type checker knows the names above, and no others

    def __getattr__(name: str) -> Any:
        if name not in _LAZY:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
        globals()[name] = value
        return value
