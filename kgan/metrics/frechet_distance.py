"""The Frechet distance of two sets of features: what FID computes, with any features."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kgan.metrics.feature_arrays import check_count, check_pair
from kgan.metrics.halves import halves

LEAST_ROWS = 4  # whose halves still have a variance


class FrechetDistance(NamedTuple):
    """A Frechet distance with what it must be read beside.

    Attributes:
        value: the squared distance over all rows.
        floor: the same between two halves of the real features, `floor_n` rows each.
        value_at_floor: the same between `floor_n` rows of each set: it is this that can be
            compared with `floor`.
        floor_n: the number of rows of both.
    """

    value: float
    floor: float
    value_at_floor: float
    floor_n: int


def frechet_distance(real: npt.ArrayLike, fake: npt.ArrayLike, *, seed: int = 0) -> FrechetDistance:
    """The squared 2-Wasserstein distance of two Gaussians with the sets' means and covariances.

    It is the formula of FID; with other features than those of the TensorFlow Inception graph it
    is no FID. Its value depends on the numbers of rows: at few it can rank generated images
    above real ones. Hence the floor, and never a value alone.

    The trace of the square root of the product of the covariances R'R and C is the sum of the
    roots of the eigenvalues of the symmetric R C R', so that no root of a matrix is taken.

    Args:
        real: features of real images, array (n, d), n at least 4.
        fake: features of generated images, array (m, d), m at least 4.
        seed: int >= 0 that the halves are drawn from.

    Returns:
        A `FrechetDistance`, computed in float64.

    Raises:
        InputError: the features are no finite numbers, are too few or of different widths.

    Reference:
        Heusel et al. 2017, eq. 6, https://arxiv.org/abs/1706.08500
    """
    real, fake = check_pair(real, fake, LEAST_ROWS)
    parts = halves(real, fake, check_count("seed", seed, 0))
    half = _gaussian(parts.real)
    return FrechetDistance(
        _distance(_gaussian(real), _gaussian(fake)),
        _distance(half, _gaussian(parts.other)),
        _distance(half, _gaussian(parts.fake)),
        len(parts.real),
    )


class _Gaussian(NamedTuple):
    """Mean (d,), and rows (n, d) whose product with themselves is the covariance."""

    mean: np.ndarray
    rows: np.ndarray


def _gaussian(features: np.ndarray) -> _Gaussian:
    rows = features.astype(np.float64)
    mean = rows.mean(axis=0)
    return _Gaussian(mean, (rows - mean) / math.sqrt(len(rows) - 1))


def _distance(one: _Gaussian, other: _Gaussian) -> float:
    n, width = one.rows.shape
    root = np.asarray(np.linalg.qr(one.rows, mode="r")) if n > width else one.rows
    product = root @ (other.rows.T @ other.rows) @ root.T
    between = np.sqrt(np.maximum(np.linalg.eigvalsh(product), 0)).sum()
    spread = np.sum(one.rows**2) + np.sum(other.rows**2)
    # Equal sets can come out a rounding below 0.
    return max(0.0, float(np.sum((one.mean - other.mean) ** 2) + spread - 2 * between))
