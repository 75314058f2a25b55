"""Batch normalisation whose scale and shift follow attributes."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from kgan.layers.conditional_batch_norm import unscaled
from kgan.tensors import Tensor


@keras.saving.register_keras_serializable(package="kgan")
class AttributeBatchNormalization(keras.layers.Layer):
    """Normalises a batch as a whole, then scales and shifts each image by its attributes.

    Scale and shift of each channel are linear in the attributes. At first they are 1 and 0
    whatever the attributes are. Under a tf.distribute strategy the batch is that of all replicas.

    Called as `layer(features, attributes)`.

    Args:
        momentum, epsilon: as in keras.layers.BatchNormalization.

    Input: features (B, H, W, C), and float attributes (B, k), each best from -1 to 1.
    Output: like the features.

    Reference:
        Dumoulin et al. 2017, equation 4, https://arxiv.org/abs/1610.07629, with a linear map of
        attributes for a table of classes, as in de Vries et al. 2017, section 4.1,
        https://arxiv.org/abs/1707.00683
    """

    def __init__(self, momentum: float = 0.9, epsilon: float = 1e-5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.momentum = momentum
        self.epsilon = epsilon
        self.norm = unscaled(momentum, epsilon, self.dtype_policy)

    def build(
        self, inputs_shape: tuple[int | None, ...], attributes_shape: tuple[int | None, ...]
    ) -> None:
        channels = inputs_shape[-1]
        shape = (attributes_shape[-1], channels)
        self.norm.build(inputs_shape)
        self.gamma = self.add_weight(name="gamma", shape=(channels,), initializer="ones")
        self.beta = self.add_weight(name="beta", shape=(channels,), initializer="zeros")
        self.gamma_kernel = self.add_weight(name="gamma_kernel", shape=shape, initializer="zeros")
        self.beta_kernel = self.add_weight(name="beta_kernel", shape=shape, initializer="zeros")

    def call(self, inputs: Tensor, attributes: Tensor, training: bool = False) -> Tensor:
        def per_image(kernel: keras.Variable, bias: keras.Variable) -> Tensor:
            return ops.reshape(ops.matmul(attributes, kernel) + bias, (-1, 1, 1, bias.shape[0]))

        normalized = self.norm(inputs, training=training)
        scale = per_image(self.gamma_kernel, self.gamma)
        return normalized * scale + per_image(self.beta_kernel, self.beta)

    def compute_output_shape(
        self, inputs_shape: tuple[int | None, ...], attributes_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        return inputs_shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"momentum": self.momentum, "epsilon": self.epsilon}
