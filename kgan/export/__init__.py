"""Trained generators as files that any application runs: ONNX and TensorFlow SavedModel."""

from kgan.export.bundle import Export, export
from kgan.export.onnx import DEFAULT_OPSET
from kgan.export.verify import ParityError
from kgan.export.web_page import WebPage, to_web


def to_onnx(model, directory, *, opset=DEFAULT_OPSET, float_output=False):
    """Exports to ONNX alone; see `export`."""
    return export(model, directory, saved_model=False, opset=opset, float_output=float_output)


def to_saved_model(model, directory, *, float_output=False):
    """Exports to a SavedModel alone; see `export`."""
    return export(model, directory, onnx=False, float_output=float_output)


__all__ = ["Export", "ParityError", "WebPage", "export", "to_onnx", "to_saved_model", "to_web"]
