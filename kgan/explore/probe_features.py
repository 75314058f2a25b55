"""What a network's convolutions make of images, as one vector an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kgan.errors import InputError
from kgan.explore.image_networks import batches_of
from kgan.explore.inner_layers import outputs_caught, stages_of

GRID = 4  # sides of what each map is pooled to
LAW = (
    "of each layer's activations the largest in each of 4x4 parts, by rows, columns and maps, the "
    "layers in their order"
)


class ConvolutionFeatures(keras.Model):
    """The activations of all convolutions of a network, max-pooled to 4x4, flattened and joined.

    Of each convolution it is what follows its normalisation and activation; 1x1 ones count too.
    The network runs in inference mode, with zeros for what it takes beside images.

    Args:
        network: a Keras network whose first input is images, in float32.

    Input: float32 (B, H, W, C) in the network's range. Output: float32 (B, 16 * maps), the layers
        in their order, each by rows, columns and maps.

    Raises:
        InputError: a network without convolutions.

    Reference:
        Radford et al. 2015, section 5.1, https://arxiv.org/abs/1511.06434
    """

    def __init__(self, network: keras.Model) -> None:
        super().__init__(name=f"features_of_{network.name}", dtype="float32", autocast=False)
        if not stages_of(network):
            raise InputError(f"A probe is of convolutions. Received: {network.name}, without any")
        self.network = network
        self.build(tuple(network.inputs[0].shape))

    def maps(self) -> list[tuple[str, int]]:
        """(name, number of maps) of each layer whose activations are the features, in order."""
        shape = self.network.inputs[0].shape[1:]
        return [(name, found.shape[-1]) for name, found in self._activations(tf.zeros((1, *shape)))]

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Nothing is to be made: the network is there."""

    def call(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        pooled = [pooled_to_grid(found) for _, found in self._activations(images)]
        return tf.concat([tf.reshape(x, (-1, GRID * GRID * x.shape[-1])) for x in pooled], 1)

    def _activations(self, images: tf.Tensor) -> list[tuple[str, tf.Tensor]]:
        inputs: Any = images
        if len(self.network.inputs) > 1:
            count = tf.shape(images)[0]
            inputs = [images] + [
                tf.zeros([count, *each.shape[1:]], each.dtype) for each in self.network.inputs[1:]
            ]
        outputs = [stage.output for stage in stages_of(self.network)]
        with outputs_caught(outputs) as caught:
            self.network(inputs, training=False)
            return [(each.name, tf.cast(caught[each.name], tf.float32)) for each in outputs]


def convolution_features(
    network: keras.Model, images: np.ndarray, value_range: Sequence[float]
) -> np.ndarray:
    """What `ConvolutionFeatures` makes of images, a batch at a time.

    Args:
        network: as that takes it.
        images: uint8 array (N, H, W, C).
        value_range: (low, high) of a pixel as the network takes it.

    Returns:
        float32 array (N, 16 * maps).

    Raises:
        InputError: a network without convolutions.
    """
    features = ConvolutionFeatures(network)
    return np.concatenate(
        [np.asarray(features(inputs[0])) for inputs in batches_of(network, images, value_range)]
    )


def pooled_to_grid(maps: tf.Tensor, side: int = GRID) -> tf.Tensor:
    """Maps (N, H, W, C) by their largest values in a grid of side x side parts.

    Part i of H rows is from floor(i H / side) to below ceil((i + 1) H / side): parts of one size
    where H is a multiple of side, and otherwise ones that share rows.

    Returns:
        A tensor (N, side, side, C).
    """
    height, width = maps.shape[1:3]
    if height % side == 0 and width % side == 0:  # what every runtime has as one operator
        part = (height // side, width // side)
        return tf.nn.max_pool2d(maps, part, part, "VALID")
    for axis in (1, 2):
        length = maps.shape[axis]
        parts = []
        for i in range(side):
            begin, end = i * length // side, -(-(i + 1) * length // side)
            some = maps[:, begin:end] if axis == 1 else maps[:, :, begin:end]
            parts.append(tf.reduce_max(some, axis))
        maps = tf.stack(parts, axis)
    return maps
