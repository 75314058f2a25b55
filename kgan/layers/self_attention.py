"""Self-attention over the positions of a feature map."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from kgan.layers.spectral_norm import SpectralNormalization
from kgan.tensors import Tensor


@keras.saving.register_keras_serializable(package="kgan")
class SelfAttention2D(keras.layers.Layer):
    """Adds to each position what it attends to: y = x + gamma * o.

    1x1 convolutions compute the query and the key with C / 8 channels (at least 1) and
    the value with C. At each position, o is the mean of the values at all N = H * W
    positions, weighted by the softmax of the query's dot products with the keys.
    The scalar gamma starts at 0, so that the layer starts as the identity.

    Args:
        spectral_norm: divide each convolution's kernel by its largest
            singular value.

    Input: (B, H, W, C). Output: the same shape; when called with
    `return_attention=True`, also the weights, float32 (B, N, N): row j holds the weights
    of position j (counted row by row from the top left) and sums to 1.

    Reference:
        Zhang et al. 2018, equations 1 to 3, https://arxiv.org/abs/1805.08318
    """

    def __init__(self, spectral_norm: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.spectral_norm = spectral_norm

    def build(self, input_shape: tuple[Any, ...]) -> None:
        channels = input_shape[-1]
        self.query = self._conv(max(1, channels // 8), "query", input_shape)
        self.key = self._conv(max(1, channels // 8), "key", input_shape)
        self.value = self._conv(channels, "value", input_shape)
        self.gamma = self.add_weight(name="gamma", shape=(), initializer="zeros")

    def _conv(
        self, filters: int, name: str, input_shape: tuple[int | None, ...]
    ) -> keras.layers.Layer:
        conv = layers.Conv2D(
            filters, 1, data_format="channels_last", dtype=self.dtype_policy, name=name
        )
        if self.spectral_norm:
            conv = SpectralNormalization(conv, name=f"{name}_norm")
        conv.build(input_shape)
        return conv

    def call(
        self, inputs: Tensor, training: bool = False, return_attention: bool = False
    ) -> Tensor | tuple[Tensor, Tensor]:
        height, width = ops.shape(inputs)[1:3]

        def by_position(conv: keras.layers.Layer) -> Tensor:
            features = conv(inputs, training=training) if self.spectral_norm else conv(inputs)
            return ops.reshape(features, (-1, height * width, features.shape[-1]))

        # In float32: products of many channels overflow float16.
        query, key = (ops.cast(by_position(c), "float32") for c in (self.query, self.key))
        attention = ops.softmax(ops.matmul(query, ops.swapaxes(key, 1, 2)), axis=-1)
        attended = ops.matmul(ops.cast(attention, inputs.dtype), by_position(self.value))
        attended = ops.reshape(attended, (-1, height, width, inputs.shape[-1]))
        outputs = inputs + self.gamma * attended
        return (outputs, attention) if return_attention else outputs

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"spectral_norm": self.spectral_norm}
