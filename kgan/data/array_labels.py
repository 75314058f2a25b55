"""Labels in any common form as whole numbers from 0 up, and a name for each class."""

from __future__ import annotations

import logging
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from kgan.errors import InputError
from kgan.files import printable
from kgan.names import as_name

LOG = logging.getLogger("kgan")


def number_labels(
    labels: Any, count: int, class_names: Sequence[str] | None = None
) -> tuple[np.ndarray, list[str]]:
    """Labels as int32 (N,) from 0 up, and a name per class.

    Args:
        labels: (N,) or (N, 1): whole numbers from 0 or from 1 up, floats of such values
            included; booleans; or names, which are numbered in their order. An array of
            Python objects may hold any of these.
        count: number of images.
        class_names: a name per class, for numbers from 0 up; None for the numbers themselves.

    Raises:
        InputError: not one per image, of another kind, below 0, or with a class
            that no image has.
    """
    array = _one_per_image(labels, count)
    if array.dtype.kind == "U":
        found, array = np.unique(array, return_inverse=True)
        class_names = found.tolist()
    elif array.dtype.kind == "b":
        class_names = class_names or ("False", "True")
    elif array.dtype.kind == "f":
        wrong = array[~np.isfinite(array) | (array != np.rint(array))]
        if len(wrong):
            raise InputError(f"Labels are whole numbers or names. Received: {wrong[0]}")
    values = [int(value) for value in np.unique(array)]
    first = int(class_names is None and values[0] == 1)
    last = len(class_names) - 1 if class_names else values[-1]
    if values[0] < 0:
        raise InputError(f"Labels are whole numbers from 0 up. Received: {values[0]}")
    if values[-1] > last:
        raise InputError(f"A label is a whole number from 0 to {last}. Received: {values[-1]}")
    known = set(values)
    missing = next((label for label in range(first, last + 1) if label not in known), None)
    if missing is not None:
        raise InputError(
            f"Every label from {first} to {last} needs at least one picture; "
            f"label {missing} has none."
        )
    if last == first:
        raise InputError("Labels must have at least two classes. Received: 1")
    if first:
        LOG.warning("labels run from 1 to %d: the class named 1 becomes label 0", last)
    names = [as_name(name) for name in class_names or map(str, values)]
    if len(set(names)) < len(names):
        raise InputError(f"Each class has a name of its own. Received: {printable(names)}")
    return array.astype(np.int64).astype(np.int32) - first, names


def names_that_fit(texts: Sequence[str | bytes], numbers: list[str]) -> list[str]:
    """The names that a file has for classes known by their numbers; where they do not fit, those.

    A file may hold texts of that name for a purpose of its own: what does not fit is said, and no
    error.

    Args:
        texts: the file's, a name per class; bytes are UTF-8.
        numbers: the classes as `number_labels` names them without.
    """
    names = [as_name(_text(text)) for text in texts]
    if len(names) != len(numbers):
        why = f"{len(names)} names for {len(numbers)} classes"
    elif len(set(names)) < len(names):
        why = f"each class has a name of its own, not {printable(names)}"
    else:
        return names
    LOG.warning("class_names are ignored: %s", why)
    return numbers


def are_numbers(names: Sequence[str]) -> bool:
    """Whether classes are named by their numbers, from 0 or 1 up, as where a file names none."""
    return any(list(names) == [str(first + k) for k in range(len(names))] for first in (0, 1))


def _one_per_image(labels: Any, count: int) -> np.ndarray:
    """Labels as an array (N,) of numbers, booleans or `as_name` texts."""
    try:
        array = np.asarray(labels)
    except ValueError:  # lists of several lengths
        array = np.empty(0, object)
    if array.shape == (count, 1):
        array = array[:, 0]
    if array.shape == (count,) and array.dtype.kind == "O":
        array = _of_objects(array.tolist())
    if array.shape == (count,) and array.dtype.kind in "SUT":
        texts = [_text(value) for value in array.tolist()]
        array = np.array([as_name(text) for text in texts], "U")
    if array.shape != (count,) or array.dtype.kind not in "buifU":
        raise InputError(
            f"labels must be {count} whole numbers or names, one per picture. "
            f"Received: {array.dtype} {array.shape}"
        )
    return array


def _of_objects(values: list[Any]) -> np.ndarray:
    """An array of Python objects as one of texts or of numbers."""
    texts = isinstance(values[0], (str, bytes))
    fitting = (str, bytes) if texts else (numbers.Real, np.bool_)
    for value in values:
        if not isinstance(value, fitting):
            raise InputError(
                "labels must be whole numbers or names, all of one kind. "
                f"Received: {printable(repr(value))}"
            )
    return np.array([_text(value) for value in values] if texts else values)


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "backslashreplace")
