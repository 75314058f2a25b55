"""What can be an attribute of images: its name, its values and their range."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from kgan.errors import InputError
from kgan.files import as_typed, printable
from kgan.names import as_name

MOST_ATTRIBUTES = 256
LONGEST_NAME = 10_000  # characters; an export's readers take no longer text
NOT_IN_NAMES = ",="  # which stand between names and values where a user types them
LEAST_WIDTH = float(np.finfo(np.float32).tiny)  # of a range
MOST_WIDTH = 2.0 / LEAST_WIDTH


def check_names(names: Sequence[object]) -> list[str]:
    """The names as texts, each `kgan.names.as_name`.

    Raises:
        InputError: none or too many of them, one that is empty or too long, has a comma or an
            equals sign, or is there twice.
    """
    texts = [as_name(str(name)).strip() for name in names]
    if not 1 <= len(texts) <= MOST_ATTRIBUTES:
        raise InputError(f"There can be 1 to {MOST_ATTRIBUTES} attributes. Received: {len(texts)}")
    seen: set[bytes] = set()
    for text in texts:
        if len(text) > LONGEST_NAME:
            raise InputError(
                f"An attribute's name has at most {LONGEST_NAME:,} characters. "
                f"Received: {len(text):,}, {printable(text, 40)}"
            )
        if not text or set(text) & set(NOT_IN_NAMES):
            raise InputError(
                f"An attribute's name is not empty and has no comma and no equals sign. "
                f"Received: {printable(repr(text))}"
            )
        if as_typed(text) in seen:
            raise InputError(f"Attributes have different names. Received: {printable(text)} twice")
        seen.add(as_typed(text))
    return texts


def check_values(values: npt.ArrayLike, names: Sequence[str], count: int | None = None) -> Any:
    """The attributes of images as float32 (N, k).

    Args:
        values: the numbers or booleans.
        names: of the k attributes.
        count: number of images; None for any.

    Raises:
        InputError: they are of another kind or number, or one is not finite.
    """
    array, k = as_numbers(values), len(names)
    fits = array is not None and array.ndim == 2 and array.size and array.shape[1] == k
    if array is None or not fits or count not in (None, len(array)):
        received = "no numbers" if array is None else f"numbers {array.shape}"
        raise InputError(
            f"Attributes must be {'' if count is None else f'{count:,} '}rows, one per picture, of "
            f"{k} numbers. Received: {received}"
        )
    wrong = np.argwhere(~np.isfinite(array))
    if len(wrong):
        row, column = wrong[0]
        raise InputError(
            f"Attributes are finite numbers. Received: {printable(names[column])} = "
            f"{array[row, column]} of picture {row}"
        )
    return array


def can_scale(low: Any, high: Any) -> bool:
    """Whether float32 brings a range to [-1, 1]: its width and 2 / width are normal numbers."""
    with np.errstate(all="ignore"):
        width = np.float32(high) - np.float32(low)
    return bool(LEAST_WIDTH <= width <= MOST_WIDTH)


def as_numbers(values: Any) -> np.ndarray | None:
    """Numbers as float32, None for anything else; too large ones become infinite."""
    try:
        array = np.asarray(values)
    except ValueError:  # lists of several lengths
        return None
    if array.dtype.kind not in "buif":
        return None
    with np.errstate(over="ignore"):
        return array.astype(np.float32)
