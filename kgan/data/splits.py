"""Subfolders that are parts of a set, such as train and test, and no classes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from kgan.data.places import Place
from kgan.errors import InputError
from kgan.files import printable
from kgan.names import name_of

TRAIN, ALL = "train", "all"
NAMES = (TRAIN, "test", "val", "valid", "validation")


class Split(NamedTuple):
    """What of a place's pictures is taken.

    Attributes:
        name: which of the splits, `ALL` for everything.
        files: paths of the pictures that are taken.
        others: {path of another split: number of its pictures}.
    """

    name: str
    files: list[str]
    others: dict[str, int]

    def remark(self) -> str:
        """One line on what is left out."""
        left = ", ".join(
            f"{printable(path, None)} ({count:,} pictures)" for path, count in self.others.items()
        )
        return (
            f"splits and no classes: {self.name} is taken, not {left}; --split NAME takes "
            "another, --split all everything"
        )


def take(place: Place, files: Sequence[str], split: str | None) -> Split:
    """The pictures of one split, where the place has splits: subfolders of `NAMES`, nothing beside.

    They are directly below the place, or below the only subfolder, as where classes are looked
    for. The case of letters does not matter.

    Args:
        place: the place.
        files: paths of its pictures, at least one.
        split: the name of one; `ALL` for all pictures, the subfolders being classes as any; None
            for train.

    Raises:
        InputError: there is no such split.
    """
    if split == ALL:
        return Split(ALL, list(files), {})
    found: dict[str, list[str]] = {}
    parts = {file: place.below(file).split(os.sep) for file in files}
    depth = 0
    for depth in range(min(map(len, parts.values())) - 1):
        tops = {each[depth]: name_of(each[depth]).lower() for each in parts.values()}
        if all(name in NAMES for name in tops.values()):
            for file in files:  # Train and train are one
                found.setdefault(tops[parts[file][depth]], []).append(file)
        if len(tops) > 1 or found:
            break
    if split is None and len(found) < 2:  # one subfolder with everything means nothing
        return Split(ALL, list(files), {})
    if not found:
        raise InputError(
            "A split is a subfolder, train or test (val, valid, validation), beside others of "
            f"these names alone. Received: {split!r} for {place.path}, which has none"
        )
    wanted = TRAIN if split is None else split.lower()
    if wanted not in found:
        raise InputError(
            f"The splits there are {', '.join(sorted(found))}; all takes everything. "
            f"Received: {wanted!r} for {place.path}"
        )
    others = {}
    for name in sorted(found.keys() - {wanted}):
        path = found[name][0]
        for _ in parts[path][depth + 1 :]:
            path = os.path.dirname(path)
        others[path] = len(found[name])
    return Split(wanted, found[wanted], others)
