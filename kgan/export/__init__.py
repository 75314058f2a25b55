"""Trained generators as files that any application runs: ONNX, TensorFlow SavedModel, TFLite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kgan.installed import import_part

if TYPE_CHECKING:
    from kgan.errors import ParityError
    from kgan.export.export_options import ExportOptions
    from kgan.export.publish import Export, export, to_onnx, to_saved_model
    from kgan.export.web_page import WebPage, to_web

# A web page is made from an export without tensorflow; heavy imports wait until first use.
_LAZY = {
    "Export": "kgan.export.publish",
    "ExportOptions": "kgan.export.export_options",
    "ParityError": "kgan.errors",
    "WebPage": "kgan.export.web_page",
    "export": "kgan.export.publish",
    "to_onnx": "kgan.export.publish",
    "to_saved_model": "kgan.export.publish",
    "to_web": "kgan.export.web_page",
}
__all__ = [
    "Export",
    "ExportOptions",
    "ParityError",
    "WebPage",
    "export",
    "to_onnx",
    "to_saved_model",
    "to_web",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'kgan.export' has no attribute {name!r}")
    value = getattr(import_part(_LAZY[name], f"kgan.export.{name}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
