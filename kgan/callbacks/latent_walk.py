"""`LatentWalk`: animations of walks between latents."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

import numpy as np

from kgan import latents as latent_law
from kgan.callbacks.periodic import Periodic
from kgan.callbacks.sample_sheets import MOST_COLUMNS
from kgan.images import grid, save_animation
from kgan.models.networks import check_positive
from kgan.training.generating import draw


class LatentWalk(Periodic):
    """Animations of a `GAN`'s images along a closed path through a few fixed latents.

    Where images change smoothly the generator has learned more than to copy.
    Files are `step-001000.webp` and so on, the last at the end of training; each shows several
    walks side by side and repeats endlessly. With a conditional GAN of at
    most 16 classes every class takes the same walk, so that the meaning of a latent
    can be compared between classes; with more, or with attributes, each walk has its own.

    Args:
        directory: where the animations go.
        every_steps: steps between two animations; 1000 when no interval is given.
        walks: walks side by side, where they are not one per class.
        stops: latents that a walk passes through; those of walk i have the seeds
            `seed + i * stops` and up, and give the images that `generate` gives for them.
        frames: images from one stop to the next.
        seed: seed of the first latent.
        every_minutes: minutes between two animations, in place of steps.

    Raises:
        InputError: an interval that `Periodic` refuses, another number below 1, or a negative seed.
    """

    at_begin: ClassVar[bool] = False  # there is nothing to walk through yet
    default_every_steps: ClassVar[int] = 1000

    def __init__(
        self,
        directory: str | os.PathLike[str],
        every_steps: int | None = None,
        walks: int = 16,
        stops: int = 4,
        frames: int = 12,
        seed: int = 0,
        *,
        every_minutes: float | None = None,
    ) -> None:
        super().__init__(every_steps, every_minutes)
        check_positive(walks=walks, stops=stops, frames=frames)
        self.directory = Path(directory)
        self.walks = walks
        self.stops = stops
        self.frames = frames
        self.seed = latent_law.check_seed(seed)

    def act(self) -> None:
        path = self.directory / f"step-{self.step:06d}.webp"
        save_animation(path, [grid(sheet) for sheet in self.sheets()], drawn=True)

    def sheets(self) -> np.ndarray:
        """The images of each frame, a uint8 array (stops * frames, walks, H, W, C)."""
        gan = self.model
        labels, seeds = self._walkers()
        paths = []
        for first in seeds:
            stops = latent_law.from_seeds(
                range(first, first + self.stops), gan.latent_dim, gan.latent_distribution
            )
            paths.append(latent_law.closed_walk(stops, self.frames, gan.latent_distribution))
        steps = self.stops * self.frames
        latents = np.stack(paths, axis=1).reshape(steps * len(paths), -1)
        images = draw(gan, latents, None if labels is None else np.concatenate([labels] * steps))
        return images.reshape(steps, len(paths), *images.shape[1:])

    def _walkers(self) -> tuple[np.ndarray | None, list[int]]:
        """(the labels or None, the seeds of the first stops), one per walk."""
        classes, attributes = self.model.num_classes, self.model.attributes
        if classes is not None and classes <= MOST_COLUMNS:
            return np.arange(classes), [self.seed] * classes
        seeds = [self.seed + walk * self.stops for walk in range(self.walks)]
        if attributes is not None:
            return attributes.from_seeds(seeds), seeds
        return None if classes is None else np.arange(self.walks) % classes, seeds
