"""Which class each picture belongs to: by files that say so, or by its subfolder."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from kgan.data.array_labels import number_labels
from kgan.data.picture_lists import metadata_in
from kgan.data.places import Place
from kgan.errors import InputError
from kgan.files import printable
from kgan.names import as_name, name_of

LABELS_FILE = "dataset.json"


@dataclasses.dataclass(frozen=True)
class FolderClasses:
    """The classes of a folder's pictures.

    Attributes:
        of: path of a picture -> its class; None for a picture without one.
        names: a name per class, by label; None where there are none to train with.
        problem: why there are none to train with although something names classes, one line.
        from_file: whether a file names them: a dataset.json, metadata, a list, or one beside each.
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
    place: Place, files: Sequence[str], label_column: str | None = None
) -> FolderClasses:
    """The classes of the pictures in a folder, or in what holds files as one does.

    Labels beside the pictures decide, where the place has such; else a dataset.json as
    StyleGAN's tools write it, where there is one: `{"labels": [["00000/img0.png", 3], ...]}`,
    or null for no classes; then metadata, as `kgan.data.picture_lists.metadata_in` reads them.
    Else each subfolder is a class, if every picture is in one of at least two; where all pictures
    are in the same subfolder, its own contents are looked at in the same way. Names that look
    alike (equal in Unicode's NFC) are one class.

    Args:
        place: the place.
        files: paths of its pictures, at least one.
        label_column: of the metadata; None for the first that can be one.

    Raises:
        InputError: there are no metadata with the column asked for.
    """
    labels = place.labels_beside(files)
    if labels is not None:
        return _by_labels(files, labels, place.beside)
    parts = {file: place.below(file).split(os.sep) for file in files}
    inside: list[str] = []  # of which subfolder
    while True:
        labels, listed_in = _labels_in(place, inside, label_column)
        if labels is not None:
            return _by_file(parts, len(inside), labels, listed_in)
        subfolders = {file: _subfolder(each, len(inside)) for file, each in parts.items()}
        inner = set(subfolders.values())
        if label_column is not None and (len(inner) > 1 or None in inner):
            raise InputError(
                "label_column is one of a .csv list of pictures, of a table, or of metadata.csv or "
                f"metadata.jsonl in a folder. Received: {printable(label_column)} for {place.path}"
            )
        if inner == {None} and inside:  # one subfolder with everything is no class
            return FolderClasses(dict.fromkeys(files, name_of(inside[-1])), None)
        if len(inner) > 1 or None in inner:
            return _by_subfolder(subfolders)
        inside.append(str(*inner))


def _subfolder(parts: Sequence[str], depth: int) -> str | None:
    return parts[depth] if len(parts) > depth + 1 else None


def _by_subfolder(subfolders: Mapping[str, str | None]) -> FolderClasses:
    of = {file: None if name is None else name_of(name) for file, name in subfolders.items()}
    names = sorted({name for name in of.values() if name is not None})
    beside = list(of.values()).count(None)
    if names and beside:
        return FolderClasses(of, None, f"{beside:,} files lie beside the subfolders")
    return FolderClasses(of, names if len(names) > 1 else None)


def _labels_in(place: Place, inside: Sequence[str], label_column: str | None) -> tuple[Any, str]:
    """(labels as `_labels_file` has them, the name of the file that they are in)."""
    labels = None
    if label_column is None:
        labels = _labels_file(place, os.path.join(*inside, LABELS_FILE))
    if labels is not None:
        return labels, LABELS_FILE
    return metadata_in(lambda name: place.text_file(os.path.join(*inside, name)), label_column)


def _labels_file(place: Place, name: str) -> Any:
    """What stands under "labels" in a dataset.json, a dict or a problem in words; None without."""
    try:
        data = place.text_file(name)
        if data is None:
            return None
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
    parts: Mapping[str, Sequence[str]], depth: int, labels: dict[str, Any] | str, listed_in: str
) -> FolderClasses:
    """By a file at a depth, in which pictures are named as from there."""
    if isinstance(labels, str) or not labels:
        problem = labels if isinstance(labels, str) else None
        return FolderClasses(dict.fromkeys(parts), None, problem, from_file=True)
    entries = {file: "/".join(map(name_of, each[depth:])) for file, each in parts.items()}
    unnamed = [entry for entry in entries.values() if entry not in labels]
    if unnamed:
        problem = f"{len(unnamed):,} files are not in {listed_in}, such as {printable(unnamed[0])}"
        return FolderClasses(dict.fromkeys(parts), None, problem, from_file=True)
    of_files = {file: labels[entry] for file, entry in entries.items()}
    return _by_labels(list(parts), of_files, f"in {listed_in}")


def _by_labels(files: Sequence[str], labels: Mapping[str, Any] | str, where: str) -> FolderClasses:
    """By a label for each file, or a problem in words."""
    without: dict[str, str | None] = dict.fromkeys(files)
    if isinstance(labels, str):
        return FolderClasses(without, None, labels, from_file=True)
    try:
        numbers, names = number_labels([labels[file] for file in files], len(files))
    except InputError as error:
        return FolderClasses(without, None, f"{where}: {error}", from_file=True)
    of = dict(zip(files, (names[number] for number in numbers), strict=True))
    return FolderClasses(of, names, from_file=True)
