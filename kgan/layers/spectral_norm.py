"""Spectral normalisation: a layer whose kernel is used divided by its largest singular value."""

import math

import keras
from keras import ops

from kgan.errors import InputError

# Layer class -> (attribute of its kernel, axis of the kernel that counts the matrix's rows).
# Rows are the layer's outputs; an embedding's are its entries, as PyTorch lays them out.
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

    The kernel itself stays as the optimizer leaves it: it is divided anew in
    each call, and the gradient flows through sigma. The singular vectors `u`
    and `v` are followed by power iteration in training-mode calls and are saved;
    they are constants to the gradient. They belong to the kernel: where it is set
    by hand, set them too, as `set_weights` does. In inference mode they stay, so that an
    exported layer is a plain one with a constant kernel. The arithmetic of sigma
    is float32 under any dtype policy.

    Args:
        layer: a Dense, Conv2D, Conv2DTranspose or Embedding layer; its dtype
            policy is the one in force.
        power_iterations: iterations a training-mode call, at least 1.
        seed: int for the same first vectors each time; None for random ones.

    Input, output: the wrapped layer's.

    Raises:
        InputError: another kind of layer, or `power_iterations` below 1.

    Reference:
        Miyato et al. 2018, algorithm 1, https://arxiv.org/abs/1802.05957
    """

    def __init__(self, layer, power_iterations=1, seed=None, **kwargs):
        found = [facts for kind, facts in KERNELS.items() if isinstance(layer, kind)]
        if not found:
            raise InputError(
                f"SpectralNormalization takes {', '.join(kind.__name__ for kind in KERNELS)}. "
                f"Received: {layer!r}"
            )
        if power_iterations < 1:
            raise InputError(f"power_iterations must be at least 1. Received: {power_iterations}")
        kwargs.pop("dtype", None)  # the wrapped layer's counts
        # autocast would round the kernel to half precision before sigma is taken of it.
        super().__init__(layer, autocast=False, dtype="float32", **kwargs)
        self.power_iterations = power_iterations
        self.seed = seed
        self.kernel_name, self.rows_axis = found[-1]  # Conv2DTranspose is no Conv2D in Keras
        self.supports_masking = True

    def build(self, input_shape=None):
        super().build(input_shape)
        rows = self.kernel.shape[self.rows_axis]
        columns = math.prod(self.kernel.shape) // rows
        normal = keras.initializers.RandomNormal(stddev=1.0, seed=self.seed)

        # From the kernel, as PyTorch starts: else the first steps divide by far too little.
        def first_u(shape, dtype):
            matrix = self._matrix()
            starts = [_unit(normal((length,), dtype)) for length in (rows, columns)]
            return _follow(matrix, *starts, START_ITERATIONS)[0]

        def first_v(shape, dtype):
            start = _unit(normal((columns,), dtype))
            return _unit(ops.matmul(ops.transpose(self._matrix()), self.u.value), start)

        self.u = self.add_weight(
            name="u", shape=(rows,), initializer=first_u, trainable=False, dtype="float32"
        )
        self.v = self.add_weight(
            name="v", shape=(columns,), initializer=first_v, trainable=False, dtype="float32"
        )

    @property
    def kernel(self):
        """The wrapped layer's own kernel, a variable."""
        return getattr(self.layer, self.kernel_name)

    def _float32_kernel(self):
        return ops.cast(ops.convert_to_tensor(self.kernel), "float32")

    def _matrix(self):
        kernel = ops.moveaxis(self._float32_kernel(), self.rows_axis, 0)
        return ops.reshape(kernel, (kernel.shape[0], -1))

    def follow(self):
        """Moves u and v by `power_iterations` towards the singular vectors of the kernel.

        Returns:
            (u, v), float32 tensors.
        """
        matrix = ops.stop_gradient(self._matrix())
        u, v = _follow(matrix, self.u.value, self.v.value, self.power_iterations)
        self.u.assign(u)
        self.v.assign(v)
        return u, v

    def call(self, inputs, training=False):
        u, v = self.follow() if training else (self.u.value, self.v.value)
        sigma = ops.dot(u, ops.matmul(self._matrix(), v))
        # Only a kernel of zeros comes near it; a kernel set by hand may have a negative one.
        sigma = ops.where(ops.abs(sigma) < EPSILON, EPSILON, sigma)
        normalized = self._float32_kernel() / sigma
        # The scope gives the layer another kernel for this one call; it hides an outer scope,
        # so the layer's other variables are handed through.
        values = [
            (variable, normalized if variable is self.kernel else variable.value)
            for variable in self.layer.variables
        ]
        with keras.StatelessScope(values, collect_losses=True) as scope:
            outputs = self.layer(inputs)
        for loss in scope.losses:  # an activity regularizer's
            self.add_loss(loss)
        return outputs

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    def get_config(self):
        config = super().get_config()
        return config | {"power_iterations": self.power_iterations, "seed": self.seed}


def _unit(vector, otherwise=None):
    """The vector at length 1; `otherwise` where its length is 0, which has no direction."""
    length = ops.norm(vector)
    unit = vector / ops.maximum(length, EPSILON)
    return unit if otherwise is None else ops.where(length > EPSILON, unit, otherwise)


def _follow(matrix, u, v, iterations):
    """Power iteration from `v`; the two singular vectors, constants to the gradient."""
    for _ in range(iterations):
        u = _unit(ops.matmul(matrix, v), u)
        v = _unit(ops.matmul(ops.transpose(matrix), u), v)
    return ops.stop_gradient(u), ops.stop_gradient(v)
