"""Exported files from any source, checked completely before onnxruntime reads a byte of them."""

from kgan.untrusted.model import Model, described, read_model
from kgan.untrusted.promise import check_promise
from kgan.untrusted.session import Session, checked_session

__all__ = [
    "Model",
    "Session",
    "check_promise",
    "checked_session",
    "described",
    "read_model",
]
