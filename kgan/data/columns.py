"""Columns of tables of images: which holds the images, which the labels."""

from __future__ import annotations

from collections.abc import Iterable

from kgan.errors import InputError
from kgan.files import printable

LABELS = ("label", "labels", "class", "target", "fine_label")


def label_column(columns: Iterable[str], wanted: str | None, received: object) -> str | None:
    """The column of labels: the one asked for, else the first of `LABELS`; None without.

    Args:
        columns: names of those there are.
        wanted: the name that the user gave; None for none.
        received: the table, for the message.

    Raises:
        InputError: there is no column of the name asked for.
    """
    there = list(columns)
    if wanted is None:
        return next((name for name in LABELS if name in there), None)
    return existing(wanted, there, received)


def existing(wanted: str, columns: Iterable[str], received: object) -> str:
    """A column that the user named.

    Raises:
        InputError: there is none of that name.
    """
    there = list(columns)
    if wanted not in there:
        raise InputError(
            f"No such column; there is {printable(', '.join(there), 200) or 'none'}. "
            f"Received: {printable(wanted)} for {received}"
        )
    return wanted
