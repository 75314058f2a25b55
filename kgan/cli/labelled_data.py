"""Data of a command with their classes, where they have any."""

from typing import TYPE_CHECKING, Any

from kgan.errors import InputError
from kgan.files import printable

if TYPE_CHECKING:
    from kgan.data import Source


def open_labelled(options: dict[str, Any]) -> tuple["Source", str | None]:
    """(the source that options of `kgan.data.open_source` name, why it has no labels or None).

    Raises:
        InputError: it cannot be opened without them either.
    """
    from kgan.data import open_source

    try:
        return open_source(**options, labels=True), None
    except InputError as problem:
        # What is wrong may be labels alone.
        return open_source(**options), printable(problem, None)
