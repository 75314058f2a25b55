"""Which class each picture of a folder belongs to: by a dataset.json, or by its subfolder."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kgan.data.array_labels import number_labels
from kgan.errors import InputError
from kgan.files import printable
from kgan.names import as_name, name_of
from kgan.reading import LARGEST_TEXT, read_bytes

LABELS_FILE = "dataset.json"


@dataclasses.dataclass(frozen=True)
class FolderClasses:
    """The classes of a folder's pictures.

    Attributes:
        of: path of a picture -> its class; None for a picture without one.
        names: a name per class, by label; None where there are none to train with.
        problem: why there are none to train with although something names classes, one line.
        from_file: whether a dataset.json names them.
    """

    of: Mapping[str, str | None]
    names: list[str] | None
    problem: str | None = None
    from_file: bool = False

    def labels(self, files: Sequence[str]) -> list[int]:
        """The label of each file, -1 where there are no classes."""
        if self.names is None:
            return [-1] * len(files)
        numbers = {name: number for number, name in enumerate(self.names)}
        return [numbers[str(self.of[file])] for file in files]


def classes_in(folder: Path, files: Sequence[str]) -> FolderClasses:
    """The classes of the pictures below a folder.

    A dataset.json as StyleGAN's tools write it decides, where there is one:
    `{"labels": [["00000/img0.png", 3], ...]}`, or null for no classes. Else each subfolder is
    a class, if every picture is in one of at least two; where all pictures are in the
    same subfolder, its own contents are looked at in the same way. Names that look alike
    (equal in Unicode's NFC) are one class.

    Args:
        folder: the folder.
        files: paths of its pictures, at least one.
    """
    place = folder
    while True:
        labels = _labels_file(place / LABELS_FILE)
        if labels is not None:
            return _by_file(place, files, labels)
        inner = {_subfolder(place, file) for file in files}
        if inner == {None} and place != folder:  # one subfolder with everything is no class
            return FolderClasses(dict.fromkeys(files, name_of(place.name)), None)
        if len(inner) > 1 or None in inner:
            return _by_subfolder(place, files)
        place = place / str(*inner)


def _subfolder(folder: Path, file: str) -> str | None:
    parts = os.path.relpath(file, folder).split(os.sep)
    return parts[0] if len(parts) > 1 else None


def _by_subfolder(folder: Path, files: Sequence[str]) -> FolderClasses:
    subfolders = {file: _subfolder(folder, file) for file in files}
    of = {file: None if name is None else name_of(name) for file, name in subfolders.items()}
    names = sorted({name for name in of.values() if name is not None})
    beside = list(of.values()).count(None)
    if names and beside:
        return FolderClasses(of, None, f"{beside:,} files lie beside the subfolders")
    return FolderClasses(of, names if len(names) > 1 else None)


def _labels_file(path: Path) -> Any:
    """What stands under "labels" in a dataset.json, a dict or a problem in words; None without."""
    if not path.is_file():
        return None
    try:
        data = read_bytes(path, LARGEST_TEXT)
        try:
            content = json.loads(data)  # UTF-8 or UTF-16, with a byte order mark too
        except UnicodeDecodeError:
            content = json.loads(data.decode("cp932"))
    except (OSError, ValueError, RecursionError):
        return f"{LABELS_FILE} is not a readable JSON file"
    if not isinstance(content, dict) or "labels" not in content:
        return None  # another program's
    labels = content["labels"]
    if labels is None:
        return {}
    try:
        return {
            as_name(str(file)).replace("\\", "/"): label for file, label in dict(labels).items()
        }
    except (TypeError, ValueError):
        return f'{LABELS_FILE} needs [file, label] pairs under "labels"'


def _by_file(folder: Path, files: Sequence[str], labels: dict[str, Any] | str) -> FolderClasses:
    without: dict[str, str | None] = dict.fromkeys(files)
    if isinstance(labels, str) or not labels:
        problem = labels if isinstance(labels, str) else None
        return FolderClasses(without, None, problem, from_file=True)
    entries = {file: name_of(os.path.relpath(file, folder)).replace(os.sep, "/") for file in files}
    unnamed = [entry for entry in entries.values() if entry not in labels]
    if unnamed:
        problem = (
            f"{len(unnamed):,} files are not in {LABELS_FILE}, such as {printable(unnamed[0])}"
        )
        return FolderClasses(without, None, problem, from_file=True)
    try:
        numbers, names = number_labels([labels[entry] for entry in entries.values()], len(files))
    except InputError as error:
        return FolderClasses(without, None, f"in {LABELS_FILE}: {error}", from_file=True)
    of = dict(zip(files, (names[number] for number in numbers), strict=True))
    return FolderClasses(of, names, from_file=True)
