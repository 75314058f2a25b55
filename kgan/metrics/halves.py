"""A distance's floor: what it is between real images and other real images, at the same n.

Distances of distributions that are estimated from n images are too large, the more so the smaller
n is, and not by the same amount for every generator. A value is read beside its floor.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Halves(NamedTuple):
    """Three sets of the same number of rows.

    Attributes:
        real: a random half of the real features.
        other: rows of the other half.
        fake: random rows of the fake features.
    """

    real: np.ndarray
    other: np.ndarray
    fake: np.ndarray


def halves(real: np.ndarray, fake: np.ndarray, seed: int) -> Halves:
    """Draws two disjoint parts of the real features, and as many fake ones.

    Each has half as many rows as there are real ones, or as many as there are fake ones where
    those are fewer.

    Args:
        real, fake: arrays (n, d) and (m, d).
        seed: int >= 0.
    """
    random = np.random.default_rng(seed)
    n = min(len(real) // 2, len(fake))
    order = random.permutation(len(real))
    return Halves(real[order[:n]], real[order[n : 2 * n]], fake[random.permutation(len(fake))[:n]])
