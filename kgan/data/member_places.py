"""What places within files have in common: members with names, of which none is ever unpacked."""

from __future__ import annotations

import abc
import io
import os
import re
from collections.abc import Iterable, Sequence
from typing import IO, Any, Generic, NamedTuple, TypeVar

from kgan import memory
from kgan.data.folder_listing import APPLES, HIDDEN, Listing
from kgan.data.image_files import LARGEST_FILE, reason
from kgan.data.picture_lists import METADATA
from kgan.data.places import Place
from kgan.errors import InputError
from kgan.files import printable
from kgan.memory import in_words
from kgan.reading import LARGEST_TEXT, check_file

DRIVE = re.compile("[A-Za-z]:")
NOT_PLAIN = "links, devices and files with holes"
REPLACED = "files that have the name of a later one"
Key = TypeVar("Key")  # what finds a member again


class Member(NamedTuple, Generic[Key]):
    """A member that may be a picture.

    Attributes:
        name: parts of its name.
        within: parts of the path to what it lies in, which are no part of its name; none where
            the place is one file.
        key: what finds it again.
        size: its bytes.
        origin: what else tells it from another member of that name and size.
    """

    name: tuple[str, ...]
    within: tuple[str, ...]
    key: Key
    size: int
    origin: Any


class MembersPlace(Place, Generic[Key]):
    """A place within one file or several.

    A member's path is that of the file, or of the files' folder, and its name; it is shown and
    compared, and never opened.

    Args:
        path, description: as for `Place`.
        members: all that are plain files.
        left_out: {why: names} of others; `members` may add to it while it is read.

    Raises:
        InputError: there is no picture among them.
    """

    def __init__(
        self,
        path: str,
        description: str,
        members: Iterable[Member[Key]],
        left_out: dict[str, list[str]],
    ) -> None:
        super().__init__(path, description, Listing([], [], [], [], [], left_out))
        self._members: dict[str, Member[Key]] = {}
        self._texts: dict[str, Member[Key]] = {}
        for member in members:
            self._add(member)
        # As a folder of the same files is listed: in each folder the files, then the folders.
        self.listing.images = sorted(set(self.listing.images), key=self._place_in_order)
        self.listing.check("in it", path)

    def _add(self, member: Member[Key]) -> None:
        file = os.path.join(self.path, *member.within, *member.name)
        *folders, name = member.name
        if APPLES in folders:
            return
        if any(folder.startswith(".") for folder in folders):
            self.listing.leave_out(HIDDEN, file)
        elif self.is_text(name):
            self._texts[os.path.join(*member.within, *member.name)] = member
        else:
            if file in self._members:
                self.listing.leave_out(REPLACED, file)
            self._list(file)
            self._members[file] = member

    def _list(self, file: str) -> None:
        """Adds a member to the listing by its name."""
        self.listing.add_file(file)

    def is_text(self, name: str) -> bool:
        """Whether a member is one that `text_file` may be asked for."""
        return name.lower().endswith(".json") or name in METADATA

    def _place_in_order(self, file: str) -> tuple[tuple[int, str], ...]:
        member = self._members[file]
        *folders, name = *member.within, *member.name
        return (*((1, folder) for folder in folders), (0, name))

    def opened(self, file: str) -> IO[bytes]:
        member = self._members[file]
        if not member.size:
            raise OSError("an empty file")
        if member.size > LARGEST_FILE:
            raise OSError(f"a file of {in_words(member.size)}, larger than any picture")
        memory.check("This file", member.size)
        return io.BytesIO(self.read(member))

    @abc.abstractmethod
    def read(self, member: Member[Key]) -> bytes:
        """The content of a member, no more than its size; several threads may ask at once."""

    def text_file(self, name: str) -> bytes | None:
        member = self._texts.get(name)
        if member is None:
            return None
        if member.size > LARGEST_TEXT:
            raise OSError(f"a text of {in_words(member.size)}")
        return self.read(member)

    def origins(self, files: Sequence[str]) -> list[Any]:
        # By what is in them alone, wherever the file that holds them lies.
        members = (self._members[file] for file in files)
        return [(each.within, each.name, each.size, each.origin) for each in members]

    def sizes(self, files: Sequence[str]) -> list[int]:
        return [self._members[file].size for file in files]

    def below(self, file: str) -> str:
        return os.path.join(*self._members[file].name)


def open_archive(path: str | os.PathLike[str]) -> IO[bytes]:
    """Opens a file that has members.

    Raises:
        InputError: there is no such file, or it cannot be read.
    """
    try:
        check_file(path)
        return open(path, "rb")
    except FileNotFoundError:
        raise InputError(f"No such file. Received: {path}") from None
    except OSError as problem:
        raise InputError(f"Cannot read this file: {reason(problem)}. Received: {path}") from None


def parts_of(name: str, path: object) -> tuple[str, ...]:
    """The parts of a member's name; () for one that names nothing.

    Raises:
        InputError: it is absolute, or leads out of where it would be unpacked.
    """
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or DRIVE.match(name) or "\0" in name:
        raise InputError(
            "Names in an archive must be relative, without .. in them; pack the folder itself. "
            f"Received: {printable(name)} in {path}"
        )
    return tuple(part for part in parts if part not in ("", "."))
