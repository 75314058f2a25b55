"""Files that list pictures and their labels: CSV of path,label, and a folder's metadata."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kgan.data.columns import label_column
from kgan.errors import InputError
from kgan.files import first_line, printable
from kgan.names import as_name
from kgan.reading import read_bytes

FILES = ("path", "file", "file_name", "filename", "image")  # columns of paths
METADATA = ("metadata.csv", "metadata.jsonl")  # as Hugging Face's datasets have them
FILE_NAME = "file_name"  # their column of paths
LARGEST_LIST = 2**28  # bytes: some million lines
UNREADABLE = (OSError, ValueError, RecursionError, csv.Error)  # an InputError is a ValueError

Row = Mapping[str, Any]  # column -> value


def read_list(path: Path, wanted: str | None = None) -> tuple[list[str], dict[str, Any] | None]:
    """The pictures that a CSV file lists, in its order.

    Its first line has names: one of `FILES`, for paths relative to the CSV file, and where there
    are labels one of `kgan.data.columns.LABELS` or the one asked for.

    Args:
        path: the file.
        wanted: name of the column of labels; None for the first that can be one.

    Returns:
        (whole paths, path -> label; None without labels).

    Raises:
        InputError: no such file, one that is no such CSV, no such column, a picture that is there
            twice, or pictures that are missing.
    """
    try:
        columns, lines = _of_csv(read_bytes(path, LARGEST_LIST))
        rows = list(lines)
    except FileNotFoundError:
        raise InputError(f"No such file. Received: {path}") from None
    except InputError:
        raise
    except UNREADABLE as problem:
        why = first_line(problem)
        raise InputError(f"Not a readable CSV file in UTF-8: {path} ({why})") from None
    place = next((name for name in FILES if name in columns), None)
    if place is None:
        raise InputError(
            f"A CSV file of pictures begins with names, one of them {' or '.join(FILES)}. "
            f"Received: {printable(','.join(columns), 80) or 'nothing'} in {path}"
        )
    label = label_column([name for name in columns if name != place], wanted, path)
    beside, labels = os.path.abspath(path.parent), dict[str, Any]()
    for row in rows:
        file = os.path.normpath(os.path.join(beside, row[place].strip()))
        if file in labels:
            raise InputError(
                f"This picture is there twice. Received: {printable(row[place])} in {path}"
            )
        labels[file] = None if label is None else row[label] or None
    missing = [file for file in labels if not os.path.isfile(file)]
    if missing or not labels:
        such = f", such as {printable(missing[0], None)}" if missing else ""
        raise InputError(
            f"{len(missing):,} of {len(labels):,} pictures are not there{such}. Received: {path}"
        )
    return list(labels), None if label is None else numbered(labels)


def metadata_in(
    read: Callable[[str], bytes | None], wanted: str | None = None
) -> tuple[dict[str, Any] | str | None, str]:
    """The labels in a folder's metadata.csv or metadata.jsonl.

    Args:
        read: the content of a file of the folder by its name; None where there is none.
        wanted: name of the column of labels; None for the first that can be one.

    Returns:
        (path below the folder, with /, as `kgan.names.as_name` -> label; or in words why there
        are none; or None without such files, or where they name no pictures or no labels: they
        are another program's, or hold texts alone. The name of the file).

    Raises:
        InputError: there is no column of the name asked for.
    """
    for name in METADATA:
        try:
            content = read(name)
            if content is None:
                continue
            columns, rows = (_of_csv if name.endswith(".csv") else _of_json)(content)
        except UNREADABLE:
            continue
        label = label_column([each for each in columns if each != FILE_NAME], wanted, name)
        if label is None or FILE_NAME not in columns:
            continue
        labels: dict[str, Any] = {}
        try:
            for row in rows:
                file = as_name(str(row.get(FILE_NAME))).replace("\\", "/").removeprefix("./")
                labels[file] = row.get(label)
        except UNREADABLE as problem:
            return f"{name} is not readable ({first_line(problem)})", name
        return numbered(labels), name
    return None, METADATA[0]


def numbered(labels: dict[str, Any]) -> dict[str, Any]:
    """Labels that are all whole numbers in digits as numbers, so that 10 comes after 9."""
    try:
        if all(isinstance(label, str) for label in labels.values()):
            return {name: int(label) for name, label in labels.items()}
    except ValueError:
        pass
    return labels


def _of_csv(content: bytes) -> tuple[Sequence[str], Iterator[Row]]:
    """(columns, rows) of a CSV file; the rows are read one after the other."""
    lines = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
    columns = [cell.strip() for cell in next(lines, [])]

    def rows() -> Iterator[Row]:
        for cells in lines:
            if cells and len(cells) != len(columns):
                raise ValueError(
                    f"line {lines.line_num} has {len(cells)} values, and the first {len(columns)} "
                    "names"
                )
            if cells:
                yield dict(zip(columns, cells, strict=True))

    return columns, rows()


def _of_json(content: bytes) -> tuple[Sequence[str], Iterator[Row]]:
    """As `_of_csv`, of a file with an object a line; the columns are those of the first."""
    lines = [line for line in content.decode("utf-8-sig").splitlines() if line]
    first = json.loads(lines[0]) if lines else {}

    def rows() -> Iterator[Row]:
        for line in lines:
            row = json.loads(line)
            if not isinstance(row, dict):
                raise ValueError("a line that is no object")
            yield row

    return list(first) if isinstance(first, dict) else [], rows()
