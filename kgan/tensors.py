"""Tensors of Keras's backend, and what of them TensorFlow has a better form for than keras.ops.

Layers, losses and networks are written in `keras.ops`, for any backend. What stands here is
chosen once, for the backend that Keras runs on: under TensorFlow keras.ops would add operations to
a step and to an export, or has none that does the same.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import keras
from keras import ops

from kgan.errors import InputError

Tensor: TypeAlias = Any  # of the backend, or one of Keras's that stands for it
Function = TypeVar("Function", bound=Callable[..., Any])

IN_TENSORFLOW = keras.backend.backend() == "tensorflow"
# Of batch normalisation: whether the replicas of a strategy normalise by the whole batch. Keras
# takes it of TensorFlow alone; elsewhere a batch is one array, however it is divided.
SYNCHRONIZED = IN_TENSORFLOW

if IN_TENSORFLOW:
    import tensorflow as tf

    def rows_at(table: Tensor, places: Tensor) -> Tensor:
        """Rows (*P, C) of a table (N, C) at int places (*P,), from 0 to N - 1."""
        # keras.ops.take also handles negative places, which would add operators to exports.
        return tf.gather(table, places)

    def own_rows_at(tables: Tensor, places: Tensor) -> Tensor:
        """Rows (B, *P, C) of tables (B, N, C), each at places (B, *P) of its own."""
        # The gradient is a sum by segments, dense, and has a gradient itself.
        return tf.gather(tables, places, batch_dims=1)

    def times_transposed(left: Tensor, right: Tensor) -> Tensor:
        """The product (N, M) of matrices (N, K) and (M, K), the second one transposed."""
        # keras.ops would write the transposed matrix out first.
        return tf.matmul(left, right, transpose_b=True)

    def means(values: Tensor, axes: tuple[int, ...]) -> Tensor:
        """Means over axes, each of which stays as one of size 1."""
        # keras.ops would compute those of 16 bits in float32: other numbers, and casts.
        return tf.reduce_mean(values, axes, keepdims=True)

    def weights_in_memory() -> bool:
        """Whether weights go into this machine's own memory: it has no accelerator."""
        # Keras asks for logical devices, after which TensorFlow's can no longer be configured.
        return all(device.device_type == "CPU" for device in tf.config.list_physical_devices())

else:

    def rows_at(table: Tensor, places: Tensor) -> Tensor:
        return ops.take(table, places, axis=0)

    def own_rows_at(tables: Tensor, places: Tensor) -> Tensor:
        flat = ops.reshape(places, (places.shape[0], -1, 1))
        rows = ops.take_along_axis(tables, flat, axis=1)
        return ops.reshape(rows, (*places.shape, tables.shape[-1]))

    def times_transposed(left: Tensor, right: Tensor) -> Tensor:
        return ops.matmul(left, ops.transpose(right))

    def means(values: Tensor, axes: tuple[int, ...]) -> Tensor:
        return ops.mean(values, axes, keepdims=True)

    def weights_in_memory() -> bool:
        return all(name.startswith("cpu:") for name in keras.distribution.list_devices())


def other_backend(module: str) -> str:
    """Says that a module is of TensorFlow alone, where Keras runs on another backend."""
    return (
        f"{module} needs Keras's TensorFlow backend; unset KERAS_BACKEND or set it to tensorflow. "
        f"Received: {keras.backend.backend()}"
    )


def of_tensorflow(function: Function) -> Function:
    """Decorator: a function of TensorFlow's own tensors, which refuses to run for another backend.

    Raises:
        InputError: when the function is called while Keras runs on another backend.
    """
    if IN_TENSORFLOW:
        return function

    @functools.wraps(function)
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise InputError(other_backend(function.__module__))

    return refuse  # type: ignore[return-value]
