"""The kernels of a network's first layer, and what every layer makes of one image."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from kgan.channels import ALPHA
from kgan.errors import InputError
from kgan.explore.image_networks import inputs_of, network_of_images, range_of_images
from kgan.explore.inner_layers import inner, outputs_caught, stages_of
from kgan.explore.picture import Finding, captioned, enlarged, in_colour, stacked
from kgan.explore.subject import as_subject
from kgan.images import check_levels, grid
from kgan.models.rebuild import float32_copy
from kgan.training.network_checks import run_network

MOST_MAPS = 64  # of a layer on the sheet
COLUMNS = 16
KERNEL_SIDE = 32  # pixels on the sheet, at least
MAP_SIDE = 48


def kernels(model: Any) -> Finding:
    """The kernels of the first convolution of a network of images, tiled.

    Grey is 0; all are drawn on one scale, that of the largest weight. What a kernel does with
    alpha stands right of what it does with colours.

    Args:
        model: a `Subject`, a `kgan.GAN`, whose discriminator it is, or a Keras network.

    Raises:
        InputError: a network without a convolution that sees images.
    """
    network = network_of_images(as_subject(model))
    first = next((stage.convolution for stage in stages_of(network)), None)
    channels = network.inputs[0].shape[-1]
    if first is None or inner(first).kernel.shape[2] != channels:
        raise InputError(
            f"No convolution here sees the images themselves. Received: {network.name}"
        )
    weights = np.asarray(inner(first).kernel, np.float32)
    size, _, _, count = weights.shape
    largest = float(np.abs(weights).max()) or 1.0
    levels = np.rint(127.5 + 127.5 * weights / largest).astype(np.uint8).transpose(3, 0, 1, 2)
    if channels == ALPHA:  # beside the colours', or it would be seen as transparency
        levels = np.concatenate([levels[..., :3], in_colour(levels[..., 3:])], axis=2)
    sheet = grid(enlarged(levels, KERNEL_SIDE), padding=4)
    figures = {
        "experiment": "kernels",
        "layer": first.name,
        "kernels": count,
        "size": size,
        "largest_weight": largest,
    }
    told = f"{count} kernels of {first.name}, {size}x{size}; the largest weight is {largest:.3g}"
    return Finding(sheet, figures, (told,))


def feature_maps(
    model: Any, image: npt.ArrayLike, *, value_range: tuple[float, float] | None = None
) -> Finding:
    """The feature maps of every layer of a network for one image.

    Each map is drawn on its layer's scale, black its smallest value, white its largest.

    Args:
        model: as for `kernels`.
        image: uint8 array (H, W, C) of the network's shape.
        value_range: as for `units`.

    Returns:
        A `Finding` with the first 64 maps of each layer, and figures of all of them.

    Raises:
        InputError: an image of another shape, or a network that has no maps.
    """
    subject = as_subject(model)
    network = network_of_images(subject)
    levels = check_levels(np.asarray(image)[None], network.inputs[0].shape[1:])
    value_range = range_of_images(subject, network, value_range)
    network = float32_copy(network)
    layers = [x for x in network.layers if not isinstance(x, keras.layers.InputLayer)]
    with outputs_caught(layers) as caught:
        run_network(network, inputs_of(network, levels, value_range), 1)
    sheets = [enlarged(levels[0], 2 * MAP_SIDE)]
    figures: dict[str, dict[str, Any]] = {}
    given = {name: x for name, x in caught.items() if len(getattr(x, "shape", ())) == 4}
    if not given:
        raise InputError(f"No layer of this network gives maps. Received: {network.name}")
    for name, outputs in given.items():
        maps = np.asarray(outputs, np.float32)[0].transpose(2, 0, 1)
        low, high = float(maps.min()), float(maps.max())
        scaled = np.rint((maps - low) * (255 / (high - low or 1))).astype(np.uint8)
        tiles = enlarged(scaled[:MOST_MAPS, ..., None], MAP_SIDE)
        height, width = maps.shape[1:]
        title = f"{name}: {height}x{width}, {len(maps)} maps"
        sheets.append(captioned(title, grid(tiles, columns=COLUMNS, background=96)))
        active = float((maps.reshape(len(maps), -1).max(1) > 0).mean())
        figures[name] = {
            "shape": [height, width, len(maps)],
            "smallest": low,
            "largest": high,
            "share_of_maps_above_0_somewhere": active,
        }
    told = f"{len(given)} layers, {sum(x['shape'][2] for x in figures.values()):,} maps"
    return Finding(stacked(sheets), {"experiment": "maps", "layers": figures}, (told,))
