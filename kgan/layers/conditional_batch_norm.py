"""Batch normalisation with a scale and a shift per class."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from kgan.tensors import SYNCHRONIZED, Tensor, rows_at


def unscaled(
    momentum: float, epsilon: float, policy: keras.DTypePolicy
) -> layers.BatchNormalization:
    """Normalises a batch, of all replicas under a tf.distribute strategy, and leaves it so."""
    return layers.BatchNormalization(
        momentum=momentum,
        epsilon=epsilon,
        center=False,
        scale=False,
        synchronized=SYNCHRONIZED,
        dtype=policy,
        name="norm",
    )


@keras.saving.register_keras_serializable(package="kgan")
class ConditionalBatchNormalization(keras.layers.Layer):
    """Normalises a batch as a whole, then scales and shifts each image by its class.

    Under a tf.distribute strategy the batch is that of all replicas.

    Called as `layer(features, labels)`.

    Args:
        num_classes: number of classes.
        momentum, epsilon: as in keras.layers.BatchNormalization.

    Input: features (B, H, W, C), and int labels (B,) from 0 to num_classes - 1.
    Output: like the features.

    Reference:
        Dumoulin et al. 2017, equation 4, https://arxiv.org/abs/1610.07629; the
        generator of Miyato and Koyama 2018, https://arxiv.org/abs/1802.05637
    """

    def __init__(
        self, num_classes: int, momentum: float = 0.9, epsilon: float = 1e-5, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.num_classes = num_classes
        self.momentum = momentum
        self.epsilon = epsilon
        self.norm = unscaled(momentum, epsilon, self.dtype_policy)

    def build(
        self, inputs_shape: tuple[int | None, ...], labels_shape: tuple[int | None, ...]
    ) -> None:
        shape = (self.num_classes, inputs_shape[-1])
        self.norm.build(inputs_shape)
        self.gamma = self.add_weight(name="gamma", shape=shape, initializer="ones")
        self.beta = self.add_weight(name="beta", shape=shape, initializer="zeros")

    def call(self, inputs: Tensor, labels: Tensor, training: bool = False) -> Tensor:
        def per_image(table: keras.Variable) -> Tensor:
            rows = rows_at(ops.convert_to_tensor(table), labels)
            return ops.reshape(rows, (-1, 1, 1, table.shape[-1]))

        normalized = self.norm(inputs, training=training)
        return normalized * per_image(self.gamma) + per_image(self.beta)

    def compute_output_shape(
        self, inputs_shape: tuple[int | None, ...], labels_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        return inputs_shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "num_classes": self.num_classes,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
        }
