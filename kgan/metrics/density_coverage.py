"""Density and coverage of generated images: precision and recall that outliers disturb less."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kgan.metrics.feature_arrays import check_count, check_pair
from kgan.metrics.neighbours import distance_rows, kth_distances


class DensityCoverage(NamedTuple):
    """How densely the real images surround the generated ones, and how many have one near.

    Attributes:
        density: mean number of real rows' balls that a fake row is in, over k; around 1 for
            another real set, and can be above 1.
        coverage: share of the real rows whose ball has a fake row in it, 0 to 1.
    """

    density: float
    coverage: float


def density_coverage(real: npt.ArrayLike, fake: npt.ArrayLike, *, k: int = 5) -> DensityCoverage:
    """Density and coverage of fake features in balls around real ones.

    A real row's ball reaches as far as its k-th nearest other real row; a row on the surface
    is outside, as in the authors' own code.

    Args:
        real: features of real images, array (n, d), n above k.
        fake: features of generated images, array (m, d), m at least 1.
        k: which neighbour gives the radius.

    Returns:
        A `DensityCoverage`. Coverage grows with the number of fake rows: compare at equal
        numbers.

    Raises:
        InputError: the features are no finite numbers, are too few or of different widths.

    Reference:
        Naeem et al. 2020, section 4, https://arxiv.org/abs/2002.09797
    """
    k = check_count("k", k)
    real, fake = check_pair(real, fake, k + 1, 1)
    radii = kth_distances(real, k)
    inside = 0
    covered = np.zeros(len(real), bool)
    for _, distances in distance_rows(fake, real):
        within = distances < radii
        inside += int(within.sum())
        covered |= within.any(axis=0)
    return DensityCoverage(inside / (k * len(fake)), float(covered.mean()))
