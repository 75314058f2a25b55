"""Figures of a training at some of its steps, in a CSV file that stays small."""

from __future__ import annotations

import csv
import io
import math
import os
from pathlib import Path

from kgan.files import whole_file
from kgan.reading import read_text

MOST = 1000  # rows
LARGEST = 2**22  # bytes, several times as many as so many rows have


class CurvePoints:
    """The figures of a training by step, read from a CSV file where there is one.

    When there are more than 1,000 rows every second one is removed, and from then on one is taken
    half as often. What cannot be read is left out: the training does not depend on it.

    Args:
        path: the file; its columns are `step` and the figures by name.
        seen: batches that the model has seen; later rows are of training that was lost.
    """

    def __init__(self, path: str | os.PathLike[str], seen: int) -> None:
        self.path = Path(path)
        self.rows = [row for row in self._read() if row["step"] <= seen]
        self._every, self._asked = 1, 0

    def take(self, step: int, figures: dict[str, float]) -> bool:
        """Takes the figures of a step, where it is their turn; returns whether it was."""
        self._asked += 1
        if self._asked % self._every:
            return False
        self.rows.append({"step": step, **figures})
        if len(self.rows) > MOST:
            del self.rows[1::2]
            self._every *= 2
        return True

    def curve(self, name: str) -> list[tuple[int, float]]:
        """(step, figure) of a name, where it has one."""
        return [(int(row["step"]), row[name]) for row in self.rows if name in row]

    def write(self) -> None:
        """Writes the file, whole or not at all."""
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        with (
            whole_file(self.path) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            for row in self.rows:
                writer.writerow({name: f"{value:.6g}" for name, value in row.items()})

    def _read(self) -> list[dict[str, float]]:
        if not self.path.is_file():
            return []
        try:
            table = csv.DictReader(io.StringIO(read_text(self.path, largest=LARGEST)))
            rows = [{name: _number(text) for name, text in row.items()} for row in table]
        except (ValueError, OSError, csv.Error):
            return []
        known = [{name: x for name, x in row.items() if name and x is not None} for row in rows]
        return [row for row in known if math.isfinite(row.get("step", math.nan))]


def _number(text: object) -> float | None:
    """The number in a cell; None where there is none."""
    try:
        return float(str(text)) if text else None
    except ValueError:
        return None
