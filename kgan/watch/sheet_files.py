"""The sheets of samples in a run's directory."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from kgan.errors import InputError
from kgan.reading import read_bytes

NAME = re.compile(r"step-(\d{6,15})\.png")
PNG = b"\x89PNG\r\n\x1a\n"
LARGEST = 2**26  # bytes of one
MOST_LISTED = 400  # a run that keeps all may have many thousands


class Sheet(NamedTuple):
    """A sheet of samples.

    Attributes:
        step: batches seen when it was drawn.
        name: of its file.
        changed: when it was written, in nanoseconds since 1970.
    """

    step: int
    name: str
    changed: int


def sheets(directory: Path, most: int = MOST_LISTED) -> list[Sheet]:
    """The sheets of a directory by their steps, the first and the last, and others between them.

    Args:
        directory: where they are; none where it is not there.
        most: how many, at least 2.
    """
    found = []
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                match = NAME.fullmatch(entry.name)
                if match and entry.is_file(follow_symlinks=False):
                    found.append(Sheet(int(match[1]), entry.name, entry.stat().st_mtime_ns))
    except OSError:
        pass  # not there, or one of them has gone meanwhile
    found.sort()
    if len(found) <= most:
        return found
    return [found[round(place * (len(found) - 1) / (most - 1))] for place in range(most)]


def read_sheet(directory: Path, name: str) -> bytes:
    """The content of a sheet.

    Raises:
        InputError: that is not a sheet's name, or what has it is no PNG file.
        OSError: it is not there.
    """
    if not NAME.fullmatch(name):
        raise InputError(f"A sheet is called step-000000.png or so. Received: {name!r}")
    path = directory / name
    if path.is_symlink():  # to what nobody meant to show
        raise InputError(f"A link is not shown. Received: {name}")
    data = read_bytes(path, LARGEST)
    if not data.startswith(PNG):
        raise InputError(f"Not a PNG file. Received: {name}")
    return data
