"""Labels of conditional models, classes or attributes: derived from seeds, named, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from kgan.attributes import Attributes
from kgan.errors import InputError
from kgan.files import place_of, printable
from kgan.names import as_name

# What a conditional model takes as labels: a number of classes, or attributes.
Condition: TypeAlias = int | Attributes


def from_seeds(seeds: Sequence[int], condition: Condition) -> np.ndarray:
    """Default labels: each seed modulo the number of classes; of attributes the seed's row.

    Returns:
        int64 array (N,), or float32 (N, k) of k attributes.
    """
    if isinstance(condition, Attributes):
        return condition.from_seeds(seeds)
    return np.asarray([seed % condition for seed in seeds], np.int64)


def check_labels(
    labels: Any, n: int, condition: Condition | None, seeds: Sequence[int] | None = None
) -> np.ndarray:
    """The labels of n images as an array.

    Args:
        labels: one int for all images, or n ints; of attributes what `Attributes.asked` takes.
        n: number of images.
        condition: number of classes, or attributes; None for a model without either.
        seeds: the images' seeds; None for images without.

    Returns:
        int64 array (n,), or float32 (n, k) of k attributes.

    Raises:
        InputError: the model has no classes, there are not n ints, or one is outside 0
            to the number of classes minus 1; or as for `Attributes.asked`.
    """
    if condition is None:
        raise InputError(f"This model has no classes. Received: labels={labels!r}")
    if isinstance(condition, Attributes):
        return condition.asked(labels, n, seeds)
    try:
        array = np.asarray(labels)
    except ValueError:  # lists of several lengths
        array = np.empty(0)
    if array.shape not in ((), (n,)) or not np.issubdtype(array.dtype, np.integer):
        raise InputError(
            f"labels must be one whole number, or one per image ({n}). "
            f"Received: {printable(repr(labels), 60)}"
        )
    if array.min() < 0 or array.max() >= condition:
        raise InputError(
            f"A label is a whole number from 0 to {condition - 1}. Received: "
            f"{array[(array < 0) | (array >= condition)].ravel()[0]}"
        )
    array = array.astype(np.int64)
    return array if array.ndim else np.broadcast_to(array, (n,))  # of any number in no memory


def check_attributes(attributes: Any) -> Attributes:
    """The attributes of a model, or those of its config.

    Raises:
        InputError: neither.
    """
    if isinstance(attributes, Mapping):
        try:
            attributes = Attributes.from_config(attributes)
        except (LookupError, TypeError, ValueError):
            pass
    if not isinstance(attributes, Attributes):
        raise InputError(
            "attributes are kgan.Attributes, such as open_source(...).attributes or "
            f"kgan.Attributes.of(names, values). Received: {printable(repr(attributes), 200)}"
        )
    return attributes


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
    label = place_of(name, class_names or ())
    if label is not None:
        return label
    if name.isascii() and name.isdecimal():
        digits = name.lstrip("0") or "0"
        # Of thousands of them Python makes no number.
        if len(digits) <= len(str(num_classes)) and int(digits) < num_classes:
            return int(digits)
    known = ", ".join(class_names) if class_names else f"0 to {num_classes - 1}"
    raise InputError(f"No such class. Known: {known}. Received: {name!r}")
