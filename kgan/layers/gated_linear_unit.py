"""The gated linear unit over channels."""

from __future__ import annotations

import keras
from keras import ops

from kgan.errors import InputError
from kgan.tensors import Tensor


@keras.saving.register_keras_serializable(package="kgan")
class GatedLinearUnit(keras.layers.Layer):
    """The first half of the channels times the sigmoid of the second.

    It is `keras.activations.glu` as a layer that knows its output's shape, which a
    `keras.layers.Activation` takes for its input's.

    Input: (..., 2 C). Output: (..., C).

    Raises:
        InputError: an odd number of channels.

    Reference:
        Dauphin et al. 2017, section 2, https://arxiv.org/abs/1612.08083
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        channels = input_shape[-1]
        if channels is None or channels % 2:
            raise InputError(
                f"A gated linear unit takes an even number of channels. Received: {channels}"
            )

    def call(self, inputs: Tensor) -> Tensor:
        values, gates = ops.split(inputs, 2, axis=-1)
        return values * ops.sigmoid(gates)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        channels = input_shape[-1]
        return (*input_shape[:-1], None if channels is None else channels // 2)
