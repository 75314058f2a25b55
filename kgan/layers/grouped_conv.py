"""Grouped convolution that trains on every device and exports."""

import keras
from keras import ops

from kgan.errors import InputError


@keras.saving.register_keras_serializable(package="kgan")
class GroupedConv2D(keras.layers.Layer):
    """A stride-1 'same' convolution in groups of channels, without bias.

    Channels are cut into `groups` equal parts and each is convolved by itself.
    `keras.layers.Conv2D(groups=...)` gives the same numbers, but on a CPU it
    runs under XLA, a hundred times slower, and in a form tf2onnx does not know.

    Args:
        filters: output channels, a multiple of `groups`.
        kernel_size: side of the square kernel.
        groups: number of groups; the input's channels are a multiple of it.
        kernel_initializer: as of keras.layers.Conv2D.

    Input: (B, H, W, C). Output: (B, H, W, filters).

    Raises:
        InputError: channels that the groups do not divide.

    Reference:
        Xie et al. 2017, figure 3(c), https://arxiv.org/abs/1611.05431
    """

    def __init__(self, filters, kernel_size, groups, kernel_initializer="glorot_uniform", **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.groups = groups
        if filters % groups:
            raise InputError(
                f"filters must be a multiple of groups. Received: {filters} and {groups}"
            )
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape):
        side = self.kernel_size
        if input_shape[-1] % self.groups:
            raise InputError(
                "The input's channels must be a multiple of groups. "
                f"Received: {input_shape[-1]} and {self.groups}"
            )
        self.kernel = self.add_weight(
            name="kernel",
            shape=(side, side, input_shape[-1] // self.groups, self.filters),
            initializer=self.kernel_initializer,
        )

    def call(self, inputs):
        parts = ops.split(inputs, self.groups, axis=-1)
        kernels = ops.split(ops.convert_to_tensor(self.kernel), self.groups, axis=-1)
        return ops.concatenate(
            [
                ops.conv(part, kernel, padding="same")
                for part, kernel in zip(parts, kernels, strict=True)
            ],
            axis=-1,
        )

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.filters)

    def get_config(self):
        return super().get_config() | {
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "groups": self.groups,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
