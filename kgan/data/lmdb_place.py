"""Pictures in an LMDB, as LSUN is published: each value is an encoded picture."""

from __future__ import annotations

import importlib
import os
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kgan.data.member_places import Member, MembersPlace, parts_of
from kgan.errors import InputError
from kgan.files import first_line
from kgan.names import name_of

DATA_FILE = "data.mdb"  # in an LMDB that is a folder


class _Environment:
    """An open LMDB. A process may open one only once: it is shared by all who read it."""

    def __init__(self, env: Any) -> None:
        self.env = env


OPEN: weakref.WeakValueDictionary[tuple[int, int], _Environment] = weakref.WeakValueDictionary()


class LmdbPlace(MembersPlace[bytes]):
    """The pictures in an LMDB, by their keys.

    Args:
        path: the folder with its `DATA_FILE`, or its only file.

    Raises:
        InputError: the library is not installed, or this is none, is cut short, or is empty.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._open = _opened(Path(path))
        description = f"LMDB {name_of(Path(path).resolve().name)}"
        super().__init__(os.fspath(path), description, self._entries(path), {})

    def _entries(self, path: str | os.PathLike[str]) -> Iterator[Member[bytes]]:
        with self._open.env.begin(buffers=True) as view:
            for key, value in view.cursor():
                name = parts_of(_text(bytes(key)), path)
                if name:
                    yield Member(name, (), bytes(key), len(value), None)

    def _list(self, file: str) -> None:
        self.listing.images.append(file)  # keys seldom end as names of pictures do

    def is_text(self, name: str) -> bool:
        return False

    def read(self, member: Member[bytes]) -> bytes:
        with self._open.env.begin() as view:
            data = view.get(member.key)
        if data is None:
            raise OSError("no longer there")
        return data


def _text(key: bytes) -> str:
    """A key as a name; one that is no text in hexadecimal."""
    try:
        text = key.decode()
    except UnicodeDecodeError:
        return key.hex()
    return text if text.isprintable() else key.hex()


def _opened(path: Path) -> _Environment:
    try:
        lmdb: Any = importlib.import_module("lmdb")
    except ImportError as problem:
        raise InputError(
            f"An LMDB is read with pip install kgan[lmdb] ({first_line(problem)}). Received: {path}"
        ) from None
    folder = path.is_dir()
    file = path / DATA_FILE if folder else path
    try:
        status = os.stat(file)
        known = OPEN.get((status.st_dev, status.st_ino))
        if known is not None:
            return known
        env = lmdb.open(os.fspath(path), subdir=folder, readonly=True, lock=False, readahead=False)
        # A page behind the file's end would end the process.
        least = (env.info()["last_pgno"] + 1) * env.stat()["psize"]
    except (lmdb.Error, OSError) as problem:
        raise InputError(
            f"Damaged, cut short or no LMDB ({first_line(problem)}). Received: {path}"
        ) from None
    if status.st_size < least:
        env.close()
        raise InputError(
            f"Damaged: this LMDB has {status.st_size:,} of its {least:,} bytes. Received: {path}"
        )
    opened = _Environment(env)
    OPEN[status.st_dev, status.st_ino] = opened
    return opened
