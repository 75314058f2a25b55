"""Where the members of a .tar file lie in it, those of tars within it too."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from typing import IO, NamedTuple

from kgan.data.folder_listing import ARCHIVES
from kgan.data.member_places import NOT_PLAIN, parts_of
from kgan.data.sources import LOG
from kgan.errors import InputError
from kgan.files import first_line

LARGEST_HEADER = 2**24  # bytes: of names and facts that stand before a member
SUFFIX = ".tar"


class Found(NamedTuple):
    """A plain file in a tar.

    Attributes:
        name: parts of its name; the first is that of the tar within this one that holds it.
        tar: path of the tar.
        offset, size: where its content is, in bytes.
        time: when it was changed, in seconds.
    """

    name: tuple[str, ...]
    tar: str
    offset: int
    size: int
    time: float


class _Headers:
    """A binary file of which `tarfile` reads headers alone, none larger than `LARGEST_HEADER`."""

    def __init__(self, file: IO[bytes]) -> None:
        self.seek, self.tell = file.seek, file.tell
        self._read = file.read

    def read(self, size: int) -> bytes:
        if not 0 <= size <= LARGEST_HEADER:  # below 0 a file is read to its end
            raise tarfile.ReadError(f"a header of {size:,} bytes")
        return self._read(size)


def index(file: IO[bytes], path: str, left_out: dict[str, list[str]]) -> Iterator[Found]:
    """Yields the plain files in a tar, and those in the tars that are plain files in it.

    Args:
        file: the tar, open; a packed one's content.
        path: its path.
        left_out: {why: names} of what is no plain file, to add to.

    Raises:
        InputError: it is no tar, is damaged or cut short, or has a name that leads out of it.
    """
    size = file.seek(0, os.SEEK_END)
    for found in _files_in(file, path, 0, size, left_out):
        # Beside n01.tar, a Mac packs a ._n01.tar, which is none.
        if not found.name[-1].lower().endswith(SUFFIX) or found.name[-1].startswith("."):
            yield found
            continue
        inside = (*found.name[:-1], found.name[-1][: -len(SUFFIX)])
        for inner in _files_in(file, path, found.offset, found.offset + found.size, left_out):
            if inner.name[-1].lower().endswith(SUFFIX):
                left_out.setdefault(ARCHIVES, []).append(os.path.join(path, *inside, *inner.name))
            else:
                yield inner._replace(name=(*inside, *inner.name))


def _files_in(
    file: IO[bytes], path: str, start: int, end: int, left_out: dict[str, list[str]]
) -> Iterator[Found]:
    """Yields the plain files of the tar between two places of a file."""
    file.seek(start)
    whole = 0
    try:
        tar = tarfile.TarFile(fileobj=_Headers(file))  # type: ignore[arg-type]
    except Exception as problem:  # tarfile lets others through: of codecs, struct and numbers
        raise _damaged(path, first_line(problem)) from None
    while True:
        try:
            info = tar.next()
        except Exception as problem:
            raise _damaged(
                path, f"{first_line(problem)}; {whole:,} whole members precede"
            ) from None
        tar.members.clear()  # type: ignore[attr-defined]  # it would keep them all
        if info is None or info.offset >= end:
            break
        if info.size < 0 or info.offset_data + info.size > end:  # below 0 it leads back
            raise _damaged(path, f"{whole:,} whole members precede")
        whole += 1
        name = parts_of(info.name, path)
        if not name or info.isdir():
            continue
        if not info.isreg() or info.issparse():
            left_out.setdefault(NOT_PLAIN, []).append(os.path.join(path, *name))
            continue
        yield Found(name, path, info.offset_data, info.size, info.mtime)
    # tarfile takes whatever is no header for the end.
    file.seek(tar.offset)
    mark = file.read(tarfile.BLOCKSIZE) if tar.offset < end else b""
    if not mark:
        LOG.warning("this .tar file has no mark at its end: it may have been cut short: %s", path)
    elif mark.strip(b"\0") or len(mark) < tarfile.BLOCKSIZE:
        raise _damaged(path, f"{whole:,} whole members precede")


def _damaged(path: str, why: str) -> InputError:
    return InputError(f"Damaged, cut short or not a .tar file ({why}). Received: {path}")
