"""Files that say what each seed's picture shows: an attribute's value per seed."""

from __future__ import annotations

import csv
import json
import math
import os
from typing import Any

from kgan.errors import InputError
from kgan.files import first_line, printable
from kgan.reading import read_text


def read_seed_values(path: str | os.PathLike[str]) -> dict[int, float]:
    """Seed -> value of a file: lines of `seed,value`, a first line of words, or a JSON object.

    Raises:
        InputError: nothing there, or another thing; it names the line.
    """
    try:
        text = read_text(path, "utf-8-sig")
    except OSError as error:
        raise InputError(
            f"Cannot read the values of seeds ({error.strerror}). Received: {printable(path)}"
        ) from None
    except UnicodeDecodeError:
        raise InputError(f"Values of seeds are text. Received: {printable(path)}") from None
    pairs = _of_json(text, path) if text.lstrip().startswith("{") else _of_lines(text, path)
    values: dict[int, float] = {}
    for place, (seed, value) in pairs:
        try:
            number, amount = _seed(seed), float(value)
            if not math.isfinite(amount) or number in values:
                raise ValueError
        except (ValueError, TypeError, OverflowError):
            raise InputError(
                "Each seed has one value, a whole number from 0 up and a finite number, as in "
                f"12,0.5. Received: {place} of {printable(path)}"
            ) from None
        values[number] = amount
    return values


def _of_json(text: str, path: str | os.PathLike[str]) -> list[tuple[str, tuple[Any, Any]]]:
    try:
        return [(repr(seed), (seed, value)) for seed, value in json.loads(text).items()]
    except (ValueError, RecursionError):
        raise InputError(
            f"Not a JSON object of seeds and values. Received: {printable(path)}"
        ) from None


def _of_lines(text: str, path: str | os.PathLike[str]) -> list[tuple[str, Any]]:
    try:
        rows = list(enumerate(csv.reader(text.splitlines()), 1))
    except csv.Error as error:  # a field beyond its limit
        raise InputError(
            f"Not lines of seed,value ({first_line(error)}). Received: {printable(path)}"
        ) from None
    rows = [(number, row) for number, row in rows if row]
    if rows and not _is_number(rows[0][1][-1]):
        rows = rows[1:]  # what the columns are called
    return [(f"line {number}", row if len(row) == 2 else (None, None)) for number, row in rows]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _seed(value: Any) -> int:
    text = str(value).strip()
    if not text.isascii() or not text.isdecimal():
        raise ValueError
    return int(text)
