"""Transparency that is kept: what hidden colours become, and what is said of it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np

from kgan.errors import InputError

LOG = logging.getLogger("kgan")
KEPT = "transparency kept"


def with_mean_colour(image: np.ndarray) -> np.ndarray:
    """An RGBA image whose wholly transparent pixels have the mean colour of what is visible.

    What is stored under them is nobody's choice: often black, white, or what an editor left. A
    discriminator would learn it, and a generator blend it into edges. The mean colour, weighted
    by alpha, is the picture's own; where nothing is visible it is black.

    Args:
        image: uint8 or float array (H, W, 4), not premultiplied, alpha 0 for transparent.

    Returns:
        Array of the same shape and dtype.
    """
    alpha = image[..., 3].astype(np.float64)
    hidden = alpha == 0
    if not hidden.any():
        return image
    image = image.copy()
    mean = np.tensordot(alpha, image[..., :3], 2) / max(alpha.sum(), 1e-9)
    image[hidden, :3] = mean if np.issubdtype(image.dtype, np.floating) else np.rint(mean)
    return image


def visible(images: np.ndarray, labels: Any, transparent: float) -> tuple[np.ndarray, Any]:
    """RGBA images, and their labels, without those that are wholly transparent; which is told.

    Args:
        images: array (N, H, W, 4).
        labels: one for each; None without.
        transparent: the alpha of what cannot be seen.

    Raises:
        InputError: all are.
    """
    shown = np.array([(image[..., 3] > transparent).any() for image in images])
    if shown.all():
        return images, labels
    if not shown.any():
        raise InputError(
            f"All pictures are wholly transparent: alpha, the last of 4 channels, is "
            f"{transparent:g} everywhere. Received: {len(images):,} pictures"
        )
    LOG.warning(
        "skipped %d of %d pictures that are wholly transparent", (~shown).sum(), len(images)
    )
    if labels is not None and len(labels) == len(images):  # else it is told later
        labels = [label for label, is_shown in zip(labels, shown, strict=True) if is_shown]
    return images[shown], labels


def kept(count: int, total: int) -> str:
    """What is said of a training that keeps the transparency of `count` of `total` pictures."""
    if count == total:
        return KEPT
    return f"{KEPT}, {total - count:,} of {total:,} pictures without any are opaque"


def filled(background: Sequence[int]) -> str:
    """What is said of a training in which transparency is filled with a colour."""
    return f"transparency filled with {','.join(map(str, background))} (--size HxWx4 keeps it)"
