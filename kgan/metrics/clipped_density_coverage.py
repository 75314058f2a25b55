"""Density and coverage, clipped and calibrated: equivalent shares of good images."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kgan.metrics.feature_arrays import check_count, check_pair
from kgan.metrics.neighbours import distance_rows, kth_distances


class ClippedDensityCoverage(NamedTuple):
    """Density and coverage that can be read as shares.

    Attributes:
        density: 0 to 1; with a share of bad images it falls by as much.
        coverage: 0 to 1; the share of good images that would cover the real ones as well.
    """

    density: float
    coverage: float


def clipped_density_coverage(
    real: npt.ArrayLike, fake: npt.ArrayLike, *, k: int = 5
) -> ClippedDensityCoverage:
    """Density and coverage that no outlier, real or fake, can raise.

    Density: a real row's ball reaches as far as its k-th nearest other real row, but no
    further than the median of these radii; the number of balls that a fake row is in counts up
    to k of them; the mean is divided by that of the real rows themselves and is at most 1.
    Coverage: how many fake rows a real row's unclipped ball has in it, up to k of them; the
    mean is mapped to the share of m fake rows, drawn as the real ones are, that is expected to
    give it.

    Args:
        real: features of real images, array (n, d), n above k + 1.
        fake: features of generated images, array (m, d), m at least k.
        k: which neighbour gives the radius.

    Returns:
        A `ClippedDensityCoverage`.

    Raises:
        InputError: the features are no finite numbers, are too few or of different widths.

    Reference:
        Salvy et al. 2025, https://arxiv.org/abs/2507.01761; in detail as in the authors' own code,
        https://github.com/nicolassalvy/ClippedDensityCoverage
    """
    k = check_count("k", k)
    real, fake = check_pair(real, fake, k + 2, k)
    radii = kth_distances(real, k)
    clipped = np.minimum(radii, np.median(radii))
    own = np.zeros(len(real))  # of each real row: the other rows' balls that it is in
    for rows, distances in distance_rows(real, real):
        itself = np.arange(len(real))[rows]
        distances[np.arange(len(itself)), itself] = np.inf
        own[rows] = (distances <= clipped).sum(axis=1)
    counts = np.zeros(len(fake))  # of each fake row, the same
    caught = np.zeros(len(real))  # of each real row: the fake rows in its unclipped ball
    for rows, distances in distance_rows(fake, real):
        counts[rows] = (distances <= clipped).sum(axis=1)
        caught += (distances < radii).sum(axis=0)
    best = np.minimum(own / k, 1).mean()
    density = np.minimum(counts / k, 1).mean() / best
    coverage = np.minimum(caught / k, 1).mean()
    share = np.searchsorted(_expected(k, len(real), len(fake)), coverage) / (len(fake) + 1)
    return ClippedDensityCoverage(min(float(density), 1.0), float(share))


def _expected(k: int, n: int, m: int) -> np.ndarray:
    """The mean coverage by 0 to m rows drawn as the n real ones are, (m + 1,).

    The mass of a ball as far as the k-th of n - 1 other rows is Beta(k, n - k), so the number
    of rows in it grows as in Polya's urn: row i + 1 falls into a ball that has j of i rows with
    the probability (k + j) / (n + i). Fewer than k rows count as none, as in the authors' code.
    """
    below = np.zeros(k)  # the probability that the ball has 0 to k - 1 rows
    below[0] = 1
    held = np.arange(k)
    expected = np.zeros(m + 1)
    for i in range(m):
        more = below * (k + held) / (n + i)
        expected[i + 1] = expected[i] + more.sum() / k
        below = below - more
        below[1:] += more[:-1]
    expected[:k] = 0
    return expected
