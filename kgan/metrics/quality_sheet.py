"""A sheet of the most and the least real of the generated images, with real ones beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from kgan.images import grid
from kgan.metrics.precision_recall import realism
from kgan.metrics.real_images import Reference
from kgan.metrics.resize import check_images

SHOWN = 8  # images of each row
ROWS = ("most real", "median", "least real", "real images")
LEAST_WIDTH = 160  # pixels, for the titles
LABEL_HEIGHT = 14  # pixels, of Pillow's own font


def quality_sheet(
    model: Any, reference: Reference, fake: np.ndarray, first_seed: int
) -> np.ndarray:
    """The eight most real, median and least real images of a model, and eight real ones.

    By `realism`: how deep in the manifold of the real images' features they lie.

    Args:
        model, reference: as for `evaluate`.
        fake: features (n, D) of the model's images, as `Reference.features_of` gives them.
        first_seed: seed of the first of them.

    Returns:
        uint8 array (H, W, C).
    """
    shown = min(SHOWN, len(fake), reference.n)
    order = np.argsort(-realism(reference.features, fake), kind="stable")
    middle = (len(order) - shown) // 2
    labels = reference.labels_for(model)
    rows = []
    for chosen in (order[:shown], order[middle : middle + shown], order[-shown:]):
        rows.append(_again(model, chosen, first_seed, labels))
    rows.append(reference.images[:shown])
    return labelled(rows, ROWS)


def _again(
    model: Any, chosen: np.ndarray, first_seed: int, labels: np.ndarray | None
) -> np.ndarray:
    """The images of some places of a sequence that begins with `first_seed`."""
    images = []
    for place in map(int, chosen):
        given = {} if labels is None else {"labels": labels[place : place + 1]}
        images.append(model.generate(1, seed=first_seed + place, **given)[0])
    return np.stack(images)


def labelled(rows: Sequence[np.ndarray], names: Sequence[str]) -> np.ndarray:
    """Rows of images under each other, the name of each above it.

    Args:
        rows: uint8 arrays (N, H, W, C) of one shape each, C 1, 3 or 4, the last over white.
        names: a text for each row.

    Returns:
        uint8 array (H', W', C).
    """
    parts = []
    for row, name in zip(rows, names, strict=True):
        strip = grid(check_images(row), columns=len(row))
        margin = max(0, LEAST_WIDTH - strip.shape[1])
        strip = np.pad(strip, ((0, 0), (0, margin), (0, 0)), constant_values=255)
        mode = "L" if strip.shape[-1] == 1 else "RGB"
        title = Image.new(mode, (strip.shape[1], LABEL_HEIGHT), "white")
        ImageDraw.Draw(title).text((2, 1), name, fill="black")
        levels = np.asarray(title).reshape(LABEL_HEIGHT, *strip.shape[1:])
        parts += [levels, strip]
    return np.concatenate(parts)
