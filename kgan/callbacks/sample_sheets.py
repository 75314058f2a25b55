"""Sheets of pictures that show how a model learns."""

from pathlib import Path

from kgan import images
from kgan.callbacks.board import Board
from kgan.callbacks.every_steps import EverySteps

MOST_COLUMNS = 16  # of a sheet with a column a class


class Sheets(EverySteps):
    """Writes a sheet of pictures at a steady interval; subclasses make it in `sheet()`.

    Files are `step-000200.png` and so on, by the batches the model has ever
    seen; the first is written before training and the last at its end.

    Args:
        directory: where the sheets go.
        every_steps: steps between two sheets.
        log_dir: directory of TensorBoard events to show them in too; None for none.

    Raises:
        InputError: `every_steps` below 1.
    """

    shown_as = "pictures"

    def __init__(self, directory, every_steps=200, log_dir=None):
        super().__init__(every_steps)
        self.directory = Path(directory)
        self.board = Board(log_dir)

    def sheet(self):
        """The picture to write, a uint8 array (H, W, C)."""
        raise NotImplementedError

    def act(self):
        picture = self.sheet()
        images.save_png(self.directory / f"step-{self.step:06d}.png", picture)
        self.board.picture(self.step, self.shown_as, picture)


class SampleGrid(Sheets):
    """Sheets of pictures that a `GAN` makes from the same latents each time.

    A conditional GAN's have a column a class where there are at most 16.

    Args:
        directory, every_steps, log_dir: as for `Sheets`.
        n: pictures a sheet.
        seed: seed of the first picture.
    """

    shown_as = "samples"

    def __init__(self, directory, every_steps=200, n=64, seed=0, log_dir=None):
        super().__init__(directory, every_steps, log_dir)
        self.n = n
        self.seed = seed

    def sheet(self):
        classes = self.model.num_classes
        if classes is None or classes > MOST_COLUMNS:
            return images.grid(self.model.generate(self.n, self.seed))
        rows = max(1, self.n // classes)
        labels = [label for _ in range(rows) for label in range(classes)]
        made = self.model.generate(rows * classes, self.seed, labels=labels)
        return images.grid(made, columns=classes)


class ReconstructionStrip(Sheets):
    """Sheets of pictures over what an `Autoencoder` makes of them.

    Args:
        directory, every_steps, log_dir: as for `Sheets`.
        pictures: uint8 array (N, H, W, C), the pictures to reconstruct.
    """

    shown_as = "reconstructions"

    def __init__(self, directory, pictures, every_steps=200, log_dir=None):
        super().__init__(directory, every_steps, log_dir)
        self.pictures = pictures

    def sheet(self):
        return images.pairs(self.pictures, self.model.reconstruct(self.pictures))
