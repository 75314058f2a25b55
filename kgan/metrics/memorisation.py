"""Whether generated images are copies of training images."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kgan.errors import InputError
from kgan.metrics.feature_arrays import check_count, check_rows, check_width
from kgan.metrics.neighbours import nearest_rows


class Memorisation(NamedTuple):
    """How near generated images are to training images, and how near is too near.

    Attributes:
        share: share of the fake rows that are suspicious.
        expected: share of unseen real rows that would be, the level of the calibration.
        threshold: distance below which a fake row is suspicious.
        duplicates: number of fake rows that are equal to a training row.
        distances: float64 (m, k), of each fake row to its k nearest training rows, ascending.
        indices: int64 (m, k), which rows these are.
        suspicious: bool (m,), by fake row.
    """

    share: float
    expected: float
    threshold: float
    duplicates: int
    distances: np.ndarray
    indices: np.ndarray
    suspicious: np.ndarray


def nearest(
    fake: npt.ArrayLike, train: npt.ArrayLike, *, k: int = 5
) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest training rows of each fake row, by Euclidean distance.

    Args:
        fake: features of generated images, or their pixels, array (m, d) of any numbers.
        train: those of all training images, array (n, d), n at least k. It is read in blocks
            and can be mapped from a file.
        k: number of neighbours.

    Returns:
        (distances, float64 (m, k), ascending, exactly 0 for equal rows; rows of `train`, int64
        (m, k)).

    Raises:
        InputError: the rows are no finite numbers, are too few or of different widths.
    """
    k = check_count("k", k)
    fake, train = check_rows("fake", fake, 1), check_rows("train", train, k)
    check_width("fake", fake, "train", train)
    return nearest_rows(fake, train, k)


def memorisation(
    fake: npt.ArrayLike,
    train: npt.ArrayLike,
    held_out: npt.ArrayLike,
    *,
    level: float = 0.01,
    k: int = 5,
) -> Memorisation:
    """Compares the generated images' nearest training images with those of unseen real ones.

    The threshold is the distance to the nearest training row that a share `level` of the held-out
    rows stays below. A fake row is suspicious where it is nearer than that, or equal to a
    training row. A generator that memorises nothing has a share around `level`; one whose images
    are blurred can have more by pixels, as the blurred are near to everything, so look at
    features too.

    Args:
        fake: features of generated images, or their pixels, array (m, d).
        train: those of all training images, array (n, d), n at least k; read in blocks.
        held_out: those of real images that were not trained on, array (h, d), h at least
            1 / `level`.
        level: share of unseen real rows that would be suspicious, between 0 and 1.
        k: number of neighbours to report.

    Returns:
        A `Memorisation`.

    Raises:
        InputError: the rows are no finite numbers, are too few or of different widths, or
            `level` is not between 0 and 1.
    """
    if not isinstance(level, (int, float)) or not 0 < level < 1:
        raise InputError(f"level must be between 0 and 1. Received: {level!r}")
    distances, indices = nearest(fake, train, k=k)
    train = np.asarray(train)
    unseen = check_rows("held_out", held_out, int(np.ceil(1 / level)))
    check_width("held_out", unseen, "train", train)
    closest, _ = nearest_rows(unseen, train, 1)
    threshold = float(np.quantile(closest[:, 0], level, method="lower"))
    equal = distances[:, 0] == 0
    suspicious = equal | (distances[:, 0] < threshold)
    return Memorisation(
        float(suspicious.mean()),
        level,
        threshold,
        int(equal.sum()),
        distances,
        indices,
        suspicious,
    )
