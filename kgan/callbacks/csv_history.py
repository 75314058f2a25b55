"""history.csv: one row per epoch, true to the weights even after a run was killed and resumed."""

from __future__ import annotations

import csv
import math
import os
from pathlib import Path
from typing import Any, ClassVar

import keras

from kgan.callbacks.periodic import Logs
from kgan.errors import InputError
from kgan.files import whole_file
from kgan.reading import read_text

LARGEST_HISTORY = 2**28  # bytes


class CSVHistory(keras.callbacks.Callback):
    """Appends each epoch's figures to a CSV file.

    The columns are `epoch` (from 0), `batches_seen` (the batches the model had
    ever been trained on when the row was written) and the figures by name.
    Rows of training that was lost, because the model was last saved before them,
    are removed when training begins.

    Args:
        path: the file.
    """

    chief_only: ClassVar[bool] = True

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__()
        self.path = Path(path)

    def on_train_begin(self, logs: Logs = None) -> None:
        self._columns, rows, whole = self._read()
        seen = int(self.model.batches_seen.numpy())
        kept = [row for row in rows if _number(row.get("batches_seen")) <= seen]
        if len(kept) < len(rows) or not whole:
            self._rewrite(kept)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        row: dict[str, float] = {
            "epoch": epoch,
            "batches_seen": int(self.model.batches_seen.numpy()),
        }
        row |= {name: float(value) for name, value in sorted((logs or {}).items())}
        if not set(row) <= set(self._columns):  # a new file, or figures that it does not have yet
            rows = self._read()[1]
            self._columns = list(dict.fromkeys([*row, *self._columns]))
            self._rewrite(rows)
        try:
            with self.path.open("a", newline="", encoding="utf-8") as file:
                csv.DictWriter(file, self._columns).writerow(row)
        except OSError as problem:
            raise OSError(problem.errno, problem.strerror, str(self.path)) from None

    def _read(self) -> tuple[list[str], list[dict[str, Any]], bool]:
        """(columns, rows, whether it is as written here); a row cut short is left out.

        A spreadsheet saves with a byte order mark, or with semicolons and decimal commas.

        Raises:
            InputError: it is no such table.
        """
        if not self.path.is_file():
            return [], [], True
        try:
            text = read_text(self.path, largest=LARGEST_HISTORY)
            lines = text[: text.rfind("\n") + 1].removeprefix("\ufeff").splitlines()
            separator = next((s for s in ";\t" if lines and s in lines[0]), ",")
            header, *rows = csv.reader(lines, delimiter=separator) if lines else [[]]
        except (UnicodeDecodeError, csv.Error):
            raise self._no_history() from None
        columns = [name for name in dict.fromkeys(header) if name]
        if text and not {"epoch", "batches_seen"} & set(columns):
            raise self._no_history()
        own = separator == "," and columns == header and text.endswith("\n") and text[0] != "\ufeff"
        tables = [dict(zip(header, row, strict=False)) for row in rows if row]
        figures = [
            {name: row.get(name, "").replace(",", ".") for name in columns} for row in tables
        ]
        return columns, figures, own and all(len(row) == len(columns) for row in rows)

    def _no_history(self) -> InputError:
        return InputError(
            "Not a history in CSV, with the columns epoch and batches_seen; move it away to begin "
            f"a new one. Received: {self.path}"
        )

    def _rewrite(self, rows: list[dict[str, Any]]) -> None:
        with (
            whole_file(self.path) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.DictWriter(file, self._columns)
            writer.writeheader()
            writer.writerows(rows)


def _number(text: str | None) -> float:
    """The number in a cell; 0.0 where there is none, so that its row is kept."""
    try:
        number = float(text or 0)
    except ValueError:
        return 0.0
    return number if math.isfinite(number) else 0.0
