"""Attributes of a folder's pictures from a CSV or JSON file: a row, or an entry, per picture."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kgan.attribute_values import check_names
from kgan.errors import InputError
from kgan.files import first_line, printable
from kgan.names import as_name
from kgan.reading import LARGEST_TEXT, read_text

Rows = Mapping[str, Sequence[Any]]  # file name -> the values of its attributes


def read_attributes(
    path: str | os.PathLike[str], pictures: Sequence[str], others: Collection[str] = ()
) -> tuple[list[str], np.ndarray]:
    """The attributes of some pictures, all of which the file names.

    A CSV file begins with a line of names: of the column of file names, which is the first, and
    of the attributes. A JSON file is `{"a.png": {"smile": 1, "yaw": -0.5}, ...}`.

    Args:
        path: the file, .csv or .json.
        pictures: paths of the pictures below their folder, with /, as `kgan.names.as_name`.
        others: paths of pictures that it may name, too.

    Returns:
        (names, float32 (N, k) in the order of the pictures).

    Raises:
        InputError: no such file, one that cannot be read, a picture that it lacks or names twice,
            a name that is no picture's, or a value that is no finite number.
    """
    path = Path(path)
    names, rows = _read(path)
    names = check_names(names)
    lacking = [picture for picture in pictures if picture not in rows]
    if lacking:
        raise InputError(
            f"{len(lacking):,} of {len(pictures):,} pictures are not in {printable(path.name)}, "
            f"such as {printable(lacking[0])}. Received: {path}"
        )
    unknown = sorted(rows.keys() - set(pictures) - set(others))
    if unknown:
        raise InputError(
            f"{len(unknown):,} names in {printable(path.name)} are those of no picture in the "
            f"folder, such as {printable(unknown[0])}. Received: {path}"
        )
    table = np.empty((len(pictures), len(names)), np.float32)
    for place, picture in enumerate(pictures):
        for column, value in enumerate(rows[picture]):
            table[place, column] = _number(value, names[column], picture, path)
    return names, table


def _read(path: Path) -> tuple[Sequence[object], Rows]:
    try:
        text = read_text(path, "utf-8-sig", LARGEST_TEXT)
        if path.suffix.lower() == ".json":
            return _of_json(json.loads(text, object_pairs_hook=_once), path)
        return _of_csv(text, path)
    except InputError:
        raise
    except (OSError, ValueError, RecursionError, csv.Error) as problem:
        raise InputError(
            f"Attributes are in a CSV or JSON file in UTF-8. Received: {path} "
            f"({first_line(problem)})"
        ) from None


def _of_csv(text: str, path: Path) -> tuple[Sequence[object], Rows]:
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = next(lines, [])
    if len(header) < 2:
        raise InputError(
            "A CSV file of attributes begins with a line of names, file,smile,yaw and so on. "
            f"Received: {printable(','.join(header)) or 'nothing'} in {path}"
        )
    rows: dict[str, Sequence[Any]] = {}
    for cells in lines:
        if not cells:
            continue
        if len(cells) != len(header):
            raise InputError(
                f"Each line needs {len(header)} values, as the first has names. "
                f"Received: {len(cells)} in line {lines.line_num} of {path}"
            )
        _add(rows, cells[0], cells[1:], path)
    return header[1:], rows


def _of_json(content: Any, path: Path) -> tuple[Sequence[object], Rows]:
    entries = list(content.items()) if isinstance(content, dict) else []
    names: list[str] = []
    rows: dict[str, Sequence[Any]] = {}
    for file, entry in entries:
        names = names or (list(entry) if isinstance(entry, dict) else [])
        if not isinstance(entry, dict) or not names or entry.keys() != set(names):
            wanted = ", ".join(map(printable, names)) or "numbers by name"
            raise InputError(
                f"Each picture needs an object with the same attributes, {wanted}. "
                f"Received: {printable(repr(entry), 60)} for {printable(file)} in {path}"
            )
        _add(rows, file, [entry[name] for name in names], path)
    if not rows:
        raise InputError(
            'A JSON file of attributes is {"a.png": {"smile": 1, "yaw": -0.5}, ...}. '
            f"Received: {path}"
        )
    return names, rows


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"{twice} is there twice")
    return found


def _add(rows: dict[str, Sequence[Any]], file: str, values: Sequence[Any], path: Path) -> None:
    name = as_name(file.strip()).replace("\\", "/").removeprefix("./")
    if name in rows:
        raise InputError(f"This picture is there twice. Received: {printable(name)} in {path}")
    rows[name] = values


def _number(value: Any, name: str, picture: str, path: Path) -> float:
    try:
        if not isinstance(value, (str, int, float)):
            raise ValueError
        number = float(value)
        if np.isfinite(np.float32(number)):
            return number
    except (ValueError, OverflowError):
        pass
    raise InputError(
        f"An attribute is 0, 1 or another finite number. Received: {printable(name)} = "
        f"{printable(repr(value), 40)} of {printable(picture)} in {path}"
    )
