"""Minibatch standard deviation: a discriminator sees how much the images of a batch differ."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from kgan.errors import InputError
from kgan.tensors import Tensor

EPSILON = 1e-8  # Karras et al.'s; it also keeps the derivatives of the root finite at 0


def stddev_of_groups(maps: Tensor, group_size: int) -> Tensor:
    """How much the features of each image's group differ, one number per image.

    The batch is divided into B // group_size groups, at least one: image n is in group n modulo
    their number, and a batch that `group_size` does not divide has somewhat larger ones. The
    number is the standard deviation over the group, averaged over positions and channels.

    Args:
        maps: float32 tensor (B, H, W, C).
        group_size: images of a group, at least.

    Returns:
        float32 tensor (B,), > 0; 1e-4 for a group of equal images.
    """
    count = ops.shape(maps)[0]  # a number, or a tensor where no number is known
    whole = count // group_size
    groups = max(1, whole) if isinstance(whole, int) else ops.maximum(1, whole)
    rows = (count + groups - 1) // groups
    missing = rows * groups - count
    stacked = ops.reshape(
        ops.pad(maps, [[0, missing], [0, 0], [0, 0], [0, 0]]), (rows, groups, *maps.shape[1:])
    )
    present = ops.reshape(ops.arange(rows * groups) < count, (rows, groups, 1, 1, 1))
    present = ops.cast(present, maps.dtype)
    members = ops.maximum(ops.sum(present, 0), 1.0)
    distance = present * (stacked - ops.sum(stacked, 0) / members)
    variance = ops.sum(ops.square(distance), 0) / members
    of_groups = ops.mean(ops.sqrt(variance + EPSILON), axis=(1, 2, 3))
    return ops.tile(of_groups, [rows])[:count]


@keras.saving.register_keras_serializable(package="kgan")
class MinibatchStdDev(keras.layers.Layer):
    """Adds a feature map that says how much the images of a batch differ from each other.

    A generator that makes the same few images over and over shows a smaller number than real
    images do. In training it is that of an image's group, see `stddev_of_groups`, and under a
    tf.distribute strategy of a group on its own replica. In inference it is the moving mean of
    training's, the same for every image: what a discriminator then says of an image depends on
    no other, so that a choice of the best and an evaluation do not depend on the batch.

    Args:
        group_size: images of a group, 4 in the paper's code; one group for fewer.
        momentum: of the moving mean.

    Input: (B, H, W, C). Output: (B, H, W, C + 1). The number is computed in float32 under any
    dtype policy.

    Raises:
        InputError: `group_size` is no whole number above 1, or `momentum` not from 0 to below 1.

    Reference:
        Karras et al. 2018, section 3, https://arxiv.org/abs/1710.10196
    """

    def __init__(self, group_size: int = 4, momentum: float = 0.9, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(group_size, bool) or not isinstance(group_size, int) or group_size < 2:
            raise InputError(f"group_size must be a whole number above 1. Received: {group_size!r}")
        if not 0.0 <= momentum < 1.0:
            raise InputError(f"momentum must be from 0 to below 1. Received: {momentum!r}")
        self.group_size, self.momentum = group_size, momentum

    def build(self, input_shape: tuple[Any, ...]) -> None:
        self.moving_stddev = self.add_weight(
            name="moving_stddev",
            shape=(),
            initializer="zeros",
            trainable=False,
            dtype="float32",
            autocast=False,
        )

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        shown = ops.cast(self.moving_stddev, "float32")  # its value now: it is assigned below
        if training:
            stddev = stddev_of_groups(ops.cast(inputs, "float32"), self.group_size)
            # A replica may have no image of a small last batch, and no mean.
            mean = ops.mean(ops.stop_gradient(stddev))
            mean = ops.where(ops.size(stddev) > 0, mean, shown)
            self.moving_stddev.assign(mean + self.momentum * (shown - mean))
            shown = stddev[:, None, None, None]
        plane = ops.ones_like(inputs[..., :1]) * ops.cast(shown, inputs.dtype)
        return ops.concatenate([inputs, plane], axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*input_shape[:-1], input_shape[-1] + 1)  # type: ignore[operator]

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"group_size": self.group_size, "momentum": self.momentum}
