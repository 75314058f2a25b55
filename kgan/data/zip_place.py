"""Pictures in a .zip file."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from kgan.data.image_files import LARGEST_FILE
from kgan.data.member_places import NOT_PLAIN, Member, MembersPlace, open_archive, parts_of
from kgan.errors import InputError
from kgan.files import first_line, printable
from kgan.names import name_of

ENCRYPTED = 1  # bit of a member's flags
LARGE = 2**26  # bytes


class ZipPlace(MembersPlace[zipfile.ZipInfo]):
    """The pictures in a .zip file, which stays open.

    Args:
        path: the file.

    Raises:
        InputError: it is none, is cut short or encrypted, has a name that leads out of it, or no
            picture.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._zip = _opened(path)
        left_out: dict[str, list[str]] = {}
        description = f"zip file {name_of(Path(path).resolve().name)}"
        super().__init__(os.fspath(path), description, self._plain(path, left_out), left_out)

    def _plain(
        self, path: str | os.PathLike[str], left_out: dict[str, list[str]]
    ) -> Iterator[Member[zipfile.ZipInfo]]:
        for info in self._zip.infolist():
            # Some programs on Windows write names with its own separator.
            name = parts_of(info.filename.replace("\\", "/"), path)
            kind = stat.S_IFMT(info.external_attr >> 16)
            if not name or info.filename.endswith(("/", "\\")) or kind == stat.S_IFDIR:
                continue
            if kind not in (0, stat.S_IFREG):
                left_out.setdefault(NOT_PLAIN, []).append(os.path.join(path, *name))
                continue
            if info.flag_bits & ENCRYPTED:
                raise InputError(
                    "An encrypted .zip file cannot be read; pack the pictures without a password. "
                    f"Received: {printable(info.filename)} in {path}"
                )
            yield Member(name, (), info, info.file_size, info.CRC)

    def opened(self, file: str) -> IO[bytes]:
        member = self._members[file]
        if LARGE < member.size <= LARGEST_FILE:  # not in memory: a few bytes can unpack to it
            return self._zip.open(member.key)
        return super().opened(file)

    def read(self, member: Member[zipfile.ZipInfo]) -> bytes:
        return self._zip.read(member.key)  # never more than `file_size`, whatever it unpacks to


def _opened(path: str | os.PathLike[str]) -> zipfile.ZipFile:
    # Given a file, zipfile does not count who reads from it, which threads would get wrong.
    file = open_archive(path)
    try:
        return zipfile.ZipFile(file)
    except Exception as problem:  # beside its own what struct, codecs and seeking raise
        file.close()
        raise InputError(
            f"Damaged, cut short or not a .zip file ({first_line(problem)}). Received: {path}"
        ) from None
