"""`LatentWalk`: animations of walks between latents."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from kgan import latents as latent_law
from kgan.callbacks.periodic import Periodic
from kgan.callbacks.sample_sheets import KEPT, MOST_COLUMNS, check_keep, thin
from kgan.files import whole_file
from kgan.images import grid, save_animation, to_pil
from kgan.models.networks import check_positive
from kgan.telling import doing
from kgan.training.generating import draw

MOST_BYTES = 2 * 10**6  # of an animation
SHRINKS = 4  # times, at most, that an animation without loss is smaller than its pixels
QUALITY = 80  # of WebP with loss


class LatentWalk(Periodic):
    """Animations of a `GAN`'s images along a closed path through a few fixed latents.

    Where images change smoothly the generator has learned more than to copy.
    Files are `step-001000.webp` and so on, the last at the end of training; each shows several
    walks side by side and repeats endlessly. With a conditional GAN of at
    most 16 classes every class takes the same walk, so that the meaning of a latent
    can be compared between classes; with more, or with attributes, each walk has its own.
    A file has less than 2 MB: animations that would have more lose something in their encoding,
    and where that is not enough, half of their height and width.

    Args:
        directory: where the animations go.
        every_steps: steps between two animations; 1000 when no interval is given.
        walks: walks side by side, where they are not one per class.
        stops: latents that a walk passes through; those of walk i have the seeds
            `seed + i * stops` and up, and give the images that `generate` gives for them.
        frames: images from one stop to the next.
        seed: seed of the first latent.
        every_minutes: minutes between two animations, in place of steps.
        keep: animations to keep at most, as for `SampleGrid`; 0 for all.

    Raises:
        InputError: an interval that `Periodic` refuses, another number below 1, or a negative seed
            or `keep`.
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
        keep: int = KEPT,
    ) -> None:
        super().__init__(every_steps, every_minutes)
        check_positive(walks=walks, stops=stops, frames=frames)
        self.keep = check_keep(keep)
        self.directory = Path(directory)
        self.walks = walks
        self.stops = stops
        self.frames = frames
        self.seed = latent_law.check_seed(seed)

    def act(self) -> None:
        with doing("drawing a latent walk"):
            path = self.directory / f"step-{self.step:06d}.webp"
            save_within(path, [grid(sheet) for sheet in self.sheets()])
        thin(self.directory, self.keep, ".webp")

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


def save_within(path: Path, frames: Sequence[np.ndarray], most_bytes: int = MOST_BYTES) -> None:
    """Writes an animation of at most so many bytes: without loss, with some, or smaller.

    Args:
        path: the .webp file.
        frames: uint8 arrays (H, W, C) of one shape.
        most_bytes: what the file may have.
    """
    # To try without loss takes ten times as long as with some: not where it would be in vain.
    quality = None if sum(frame.nbytes for frame in frames) <= SHRINKS * most_bytes else QUALITY
    with whole_file(path) as temporary:
        while True:
            save_animation(temporary, frames, quality=quality, drawn=True)
            if temporary.stat().st_size <= most_bytes or min(frames[0].shape[:2]) < 2:
                return
            if quality is not None:
                frames = [np.asarray(to_pil(frame).reduce(2)) for frame in frames]
                frames = [frame.reshape(*frame.shape[:2], -1) for frame in frames]
            quality = QUALITY
