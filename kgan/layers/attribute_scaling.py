"""Attributes brought from their ranges to [-1, 1]."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from kgan.tensors import Tensor


@keras.saving.register_keras_serializable(package="kgan")
class AttributeScaling(keras.layers.Layer):
    """Maps each attribute linearly, the lowest value of its range to -1 and the highest to 1.

    A switch, 0 or 1, becomes -1 or 1. Values outside of the range go on along the line.

    Args:
        ranges: (lowest, highest) value of each of k attributes.

    Input: float (B, k).
    Output: the same shape.
    """

    def __init__(self, ranges: Sequence[Sequence[float]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ranges = [(float(low), float(high)) for low, high in ranges]

    def call(self, inputs: Tensor) -> Tensor:
        lows, highs = (np.array(ends, np.float32) for ends in zip(*self.ranges, strict=True))
        dtype = self.compute_dtype
        # The difference first: far from 0 it is exact, and an offset would cancel.
        above = inputs - ops.convert_to_tensor(lows, dtype)
        return above * ops.convert_to_tensor(np.float32(2.0) / (highs - lows), dtype) - 1.0

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"ranges": self.ranges}
