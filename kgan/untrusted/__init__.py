"""Exported files from any source, checked completely before onnxruntime reads a byte of them."""

from kgan.untrusted.feature_network import FeatureNetwork, Layout, read_feature_network
from kgan.untrusted.model import Model, described, read_model
from kgan.untrusted.onnx_files import read_file
from kgan.untrusted.promise import check_promise
from kgan.untrusted.session import Session, checked_session

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
