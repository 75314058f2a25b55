"""Which class each picture of a folder belongs to: by a file that says so, or by its subfolder."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kgan.data.array_labels import number_labels
from kgan.data.picture_lists import metadata_in
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
        from_file: whether a dataset.json, metadata or a list of pictures names them.
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


def classes_in(
    folder: Path, files: Sequence[str], label_column: str | None = None
) -> FolderClasses:
    """The classes of the pictures below a folder.

    A dataset.json as StyleGAN's tools write it decides, where there is one:
    `{"labels": [["00000/img0.png", 3], ...]}`, or null for no classes; then metadata as
    `kgan.data.picture_lists.metadata_in` reads them. Else each subfolder is
    a class, if every picture is in one of at least two; where all pictures are in the
    same subfolder, its own contents are looked at in the same way. Names that look alike
    (equal in Unicode's NFC) are one class.

    Args:
        folder: the folder.
        files: paths of its pictures, at least one.
        label_column: of the metadata; None for the first that can be one.

    Raises:
        InputError: there are no metadata with the column asked for.
    """
    place = folder
    while True:
        labels = _labels_file(place / LABELS_FILE) if label_column is None else None
        if labels is not None:
            return _by_file(place, files, labels, LABELS_FILE)
        metadata = metadata_in(place, label_column)
        if metadata is not None:
            return _by_file(place, files, metadata.labels, metadata.name)
        inner = {_subfolder(place, file) for file in files}
        if label_column is not None and (len(inner) > 1 or None in inner):
            raise InputError(
                "label_column is one of a CSV file of pictures, of a table, or of metadata.csv or "
                f"metadata.jsonl in a folder. Received: {printable(label_column)} for {folder}"
            )
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


def _by_file(
    folder: Path, files: Sequence[str], labels: Mapping[str, Any] | str, listed_in: str
) -> FolderClasses:
    entries = {file: name_of(os.path.relpath(file, folder)).replace(os.sep, "/") for file in files}
    if isinstance(labels, str) or not labels:
        problem = labels if isinstance(labels, str) else None
        return FolderClasses(dict.fromkeys(files), None, problem, from_file=True)
    unnamed = [entry for entry in entries.values() if entry not in labels]
    if unnamed:
        problem = f"{len(unnamed):,} files are not in {listed_in}, such as {printable(unnamed[0])}"
        return FolderClasses(dict.fromkeys(files), None, problem, from_file=True)
    return by_labels({file: labels[entry] for file, entry in entries.items()}, listed_in)


def by_labels(labels: Mapping[str, Any], listed_in: str) -> FolderClasses:
    """The classes of pictures whose labels a file names.

    Args:
        labels: path of a picture -> its label, a whole number or a name; at least one.
        listed_in: the file's name, for what is said of labels that cannot be used.
    """
    try:
        numbers, names = number_labels([*labels.values()], len(labels))
    except InputError as error:
        problem = f"in {listed_in}: {error}"
        return FolderClasses(dict.fromkeys(labels), None, problem, from_file=True)
    of = dict(zip(labels, (names[number] for number in numbers), strict=True))
    return FolderClasses(of, names, from_file=True)
