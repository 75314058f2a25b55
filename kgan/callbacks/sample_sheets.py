"""Sheets of images that show how a model learns."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

import numpy as np

from kgan.callbacks.board import Board
from kgan.callbacks.periodic import Periodic
from kgan.images import grid, pairs, save_png

MOST_COLUMNS = 16  # of a sheet with one column per class


class Sheets(Periodic):
    """Writes a sheet of images at regular intervals; subclasses make it in `sheet()`.

    Files are `step-000200.png` and so on, by the batches the model has ever
    seen; the first is written before training and the last at its end.

    Args:
        directory: where the sheets go.
        every_steps: steps between two sheets; 200 when no interval is given.
        log_dir: directory of TensorBoard events to show them in too; None for none.
        every_minutes: minutes between two sheets, in place of steps.

    Raises:
        InputError: an interval that `Periodic` refuses.
    """

    default_every_steps: ClassVar[int] = 200
    shown_as: ClassVar[str] = "images"  # the name in TensorBoard

    def __init__(
        self,
        directory: str | os.PathLike[str],
        every_steps: int | None = None,
        log_dir: str | os.PathLike[str] | None = None,
        *,
        every_minutes: float | None = None,
    ) -> None:
        super().__init__(every_steps, every_minutes)
        self.directory = Path(directory)
        self.board = Board(log_dir)

    def sheet(self) -> np.ndarray:
        """The sheet to write, a uint8 array (H, W, C)."""
        raise NotImplementedError

    def act(self) -> None:
        sheet = self.sheet()
        save_png(self.directory / f"step-{self.step:06d}.png", sheet)
        self.board.image(self.step, self.shown_as, sheet)


class SampleGrid(Sheets):
    """Sheets of images that a `GAN` generates from the same latents each time.

    A conditional GAN with at most 16 classes gets one column per class.

    Args:
        directory, every_steps, log_dir, every_minutes: as for `Sheets`.
        n: images per sheet.
        seed: seed of the first image.
    """

    shown_as: ClassVar[str] = "samples"

    def __init__(
        self,
        directory: str | os.PathLike[str],
        every_steps: int | None = None,
        n: int = 64,
        seed: int = 0,
        log_dir: str | os.PathLike[str] | None = None,
        *,
        every_minutes: float | None = None,
    ) -> None:
        super().__init__(directory, every_steps, log_dir, every_minutes=every_minutes)
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
        directory, every_steps, log_dir, every_minutes: as for `Sheets`.
        images: uint8 array (N, H, W, C), the images to reconstruct.
    """

    shown_as: ClassVar[str] = "reconstructions"

    def __init__(
        self,
        directory: str | os.PathLike[str],
        images: np.ndarray,
        every_steps: int | None = None,
        log_dir: str | os.PathLike[str] | None = None,
        *,
        every_minutes: float | None = None,
    ) -> None:
        super().__init__(directory, every_steps, log_dir, every_minutes=every_minutes)
        self.images = images

    def sheet(self) -> np.ndarray:
        return pairs(self.images, self.model.reconstruct(self.images))
