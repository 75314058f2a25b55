"""Class labels of conditional models: from seeds, from a user's words, checked."""

import numbers

import numpy as np

from kgan.errors import InputError


def from_seeds(seeds, num_classes):
    """The labels of pictures for which none was asked: each seed modulo the number of classes.

    Returns:
        int64 array (N,).
    """
    return np.asarray([seed % num_classes for seed in seeds], np.int64)


def check_labels(labels, n, num_classes):
    """The labels of n pictures as an array.

    Args:
        labels: one int for all, or n ints.
        n: number of pictures.
        num_classes: number of classes; None for a model without classes.

    Returns:
        int64 array (n,).

    Raises:
        InputError: the model has no classes, not n ints, or one outside 0 to
            num_classes - 1.
    """
    if num_classes is None:
        raise InputError(f"This model has no classes. Received: labels={labels!r}")
    array = np.asarray(labels)
    if isinstance(labels, numbers.Integral):
        array = np.full(n, labels)
    if array.shape != (n,) or not np.issubdtype(array.dtype, np.integer):
        raise InputError(
            f"labels must be one whole number, or as many as there are pictures ({n}). "
            f"Received: {labels!r}"
        )
    if array.min() < 0 or array.max() >= num_classes:
        raise InputError(
            f"A label is a whole number from 0 to {num_classes - 1}. Received: "
            f"{array[(array < 0) | (array >= num_classes)][0]}"
        )
    return array.astype(np.int64)


def check_class_names(class_names, num_classes):
    """The names as a list of `num_classes` strings; None stays None.

    Raises:
        InputError: another number of names, or one that comes twice.
    """
    if class_names is None:
        return None
    if num_classes is None:
        raise InputError(
            f"class_names go with num_classes. Received: {class_names!r} and num_classes=None"
        )
    names = [str(name) for name in class_names]
    if len(names) != num_classes or len(set(names)) != len(names):
        raise InputError(
            f"class_names must be {num_classes} different names, one a class. Received: {names}"
        )
    return names


def index_of(name, class_names, num_classes):
    """The label that a user means by a class's name or number.

    Raises:
        InputError: the model has no such class.
    """
    if num_classes is None:
        raise InputError(f"This model has no classes. Received: {name!r}")
    if class_names and name in class_names:
        return class_names.index(name)
    if name.isascii() and name.isdecimal() and int(name) < num_classes:
        return int(name)
    known = ", ".join(class_names) if class_names else f"0 to {num_classes - 1}"
    raise InputError(f"No such class. Known: {known}. Received: {name!r}")
