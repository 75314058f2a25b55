"""The size of a run's images where nobody said one: the data's own, or the next that will do."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator

from kgan.errors import InputError
from kgan.models.presets import make_networks
from kgan.runs.options import RunOptions

LOG = logging.getLogger("kgan")
ASIDE = 8  # pixels that a width may differ from the proportions of the data


def next_size(options: RunOptions, image_shape: tuple[int, ...]) -> RunOptions | None:
    """The options with the next size that the preset makes, which is told.

    Args:
        options: a run's, of which no model could be made.
        image_shape: (H, W, C) of its data.

    Returns:
        None where a size was asked for, or the data's own is not what was wrong.
    """
    if options.size is not None or _makes(options.preset, image_shape):
        return None
    height, width, channels = image_shape
    for size in _sizes_around(height, width):
        if _makes(options.preset, (*size, channels)):
            LOG.warning(
                "images of %dx%d: %s cannot make the data's own %dx%d",
                *size,
                options.preset,
                height,
                width,
            )
            return dataclasses.replace(options, size=(*size, channels))
    return None


def _makes(preset: str, image_shape: tuple[int, ...]) -> bool:
    try:
        make_networks(preset, image_shape=image_shape)
    except InputError:
        return False
    return True


def _sizes_around(height: int, width: int) -> Iterator[tuple[int, int]]:
    """Sizes of about the same proportions: from the next larger one up to twice, then smaller."""
    for side in [*range(height, 2 * height + ASIDE + 1), *range(height - 1, 0, -1)]:
        fitting = side * width / height
        if height == width:
            yield side, side
            continue
        nearest = range(max(1, int(fitting) - ASIDE), int(fitting) + ASIDE + 1)
        yield from ((side, other) for other in sorted(nearest, key=lambda w: abs(w - fitting)))
