"""What batch normalisations share whose scale and shift are an image's own."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers


class OwnScaleBatchNormalization(keras.layers.Layer):
    """Normalises a batch as a whole; what a subclass makes of an image's condition scales it.

    Under a tf.distribute strategy the batch is that of all replicas.

    Args:
        momentum, epsilon: as in keras.layers.BatchNormalization.
    """

    def __init__(self, momentum: float = 0.9, epsilon: float = 1e-5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.momentum = momentum
        self.epsilon = epsilon
        self.norm = layers.BatchNormalization(
            momentum=momentum,
            epsilon=epsilon,
            center=False,
            scale=False,
            synchronized=True,
            dtype=self.dtype_policy,
            name="norm",
        )

    def compute_output_shape(
        self, inputs_shape: tuple[int | None, ...], condition_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        return inputs_shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"momentum": self.momentum, "epsilon": self.epsilon}
