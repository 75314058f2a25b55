"""The sliced Wasserstein distance of two sets of features."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kgan.metrics.feature_arrays import check_count, check_pair
from kgan.metrics.halves import halves

BLOCK = 512  # directions at a time
LEAST_ROWS = 4


class SlicedWasserstein(NamedTuple):
    """A sliced Wasserstein distance with what it must be read beside.

    Attributes:
        value: the mean squared distance over the directions, over all rows.
        floor: the same between two halves of the real features, `floor_n` rows each.
        value_at_floor: the same between `floor_n` rows of each set: it is this that can be
            compared with `floor`.
        floor_n: the number of rows of both.
        direction_error: standard error of the value from the choice of directions alone; the
            choice of the images is not in it.
    """

    value: float
    floor: float
    value_at_floor: float
    floor_n: int
    direction_error: float


def sliced_wasserstein(
    real: npt.ArrayLike, fake: npt.ArrayLike, *, directions: int = 1000, seed: int = 0
) -> SlicedWasserstein:
    """The mean of the squared 1-D Wasserstein-2 distance over random unit directions.

    Along each direction the distance of the two empirical distributions is exact, for different
    numbers of rows too. The value is not scaled by the width of the features.

    Args:
        real: features of real images, array (n, d), n at least 4.
        fake: features of generated images, array (m, d), m at least 4.
        directions: number of directions, drawn uniformly from the unit sphere.
        seed: int >= 0 that the directions and halves are drawn from.

    Returns:
        A `SlicedWasserstein`, computed in float64.

    Raises:
        InputError: the features are no finite numbers, are too few or of different widths.

    Reference:
        Bonneel et al. 2015, definition 6, https://doi.org/10.1007/s10851-014-0506-3
    """
    real, fake = check_pair(real, fake, LEAST_ROWS)
    directions = check_count("directions", directions, 2)
    seed = check_count("seed", seed, 0)
    axes = np.random.default_rng(seed).standard_normal((directions, real.shape[1]))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    parts = halves(real, fake, seed)
    along = _distances(real, fake, axes)
    return SlicedWasserstein(
        float(along.mean()),
        float(_distances(parts.real, parts.other, axes).mean()),
        float(_distances(parts.real, parts.fake, axes).mean()),
        len(parts.real),
        float(along.std(ddof=1) / math.sqrt(directions)),
    )


def _distances(one: np.ndarray, other: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """The squared W2 distance along each axis, (directions,)."""
    sets = [features.astype(np.float64).T for features in (one, other)]
    ranks, weights = _transport(len(one), len(other))
    found = []
    for start in range(0, len(axes), BLOCK):
        left, right = (np.sort(axes[start : start + BLOCK] @ each, axis=1) for each in sets)
        found.append((left[:, ranks[0]] - right[:, ranks[1]]) ** 2 @ weights)
    return np.concatenate(found)


def _transport(n: int, m: int) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """The optimal plan between n and m sorted points of equal weight.

    Returns:
        ((ranks in the one, ranks in the other), weights that sum to 1): the quantile functions
        are constant between the levels i / n and j / m, here in whole numbers of 1 / (n m).
    """
    levels = np.union1d(np.arange(n + 1) * m, np.arange(m + 1) * n)
    starts = levels[:-1]
    return (starts // m, starts // n), np.diff(levels) / (n * m)
