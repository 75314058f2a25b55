"""What a network's convolutions make of images, as one vector an image."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np

from kgan.errors import InputError
from kgan.explore.image_networks import as_called, batches_of
from kgan.explore.inner_layers import outputs_caught, stages_of

GRID = 4  # sides of what each map is pooled to


def convolution_features(
    network: keras.Model, images: np.ndarray, value_range: Sequence[float]
) -> np.ndarray:
    """The activations of all convolutions, max-pooled to 4x4, flattened and joined.

    Of each convolution it is what follows its normalisation and activation; 1x1 ones count too.
    The network runs in inference mode.

    Args:
        network: a Keras network whose first input is images; others are zeros.
        images: uint8 array (N, H, W, C).
        value_range: (low, high) of a pixel as the network takes it.

    Returns:
        float32 array (N, 16 * maps), the layers in their order, each by rows, columns and maps.

    Raises:
        InputError: a network without convolutions.

    Reference:
        Radford et al. 2015, section 5.1, https://arxiv.org/abs/1511.06434
    """
    layers = [stage.output for stage in stages_of(network)]
    if not layers:
        raise InputError(f"A probe is of convolutions. Received: {network.name}, which has none")
    rows = []
    with outputs_caught(layers) as caught:
        for batch in batches_of(network, images, value_range):
            network(as_called(batch), training=False)
            pooled = [pooled_to_grid(np.asarray(caught[x.name], np.float32)) for x in layers]
            rows.append(np.concatenate([x.reshape(len(x), -1) for x in pooled], 1))
    return np.concatenate(rows)


def pooled_to_grid(maps: np.ndarray, side: int = GRID) -> np.ndarray:
    """Maps (N, H, W, C) by their largest values in a grid of side x side parts.

    Part i of H rows is from floor(i H / side) to below ceil((i + 1) H / side): parts of one size
    where H is a multiple of side, and otherwise ones that share rows.

    Returns:
        An array (N, side, side, C).
    """
    for axis in (1, 2):
        length = maps.shape[axis]
        parts = [
            maps.take(range(i * length // side, -(-(i + 1) * length // side)), axis).max(axis)
            for i in range(side)
        ]
        maps = np.stack(parts, axis)
    return maps
