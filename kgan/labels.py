"""Class labels of conditional models: derived from seeds, looked up by name, checked."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from kgan.errors import InputError
from kgan.files import printable
from kgan.names import as_name


def from_seeds(seeds: Iterable[int], num_classes: int) -> np.ndarray:
    """Default labels: each seed modulo the number of classes.

    Returns:
        int64 array (N,).
    """
    return np.asarray([seed % num_classes for seed in seeds], np.int64)


def check_labels(labels: npt.ArrayLike, n: int, num_classes: int | None) -> np.ndarray:
    """The labels of n images as an array.

    Args:
        labels: one int for all images, or n ints.
        n: number of images.
        num_classes: number of classes; None for a model without classes.

    Returns:
        int64 array (n,).

    Raises:
        InputError: the model has no classes, there are not n ints, or one is outside 0
            to num_classes - 1.
    """
    if num_classes is None:
        raise InputError(f"This model has no classes. Received: labels={labels!r}")
    array = np.asarray(labels)
    if isinstance(labels, numbers.Integral):
        array = np.full(n, labels)
    if array.shape != (n,) or not np.issubdtype(array.dtype, np.integer):
        raise InputError(
            f"labels must be one whole number, or one per image ({n}). Received: {labels!r}"
        )
    if array.min() < 0 or array.max() >= num_classes:
        raise InputError(
            f"A label is a whole number from 0 to {num_classes - 1}. Received: "
            f"{array[(array < 0) | (array >= num_classes)][0]}"
        )
    return array.astype(np.int64)


def check_class_names(
    class_names: Sequence[object] | None, num_classes: int | None
) -> list[str] | None:
    """The names as a list of `num_classes` strings, each `kgan.names.as_name`; None stays None.

    Raises:
        InputError: the number of names is wrong, or a name is repeated.
    """
    if class_names is None:
        return None
    if num_classes is None:
        raise InputError(
            f"class_names need num_classes. Received: {class_names!r} and num_classes=None"
        )
    names = [as_name(str(name)) for name in class_names]
    if len(names) != num_classes or len(set(names)) != len(names):
        raise InputError(
            f"class_names must be {num_classes} different names, one per class. Received: {names}"
        )
    return names


def index_of(name: str, class_names: Sequence[str] | None, num_classes: int | None) -> int:
    """The label of the class that a user names by its name, typed or as printed, or by number.

    The case of letters does not matter where it tells no names apart.

    Raises:
        InputError: the model has no such class.
    """
    if num_classes is None:
        raise InputError(f"This model has no classes. Received: {name!r}")
    wanted = _as_printed(name)
    for label, class_name in enumerate(class_names or ()):
        if _as_printed(class_name) == wanted:
            return label
    # Only then in another case: names may differ by that alone.
    folded = [_as_printed(class_name.casefold()) for class_name in class_names or ()]
    if folded.count(_as_printed(name.casefold())) == 1:
        return folded.index(_as_printed(name.casefold()))
    if name.isascii() and name.isdecimal() and int(name) < num_classes:
        return int(name)
    known = ", ".join(class_names) if class_names else f"0 to {num_classes - 1}"
    raise InputError(f"No such class. Known: {known}. Received: {name!r}")


def _as_printed(name: str) -> bytes:
    """A name as a terminal shows it that knows no characters but ASCII."""
    return printable(as_name(name), None).encode("ascii", "backslashreplace")
