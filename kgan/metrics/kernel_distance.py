"""The kernel distance of two sets of features: what KID computes, with any features."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kgan.metrics.feature_arrays import check_count, check_pair

BLOCK = 512  # rows of a kernel matrix that are in memory at a time
LEAST_ROWS = 4  # whose halves still have a pair


class KernelDistance(NamedTuple):
    """A kernel distance.

    Attributes:
        value: the squared distance, unscaled; below 0 by chance where the sets are alike.
        standard_error: of the value.
        halves: the distance over each random half. Of the same seed and numbers of rows the halves
            are of the same rows, so that two distances to the same real rows can be compared
            half by half.
    """

    value: float
    standard_error: float
    halves: tuple[float, ...]


def kernel_distance(
    real: npt.ArrayLike, fake: npt.ArrayLike, *, subsets: int = 100, seed: int = 0
) -> KernelDistance:
    """The unbiased squared MMD under the kernel (x.y / d + 1)^3, over all rows.

    It is the estimator of KID; with other features than those of the Inception network it is no
    KID. Published KIDs are often the mean over subsets; here the subsets give the standard
    error alone: the spread of the distance over random halves of both sets around the
    distance of the whole sets (the delete-d jackknife, d = n / 2, which needs no factor). Where
    both sets come from one distribution it is too large, by a factor of up to sqrt(3).

    Args:
        real: features of real images, array (n, d), n at least 4.
        fake: features of generated images, array (m, d), m at least 4.
        subsets: number of random halves.
        seed: int >= 0 that the halves are drawn from.

    Returns:
        A `KernelDistance`, computed in float64.

    Raises:
        InputError: the features are no finite numbers, are too few or of different widths.

    Reference:
        Binkowski et al. 2018, section 4 and eq. 4, https://arxiv.org/abs/1801.01401;
        Shao and Wu 1989, https://doi.org/10.1214/aos/1176347263
    """
    real, fake = check_pair(real, fake, LEAST_ROWS)
    subsets = check_count("subsets", subsets, 2)
    random = np.random.default_rng(check_count("seed", seed, 0))
    # Column 0 takes all rows, each other column a random half: a product with the kernel matrix
    # then gives the sums over all subsets at once.
    chosen = [_halves(len(features), subsets, random) for features in (real, fake)]
    counts = [columns.sum(axis=0) for columns in chosen]
    within = [
        (_sums(features, columns, features, columns) - _diagonal(features) @ columns)
        / (count * (count - 1))
        for features, columns, count in zip((real, fake), chosen, counts, strict=True)
    ]
    between = _sums(real, chosen[0], fake, chosen[1]) / (counts[0] * counts[1])
    value, *halves = within[0] + within[1] - 2 * between
    spread = np.mean((np.array(halves) - value) ** 2)
    return KernelDistance(float(value), math.sqrt(spread), tuple(map(float, halves)))


def _halves(rows: int, subsets: int, random: np.random.Generator) -> np.ndarray:
    """0 and 1, (rows, 1 + subsets): all rows, then random halves."""
    ranks = random.random((rows, subsets)).argsort(axis=0)
    return np.concatenate([np.ones((rows, 1)), ranks < rows // 2], axis=1)


def _kernel(products: np.ndarray, width: int) -> np.ndarray:
    return (products / width + 1.0) ** 3


def _diagonal(features: np.ndarray) -> np.ndarray:
    rows = features.astype(np.float64)
    return _kernel(np.einsum("nd,nd->n", rows, rows), rows.shape[1])


def _sums(
    left: np.ndarray, left_columns: np.ndarray, right: np.ndarray, right_columns: np.ndarray
) -> np.ndarray:
    """The kernel summed over each column's pairs of rows."""
    others = right.astype(np.float64).T
    total = np.zeros(left_columns.shape[1])
    for start in range(0, len(left), BLOCK):
        rows = slice(start, start + BLOCK)
        kernel = _kernel(left[rows].astype(np.float64) @ others, left.shape[1])
        total += np.einsum("ns,ns->s", left_columns[rows], kernel @ right_columns)
    return total
