"""What every metric asks of the features it is given."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kgan.errors import InputError
from kgan.files import printable


def check_rows(name: str, features: npt.ArrayLike, least: int) -> np.ndarray:
    """Returns the features as an array of numbers (n, d), in their own dtype.

    Args:
        name: what they are called in an error message.
        features: array (n, d), one row an image.
        least: the fewest rows that the metric can use.

    Raises:
        InputError: they are no such array, are too few, or are not all finite.
    """
    try:
        array = np.asarray(features)
        if array.dtype.kind not in "iuf":
            raise TypeError
    except (TypeError, ValueError):  # of several lengths, too
        raise InputError(
            f"{name} must be an array of numbers (n, d), one row an image. "
            f"Received: {printable(repr(features), 60)}"
        ) from None
    if array.ndim != 2 or not array.shape[1]:
        raise InputError(
            f"{name} must be an array of numbers (n, d), one row an image. "
            f"Received: {array.dtype} {array.shape}"
        )
    if len(array) < least:
        raise InputError(f"{name} must have at least {least} rows. Received: {len(array)}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        row = int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0])
        wrong = array[row][~np.isfinite(array[row])][0]
        raise InputError(f"{name} must be finite numbers. Received: {wrong} in row {row}")
    return array


def check_pair(
    real: npt.ArrayLike, fake: npt.ArrayLike, least: int, least_fake: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Returns real and fake features as arrays of numbers of one width.

    Args:
        real, fake: arrays (n, d) and (m, d).
        least: the fewest rows of the real ones.
        least_fake: the fewest rows of the fake ones; None for as many.

    Raises:
        InputError: one of them is no such array, is too short or not finite, or they have
            different widths.
    """
    real = check_rows("real", real, least)
    fake = check_rows("fake", fake, least if least_fake is None else least_fake)
    check_width("real", real, "fake", fake)
    return real, fake


def check_width(one: str, features: np.ndarray, other: str, others: np.ndarray) -> None:
    """Raises an InputError where two checked arrays of features have different widths."""
    if features.shape[1] != others.shape[1]:
        raise InputError(
            f"{one} and {other} must have the same number of columns, the features of one "
            f"network. Received: {features.shape[1]} and {others.shape[1]}"
        )


def check_count(name: str, value: object, least: int = 1) -> int:
    """Returns a whole number of at least `least`; an InputError for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise InputError(
            f"{name} must be a whole number of at least {least}. Received: {name}={value!r}"
        )
    return int(value)
