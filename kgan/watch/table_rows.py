"""The rows of a run's tables, read on from where they were left."""

from __future__ import annotations

import csv
import math
import os
import time
from collections.abc import Iterator
from pathlib import Path

from kgan.errors import InputError
from kgan.files import printable
from kgan.reading import read_part
from kgan.watch.series import LAST_STEP

BLOCK = 2**18  # bytes read at a time, and the longest line
MOST_COLUMNS = 64
KNOWN = 256  # bytes before the next row, by which the file is known again


class TableRows:
    """Figures in a CSV file. It may not be there yet, grow, and be replaced.

    Args:
        path: the file.
        steps: the column that tells of which step a row is.

    Attributes:
        problem: why it cannot be read; None where it can.
        share: how much of it has been read, 0 to 1.
        changed: when it was written last, in seconds since 1970.
    """

    def __init__(self, path: Path, steps: str) -> None:
        self.path = path
        self.steps = steps
        self.problem: str | None = None
        self.share = 1.0
        self.changed = 0.0
        self._file: tuple[int, int] | None = None
        self._forget()

    def _forget(self) -> None:
        self._offset = 0
        self._columns: list[str] = []
        self._header = self._before = b""  # as they were read: the first line, the last bytes

    def begins_anew(self) -> bool:
        """Whether another file stands there than was read so far: all its rows come again."""
        try:
            status = os.stat(self.path)
            file, size = (status.st_dev, status.st_ino), status.st_size
            self.changed = status.st_mtime
        except OSError:
            file, size = None, 0  # not there yet, or no longer
        is_other = file != self._file or size < self._offset
        anew = self._offset > 0 and (is_other or not self._is_known())
        if anew:
            self._forget()
        self._file, self._size = file, size
        return anew

    def _is_known(self) -> bool:
        """Whether what was read is still there; a new file can have the number of a removed one."""
        parts = {0: self._header, self._offset - len(self._before): self._before}
        try:
            return all(read_part(self.path, at, len(own)) == own for at, own in parts.items())
        except (OSError, InputError):
            return False

    def read(self, deadline: float = math.inf) -> Iterator[tuple[int, dict[str, float]]]:
        """(step, number by its column) of the rows since the last call; what is none is left out.

        A last line that does not end yet is left for the next call.

        Args:
            deadline: of `time.monotonic()`, when it stops; the next call goes on.
        """
        self.problem = None
        while self._offset < self._size and time.monotonic() <= deadline:
            try:
                data = read_part(self.path, self._offset, BLOCK)
            except (OSError, InputError) as problem:
                self.problem = printable(problem)
                return
            whole = data[: data.rfind(b"\n") + 1]
            if not whole:
                if len(data) >= BLOCK:
                    self.problem = f"a line of more than {BLOCK:,} characters"
                return
            for line in whole.decode("utf-8", "replace").splitlines():
                row = self._row(line)
                if self.problem is not None:
                    return
                step = math.nan if row is None else row.pop(self.steps, math.nan)
                if row is not None and 0 <= step < LAST_STEP:
                    yield int(step), row
            if self._offset == 0:
                self._header = whole[: whole.find(b"\n") + 1]
            self._offset += len(whole)
            self._before = (self._before + whole)[-KNOWN:]
        self.share = 1.0 if time.monotonic() <= deadline else self._offset / max(1, self._size)

    def _row(self, line: str) -> dict[str, float] | None:
        try:
            cells = next(csv.reader([line]), [])
        except csv.Error:  # a line that no table of kgan has
            return None
        if not self._columns:
            self._columns = [cell.removeprefix("\ufeff") for cell in cells]
            if self.steps not in self._columns:
                self._columns, self.problem = [], f"its first line names no column {self.steps}"
            return None
        row = {}
        named = zip(self._columns[:MOST_COLUMNS], cells, strict=False)
        for name, cell in named:
            try:
                row[name] = float(cell)
            except ValueError:
                continue
        return row
