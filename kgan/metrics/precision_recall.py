"""Precision and recall of generated images, from manifolds of balls around features."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kgan.metrics.feature_arrays import check_count, check_pair
from kgan.metrics.neighbours import distance_rows, kth_distances


class PrecisionRecall(NamedTuple):
    """How many generated images are likely, and how much of the data they reach.

    Attributes:
        precision: share of fake rows within a real row's ball, 0 to 1.
        recall: share of real rows within a fake row's ball, 0 to 1.
    """

    precision: float
    recall: float


def precision_recall(real: npt.ArrayLike, fake: npt.ArrayLike, *, k: int = 3) -> PrecisionRecall:
    """The shares of each set that lie in the manifold of the other.

    A set's manifold is a ball around each of its rows, as far as its k-th nearest other row; a
    row on the surface is inside.

    Args:
        real: features of real images, array (n, d), n above k.
        fake: features of generated images, array (m, d), m above k.
        k: which neighbour gives the radius.

    Returns:
        A `PrecisionRecall`. Both change with n and m: compare at equal numbers.

    Raises:
        InputError: the features are no finite numbers, are too few or of different widths.

    Reference:
        Kynkaanniemi et al. 2019, eqs. 1 and 2, https://arxiv.org/abs/1904.06991
    """
    k = check_count("k", k)
    real, fake = check_pair(real, fake, k + 1)
    return PrecisionRecall(
        _inside(fake, real, kth_distances(real, k)), _inside(real, fake, kth_distances(fake, k))
    )


def realism(real: npt.ArrayLike, fake: npt.ArrayLike, *, k: int = 3) -> np.ndarray:
    """How realistic each generated image is: above 1 inside a real row's ball, below 1 outside.

    The largest ratio of a ball's radius to the distance from its centre, over the half of the
    real rows with the smaller balls: those of outliers would make anything realistic.

    Args:
        real: features of real images, array (n, d), n above k.
        fake: features of generated images, array (m, d), m at least 1.
        k: which neighbour gives the radius.

    Returns:
        float32 array (m,), at least 0; infinite where a fake row is a real one.

    Raises:
        InputError: as for `precision_recall`.

    Reference:
        Kynkaanniemi et al. 2019, eq. 3, https://arxiv.org/abs/1904.06991
    """
    k = check_count("k", k)
    real, fake = check_pair(real, fake, k + 1, 1)
    radii = kth_distances(real, k)
    kept = radii <= np.median(radii)
    scores = []
    for _, distances in distance_rows(fake, real[kept]):
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = np.where(distances > 0, radii[kept] / distances, np.inf)
        scores.append(ratios.max(axis=1))
    return np.concatenate(scores)


def _inside(queries: np.ndarray, centres: np.ndarray, radii: np.ndarray) -> float:
    """The share of queries in any of the balls."""
    return float(
        np.concatenate(
            [(distances <= radii).any(axis=1) for _, distances in distance_rows(queries, centres)]
        ).mean()
    )
