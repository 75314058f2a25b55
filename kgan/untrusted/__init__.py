"""Exported files from anywhere: everything is checked before onnxruntime acts on a byte of it."""

from kgan.untrusted.model import Model, read_model
from kgan.untrusted.session import Session, checked_session

__all__ = ["Model", "Session", "checked_session", "read_model"]
