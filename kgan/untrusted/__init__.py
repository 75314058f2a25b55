"""Exported files from anywhere: everything is checked before onnxruntime acts on a byte of it."""

from kgan.untrusted.model import Model, described, read_model
from kgan.untrusted.promise import check_promise
from kgan.untrusted.session import Session, checked_session
from kgan.untrusted.text import printable

__all__ = [
    "Model",
    "Session",
    "check_promise",
    "checked_session",
    "described",
    "printable",
    "read_model",
]
