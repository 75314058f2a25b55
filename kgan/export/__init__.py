"""Trained generators as files that any application runs: ONNX, TensorFlow SavedModel, TFLite."""

import importlib

# A page for the browser is made of an export without tensorflow; what is heavy comes on first use.
_LAZY = {
    "Export": "kgan.export.publish",
    "ParityError": "kgan.errors",
    "WebPage": "kgan.export.web_page",
    "export": "kgan.export.publish",
    "to_onnx": "kgan.export.publish",
    "to_saved_model": "kgan.export.publish",
    "to_web": "kgan.export.web_page",
}
__all__ = list(_LAZY)


def __getattr__(name):
    if name not in _LAZY:
        raise AttributeError(f"module 'kgan.export' has no attribute {name!r}")
    value = getattr(importlib.import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted(__all__)
