"""Where picture files lie: a folder, or what holds files as a folder does."""

from __future__ import annotations

import abc
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from kgan.data import folder_listing, image_files
from kgan.data.folder_listing import Listing
from kgan.names import name_of
from kgan.reading import LARGEST_TEXT, read_bytes


class Place(abc.ABC):
    """Picture files under paths, whatever holds them.

    Attributes:
        path: the path that those of all files begin with.
        description: what it is, such as "folder photos".
        listing: its files; their paths are those of a folder, wherever they really are.
        beside: where `labels_beside` finds labels, in words.
    """

    beside = "beside the pictures"

    def __init__(self, path: str, description: str, listing: Listing) -> None:
        self.path, self.description, self.listing = path, description, listing

    @abc.abstractmethod
    def opened(self, file: str) -> str | IO[bytes]:
        """What Pillow opens for a picture of the listing: a path or a binary file.

        Threads may ask for several at once.

        Raises:
            OSError: it cannot be read, or can be no picture; with an error number where the disk
                or the network failed and not the picture.
        """

    @abc.abstractmethod
    def text_file(self, name: str) -> bytes | None:
        """The content of a small file by its path below the place; None where there is none.

        Raises:
            OSError, ValueError: it cannot be read.
        """

    @abc.abstractmethod
    def origins(self, files: Sequence[str]) -> list[Any]:
        """What tells these pictures from others, for `kgan.data.Source.fingerprint`."""

    @abc.abstractmethod
    def sizes(self, files: Sequence[str]) -> list[int]:
        """Bytes of each of these pictures."""

    def below(self, file: str) -> str:
        """A file's path below the place, which names its class."""
        return os.path.relpath(file, self.path)

    def labels_beside(self, files: Sequence[str]) -> Mapping[str, Any] | str | None:
        """Labels that stand in files beside the pictures, by the pictures' paths.

        Returns:
            A dict, a problem in words, or None where there are no such files.
        """
        return None

    def gone(self, place: str, files: Sequence[str]) -> int:
        """How many of these pictures, those of a folder, are no longer there."""
        return 0


class FolderPlace(Place):
    """A folder of files.

    Args:
        folder: its path.
        listing: some of its files, in an order; None for all, by name.

    Raises:
        InputError: there is no such folder, or no picture in it.
    """

    def __init__(self, folder: str | os.PathLike[str], listing: Listing | None = None) -> None:
        path = folder_listing.check_folder_path(folder)
        if listing is None:
            listing = folder_listing.list_images(path)
        description = f"folder {name_of(path.resolve().name)}"
        super().__init__(os.fspath(path), description, listing)
        self._real = os.path.realpath(path)

    def opened(self, file: str) -> str:
        image_files.check_file(file)  # it can have become a pipe since
        return file

    def text_file(self, name: str) -> bytes | None:
        path = Path(self.path, name)
        return read_bytes(path, LARGEST_TEXT) if path.is_file() else None

    def origins(self, files: Sequence[str]) -> list[Any]:
        # A run is begun with a relative path and resumed with the whole one.
        begin = len(self.path)
        return [(self._real + file[begin:], os.path.getmtime(file)) for file in files]

    def sizes(self, files: Sequence[str]) -> list[int]:
        return [os.path.getsize(file) for file in files]

    def gone(self, place: str, files: Sequence[str]) -> int:
        try:
            there = set(os.listdir(place))
        except OSError:
            there = set()
        names = (os.path.split(file) for file in files)
        return sum(folder == place and name not in there for folder, name in names)
