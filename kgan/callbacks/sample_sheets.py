"""Sheets of images that show how a model learns."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from kgan import notebooks
from kgan.callbacks.board import Board
from kgan.callbacks.periodic import Logs, Periodic
from kgan.errors import InputError
from kgan.images import as_shown, grid, pairs, save_png
from kgan.telling import doing

LATEST = "latest.png"  # the newest sheet
MOST_COLUMNS = 16  # of a sheet with one column per class
KEPT = 200  # sheets
MOST_BYTES = 200 * 10**6  # of all of them


class Sheets(Periodic):
    """Writes a sheet of images at regular intervals; subclasses make it in `sheet()`.

    Files are `step-000200.png` and so on, by the batches the model has ever
    seen, and the newest also `latest.png`; the first is written before training and the last at
    its end. When there are more than `keep`, or they have more than 200 MB, every second one is
    removed: the older they are, the fewer are left.

    Args:
        directory: where the sheets go; None for no files, where they are displayed.
        every_steps: steps between two sheets; 200 when no interval is given.
        log_dir: directory of TensorBoard events to show them in too; None for none.
        every_minutes: minutes between two sheets, in place of steps.
        keep: sheets to keep at most; 0 for all.
        display: show the newest in a notebook, below the cell that trains.

    Raises:
        InputError: an interval that `Periodic` refuses, a `keep` below 0, neither a directory nor
            `display`, or `display` where there is no notebook.
    """

    default_every_steps: ClassVar[int] = 200
    shown_as: ClassVar[str] = "images"  # the name in TensorBoard

    def __init__(
        self,
        directory: str | os.PathLike[str] | None = None,
        every_steps: int | None = None,
        log_dir: str | os.PathLike[str] | None = None,
        *,
        every_minutes: float | None = None,
        keep: int = KEPT,
        display: bool = False,
    ) -> None:
        super().__init__(every_steps, every_minutes)
        self.keep = check_keep(keep)
        if display:
            notebooks.check_running("a directory takes them")
        elif directory is None:
            raise InputError(
                "Sheets go into a directory, or with display=True below a notebook's cell. "
                "Received: neither"
            )
        self.directory = None if directory is None else Path(directory)
        self.display = display
        self._place: Any = None  # of the picture below the cell that trains
        self.board = Board(log_dir)

    def sheet(self) -> np.ndarray:
        """The sheet to write, a uint8 array (H, W, C)."""
        raise NotImplementedError

    def act(self) -> None:
        with doing("drawing samples"):
            sheet = self.sheet()
            if self.directory is not None:
                for name in (f"step-{self.step:06d}.png", LATEST):
                    save_png(self.directory / name, sheet, drawn=True)
                thin(self.directory, self.keep)
        self.board.image(self.step, self.shown_as, sheet)
        if self.display:
            self._place = notebooks.display(as_shown(sheet), self._place)

    def on_train_begin(self, logs: Logs = None) -> None:
        self._place = None
        super().on_train_begin(logs)


class SampleGrid(Sheets):
    """Sheets of images that a `GAN` generates from the same latents each time.

    A conditional GAN with at most 16 classes gets one column per class.

    Args:
        directory, every_steps, log_dir, every_minutes, keep, display: as for `Sheets`.
        n: images per sheet.
        seed: seed of the first image.
    """

    shown_as: ClassVar[str] = "samples"

    def __init__(
        self,
        directory: str | os.PathLike[str] | None = None,
        every_steps: int | None = None,
        n: int = 64,
        seed: int = 0,
        log_dir: str | os.PathLike[str] | None = None,
        *,
        every_minutes: float | None = None,
        keep: int = KEPT,
        display: bool = False,
    ) -> None:
        super().__init__(
            directory,
            every_steps,
            log_dir,
            every_minutes=every_minutes,
            keep=keep,
            display=display,
        )
        self.n = n
        self.seed = seed

    def sheet(self) -> np.ndarray:
        classes = self.model.num_classes
        if classes is None or classes > MOST_COLUMNS:
            return grid(self.model.generate(self.n, self.seed))
        rows = max(1, self.n // classes)
        labels = [label for _ in range(rows) for label in range(classes)]
        samples = self.model.generate(rows * classes, self.seed, labels=labels)
        return grid(samples, columns=classes)


class ReconstructionStrip(Sheets):
    """Sheets of images above an `Autoencoder`'s reconstructions of them.

    Args:
        directory, every_steps, log_dir, every_minutes, keep, display: as for `Sheets`.
        images: uint8 array (N, H, W, C), the images to reconstruct.
    """

    shown_as: ClassVar[str] = "reconstructions"

    def __init__(
        self,
        directory: str | os.PathLike[str] | None,
        images: np.ndarray,
        every_steps: int | None = None,
        log_dir: str | os.PathLike[str] | None = None,
        *,
        every_minutes: float | None = None,
        keep: int = KEPT,
        display: bool = False,
    ) -> None:
        super().__init__(
            directory,
            every_steps,
            log_dir,
            every_minutes=every_minutes,
            keep=keep,
            display=display,
        )
        self.images = images

    def sheet(self) -> np.ndarray:
        return pairs(self.images, self.model.reconstruct(self.images))


def check_keep(keep: int) -> int:
    """Returns a number of files to keep.

    Raises:
        InputError: it is none.
    """
    if not isinstance(keep, int) or keep < 0:
        raise InputError(f"keep must be a number of sheets, or 0 for all. Received: {keep!r}")
    return keep


def thin(directory: Path, keep: int, suffix: str = ".png") -> None:
    """Removes every second `step-` file, not the first and the last, until they are few enough.

    Args:
        directory: where they are.
        keep: how many may be left; 0 for all.
        suffix: theirs.
    """
    if not keep:
        return
    sheets = {
        int(path.stem.removeprefix("step-")): path
        for path in directory.glob(f"step-*{suffix}")
        if path.stem.removeprefix("step-").isdecimal()
    }
    sizes = {step: path.stat().st_size for step, path in sheets.items()}
    while len(sizes) > keep or (len(sizes) > 2 and sum(sizes.values()) > MOST_BYTES):
        steps = sorted(sizes)
        for step in steps[1:-1:2] or steps[:-1]:
            sheets[step].unlink(missing_ok=True)
            del sizes[step]
