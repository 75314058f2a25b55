"""EfficientNet-lite0's convolutions in Keras, as frozen features of a discriminator."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from kgan.pretrained.lite0_weights import MEAN, STAGES, STD, STEM, folded

# The stages after which the maps are a quarter, an eighth, ... of the image's side.
TAPPED = (1, 2, 4, 6)
LEVELS = 127.5  # half of 0..255


def lite0_maps(
    images: keras.KerasTensor,
    value_range: Sequence[float],
    weights: Mapping[str, np.ndarray] | None,
    policy: keras.DTypePolicy,
) -> list[keras.KerasTensor]:
    """What a frozen EfficientNet-lite0 sees: maps of a quarter to a 32nd of the side.

    Batch normalisation is folded into the convolutions, padding is TensorFlow's SAME.

    Args:
        images: (B, H, W, 3), in `value_range`; H and W at least 32.
        value_range: (low, high) of the images.
        weights: as `kgan.pretrained.lite0_weights.load_weights` gives them; None for zeros, where
            weights of a file come after.
        policy: dtype policy of the layers.

    Returns:
        Maps (B, h, w, c) with c 24, 40, 112 and 320.
    """
    low, high = value_range
    # To levels 0..255 and on to what the network takes.
    scale = 2.0 * LEVELS / (high - low)
    x = layers.Rescaling(
        scale / STD, (-low * scale - MEAN) / STD, dtype=policy, name="features_scale"
    )(images)
    stack = _Stack(weights, policy)
    x = stack.convolution(x, STEM, 3, "_conv_stem", "_bn0", strides=2)
    maps, block = [], 0
    for stage, blocks in enumerate(STAGES):
        for index in range(blocks.repeats):
            start, place = x, f"_blocks.{block}"
            channels = start.shape[-1]
            if block:  # the first block alone does not widen
                x = stack.convolution(x, 6 * channels, 1, f"{place}._expand_conv", f"{place}._bn0")
            x = stack.depthwise(
                x,
                blocks.kernel,
                f"{place}._depthwise_conv",
                f"{place}._bn1",
                1 if index else blocks.stride,
            )
            x = stack.convolution(
                x, blocks.filters, 1, f"{place}._project_conv", f"{place}._bn2", active=False
            )
            if index:
                x = layers.Add(dtype=policy, name=f"features_{block}_add")([x, start])
            block += 1
        if stage in TAPPED:
            maps.append(x)
    return maps


class _Stack:
    """Adds frozen convolutions, each with the values of the package or zeros."""

    def __init__(self, weights: Mapping[str, np.ndarray] | None, policy: keras.DTypePolicy) -> None:
        self.weights, self.policy = weights, policy

    def convolution(
        self,
        x: keras.KerasTensor,
        channels: int,
        side: int,
        kernel: str,
        norm: str,
        *,
        strides: int = 1,
        active: bool = True,
    ) -> keras.KerasTensor:
        values = self._values(kernel, norm, (2, 3, 1, 0))
        layer = layers.Conv2D(
            channels,
            side,
            strides=strides,
            kernel_initializer=values[0],
            **self._settings(kernel, values[1]),
        )
        return self._activated(layer(x), kernel) if active else layer(x)

    def depthwise(
        self, x: keras.KerasTensor, side: int, kernel: str, norm: str, strides: int
    ) -> keras.KerasTensor:
        values = self._values(kernel, norm, (2, 3, 0, 1))
        layer = layers.DepthwiseConv2D(
            side,
            strides=strides,
            depthwise_initializer=values[0],
            **self._settings(kernel, values[1]),
        )
        return self._activated(layer(x), kernel)

    def _settings(self, kernel: str, bias: Any) -> dict[str, Any]:
        return {
            "padding": "same",
            "bias_initializer": bias,
            "data_format": "channels_last",
            "dtype": self.policy,
            "trainable": False,
            "name": f"features{kernel}".replace("_blocks.", "_").replace("._", "_"),
        }

    def _activated(self, x: keras.KerasTensor, kernel: str) -> keras.KerasTensor:
        name = f"features{kernel}_relu6".replace("_blocks.", "_").replace("._", "_")
        return layers.ReLU(max_value=6.0, dtype=self.policy, name=name)(x)

    def _values(self, kernel: str, norm: str, axes: Sequence[int]) -> tuple[Any, Any]:
        """Initializers of a kernel and a bias."""
        if self.weights is None:
            return "zeros", "zeros"
        values, bias = folded(self.weights, kernel, norm)
        return _Values(values.transpose(axes)), _Values(bias)


class _Values(keras.initializers.Initializer):
    """Known values; a network is rebuilt from its arguments, so that no config needs them."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        assert tuple(shape) == self.values.shape, (shape, self.values.shape)
        return ops.convert_to_tensor(self.values, dtype=dtype)
