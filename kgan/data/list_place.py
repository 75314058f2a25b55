"""The pictures that a CSV file lists, wherever they lie, as a place."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kgan.data.folder_listing import Listing
from kgan.data.picture_lists import read_list
from kgan.data.places import FolderPlace
from kgan.names import name_of


class ListPlace(FolderPlace):
    """The folder around all files that a CSV file lists, with these alone, in its order.

    Args:
        path: the file, as `kgan.data.picture_lists.read_list` takes it.
        label_column: of the labels; None for the first that can be one.

    Raises:
        InputError: as `read_list`.
    """

    def __init__(self, path: str | os.PathLike[str], label_column: str | None = None) -> None:
        files, self._labels = read_list(Path(path), label_column)
        around = os.path.commonpath([os.path.dirname(file) for file in files])
        super().__init__(around, Listing(files, [], [], [], [], {}))
        name = name_of(Path(path).name)
        self.description, self.beside = f"list {name}", f"in {name}"

    def text_file(self, name: str) -> bytes | None:
        """None: the list alone tells of its pictures."""
        return None

    def labels_beside(self, files: Sequence[str]) -> Mapping[str, Any] | None:
        """The list's own labels."""
        return self._labels
