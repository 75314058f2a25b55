"""Spectral normalisation: a layer runs with its kernel divided by its largest singular value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from kgan.errors import InputError
from kgan.tensors import Tensor, times_transposed

# Layer class -> (attribute of its kernel, axis of the kernel that becomes the matrix's rows).
# Rows are the layer's outputs; for an embedding they are its entries, as in PyTorch.
KERNELS = {
    keras.layers.Dense: ("kernel", -1),
    keras.layers.Conv2D: ("kernel", -1),
    keras.layers.Conv2DTranspose: ("kernel", -2),
    keras.layers.Embedding: ("embeddings", 0),
}
START_ITERATIONS = 15
EPSILON = 1e-12


@keras.saving.register_keras_serializable(package="kgan")
class SpectralNormalization(keras.layers.Wrapper):
    """Runs a layer with the kernel w / sigma(w), sigma the largest singular value of w.

    The stored kernel stays as the optimizer leaves it: each call divides it again, and
    the gradient flows through sigma. Power iteration in training-mode calls updates the
    singular vectors `u` and `v`, which are saved and are constants to the gradient. They
    belong to the kernel: if you set it by hand, set them too, as `set_weights` does. In
    inference mode they do not change, so that an exported layer is a plain one with a
    constant kernel. Sigma is computed in float32 under any dtype policy.

    Args:
        layer: a Dense, Conv2D, Conv2DTranspose or Embedding layer; its dtype
            policy applies.
        power_iterations: iterations per training-mode call, at least 1.
        seed: int for reproducible initial vectors; None for random ones.

    Input, output: those of the wrapped layer.

    Raises:
        InputError: the layer is of another kind, or `power_iterations` is below 1.

    Reference:
        Miyato et al. 2018, algorithm 1, https://arxiv.org/abs/1802.05957
    """

    def __init__(
        self,
        layer: keras.layers.Layer,
        power_iterations: int = 1,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        kernels = [kernel for kind, kernel in KERNELS.items() if isinstance(layer, kind)]
        if not kernels:
            raise InputError(
                f"SpectralNormalization takes {', '.join(kind.__name__ for kind in KERNELS)}. "
                f"Received: {layer!r}"
            )
        if power_iterations < 1:
            raise InputError(f"power_iterations must be at least 1. Received: {power_iterations}")
        kwargs.pop("dtype", None)  # that of the wrapped layer applies
        # autocast would round the kernel to half precision before sigma is computed.
        super().__init__(layer, autocast=False, dtype="float32", **kwargs)
        self.power_iterations = power_iterations
        self.seed = seed
        self.kernel_name, self.rows_axis = kernels[-1]  # the most specific
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...] | None = None) -> None:
        super().build(input_shape)
        rows = self.kernel.shape[self.rows_axis]
        columns = math.prod(self.kernel.shape) // rows
        normal = keras.initializers.RandomNormal(stddev=1.0, seed=self.seed)

        # As PyTorch does, start from the kernel: else the first steps divide by far too little.
        def first_u(shape: Sequence[int], dtype: str) -> Tensor:
            u, v = (_unit(normal((1, length), dtype)) for length in (rows, columns))
            return ops.reshape(_follow(self._matrix(), u, v, START_ITERATIONS)[0], shape)

        def first_v(shape: Sequence[int], dtype: str) -> Tensor:
            start = _unit(normal((1, columns), dtype))
            u = ops.expand_dims(self.u.value, 0)
            return ops.reshape(_unit(times_transposed(u, self._matrix()), start), shape)

        self.u = self.add_weight(
            name="u", shape=(rows,), initializer=first_u, trainable=False, dtype="float32"
        )
        self.v = self.add_weight(
            name="v", shape=(columns,), initializer=first_v, trainable=False, dtype="float32"
        )

    @property
    def kernel(self) -> keras.Variable:
        """The wrapped layer's own kernel, a variable."""
        return getattr(self.layer, self.kernel_name)

    def _float32_kernel(self) -> Tensor:
        return ops.cast(self.kernel, "float32")

    def _matrix(self) -> Tensor:
        """The kernel as (columns, rows): transposed, as most kernels have their outputs last."""
        kernel = self._float32_kernel()
        rank = len(kernel.shape)
        axis = self.rows_axis % rank
        if axis != rank - 1:
            kernel = ops.transpose(kernel, [*(i for i in range(rank) if i != axis), axis])
        return ops.reshape(kernel, (-1, kernel.shape[-1]))

    def _vectors(self) -> tuple[Tensor, Tensor]:
        return ops.expand_dims(self.u.value, 0), ops.expand_dims(self.v.value, 0)

    def follow(self) -> tuple[Tensor, Tensor]:
        """Moves u and v by `power_iterations` towards the singular vectors of the kernel.

        Returns:
            (u, v), float32 tensors (1, rows) and (1, columns).
        """
        matrix = ops.stop_gradient(self._matrix())
        u, v = _follow(matrix, *self._vectors(), self.power_iterations)
        self.u.assign(ops.squeeze(u, 0))
        self.v.assign(ops.squeeze(v, 0))
        return u, v

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        u, v = self.follow() if training else self._vectors()
        sigma = ops.sum(ops.matmul(v, self._matrix()) * u)
        # Only a kernel of zeros comes near 0; after one was set by hand, sigma may be negative.
        sigma = ops.where(ops.abs(sigma) < EPSILON, EPSILON, sigma)
        normalized = self._float32_kernel() / sigma
        # The scope gives the layer another kernel for this one call. It hides any outer scope,
        # so the layer's other variables are passed on.
        values = [
            (variable, normalized if variable is self.kernel else variable.value)
            for variable in self.layer.variables
        ]
        with keras.StatelessScope(values, collect_losses=True) as scope:
            outputs = self.layer(inputs)
        for loss in scope.losses:  # an activity regularizer's
            self.add_loss(loss)
        return outputs

    def compute_output_spec(
        self, inputs: keras.KerasTensor, training: bool = False
    ) -> keras.KerasTensor:
        # Keras would take this layer's float32 for the dtype of the outputs.
        return self.layer.compute_output_spec(inputs)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return self.layer.compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return config | {"power_iterations": self.power_iterations, "seed": self.seed}


def _unit(vector: Tensor, otherwise: Tensor | None = None) -> Tensor:
    """The vector scaled to length 1; `otherwise` if its length is 0."""
    length = ops.sqrt(ops.sum(ops.square(vector)))
    unit = vector / ops.maximum(length, EPSILON)
    return unit if otherwise is None else ops.where(length > EPSILON, unit, otherwise)


def _follow(matrix: Tensor, u: Tensor, v: Tensor, iterations: int) -> tuple[Tensor, Tensor]:
    """Power iteration from `v`: the two singular vectors, constants to the gradient."""
    for _ in range(iterations):
        u = _unit(ops.matmul(v, matrix), u)
        v = _unit(times_transposed(u, matrix), v)
    return ops.stop_gradient(u), ops.stop_gradient(v)
