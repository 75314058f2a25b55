"""history.csv: one row per epoch, true to the weights even after a run was killed and resumed."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any, ClassVar

import keras

from kgan.callbacks.periodic import Logs
from kgan.files import whole_file


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
        kept = [row for row in rows if int(row.get("batches_seen") or 0) <= seen]
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
        """(columns, rows, whether the last row is whole); a row cut short is left out."""
        if not self.path.is_file():
            return [], [], True
        text = self.path.read_text(encoding="utf-8")
        lines = text[: text.rfind("\n") + 1].splitlines()
        reader = csv.DictReader(lines)
        return list(reader.fieldnames or ()), list(reader), text.endswith("\n")

    def _rewrite(self, rows: list[dict[str, Any]]) -> None:
        with (
            whole_file(self.path) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.DictWriter(file, self._columns)
            writer.writeheader()
            writer.writerows(rows)
