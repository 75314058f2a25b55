"""Pictures in .tar files: plain, packed, of tars, and shards in WebDataset's convention."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kgan.data.member_places import Member, MembersPlace, open_archive
from kgan.data.tar_index import Found, index
from kgan.data.unpacked import Unpacked
from kgan.files import printable

GZIPPED = (".tar.gz", ".tgz")
LABEL_SUFFIXES = (".cls", ".json")  # of the file with a picture's label, by its name
LABEL_KEYS = ("label", "cls", "class")


class TarPlace(MembersPlace[Found]):
    """The pictures in tars.

    Args:
        path: what the members' paths begin with: the file, or the folder of several.
        description: as for `kgan.data.places.Place`.
        tars: {path of a .tar file: parts of the path to it below `path`}; none for `path` itself.
        as_classes: of several, the name of each is the class of what is in it, as that of a
            subfolder; else they are shards.

    Raises:
        InputError: one is no tar, is damaged or cut short or has a name that leads out of it, or
            there is no picture in them.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        description: str,
        tars: Mapping[str, tuple[str, ...]],
        as_classes: bool = False,
    ) -> None:
        self._unpacked: dict[str, Unpacked] = {}
        left_out: dict[str, list[str]] = {}

        def members() -> Iterator[Member[Found]]:
            for tar, within in tars.items():
                for found in self._found(tar, left_out):
                    name = (Path(tar).stem, *found.name) if as_classes else found.name
                    within_ = () if as_classes else within
                    yield Member(name, within_, found, found.size, found.time)

        super().__init__(os.fspath(path), description, members(), left_out)

    def _found(self, tar: str, left_out: dict[str, list[str]]) -> Iterator[Found]:
        if tar.lower().endswith(GZIPPED):
            self._unpacked[tar] = Unpacked(tar)
            yield from index(self._unpacked[tar].file, tar, left_out)
            return
        with open_archive(tar) as file:
            yield from index(file, tar, left_out)

    def read(self, member: Member[Found]) -> bytes:
        found = member.key
        if found.tar in self._unpacked:
            data = self._unpacked[found.tar].read(found.offset, found.size)
        else:  # anew each time: threads share no position, and there may be thousands of shards
            with open(found.tar, "rb") as file:
                file.seek(found.offset)
                data = file.read(found.size)
        if len(data) < found.size:
            raise OSError("the archive has become shorter")
        return data

    def is_text(self, name: str) -> bool:
        return super().is_text(name) or name.lower().endswith(LABEL_SUFFIXES)

    def labels_beside(self, files: Sequence[str]) -> Mapping[str, Any] | str | None:
        """WebDataset's: a.jpg has its label in a.cls, or in a.json under one of `LABEL_KEYS`."""
        if not self._texts:
            return None
        labels = {file: self._label(self._members[file]) for file in files}
        without = [file for file, label in labels.items() if label is None]
        if len(without) == len(labels):
            return None
        if without:
            such = printable(without[0], None)
            return f"{len(without):,} pictures have no label beside them, such as {such}"
        if all(isinstance(label, str) and label.isdecimal() for label in labels.values()):
            return {file: int(str(label)) for file, label in labels.items()}
        return labels

    def _label(self, picture: Member[Found]) -> Any:
        """The label of a picture, a text or what JSON holds; None without one."""
        place = os.path.join(*picture.within, *picture.name)
        folder, name = os.path.split(place)
        for stem in (os.path.splitext(place)[0], os.path.join(folder, name.split(".")[0])):
            for suffix in LABEL_SUFFIXES:
                label = self._label_in(stem + suffix)
                if label is not None:
                    return label
        return None

    def _label_in(self, name: str) -> Any:
        try:
            data = self.text_file(name)
            if data is None:
                return None
            if name.endswith(".cls"):
                return data.decode("utf-8-sig").strip() or None
            content = json.loads(data)
        except (OSError, ValueError, RecursionError):
            return None
        if not isinstance(content, dict):
            return None
        return next((content[key] for key in LABEL_KEYS if content.get(key) is not None), None)
