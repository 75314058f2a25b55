"""`LatentWalk`: animations of walks between latents."""

from pathlib import Path

import numpy as np

from kgan import images
from kgan import latents as latent_law
from kgan.callbacks.every_steps import EverySteps
from kgan.callbacks.sample_sheets import MOST_COLUMNS
from kgan.models.networks import check_positive
from kgan.training.generating import draw


class LatentWalk(EverySteps):
    """Animations of a `GAN`'s pictures along a closed way through a few fixed latents.

    Where pictures change smoothly the generator has learned more than to copy.
    Files are `step-001000.webp` and so on, the last at the end of training; each shows several
    walks side by side and repeats without end. Of a conditional GAN with at
    most 16 classes every class takes the same walk, so that what a latent means
    in each can be compared; with more, each walk has a class of its own.

    Args:
        directory: where the animations go.
        every_steps: steps between two animations.
        walks: walks side by side, where there are no classes to show.
        stops: latents that a walk passes; those of walk i have the seeds
            `seed + i * stops` and on, and are the pictures `generate` makes of them.
        frames: pictures from one stop to the next.
        seed: seed of the first latent.

    Raises:
        InputError: a number below 1, or a negative seed.
    """

    at_begin = False  # there is nothing to walk through yet

    def __init__(self, directory, every_steps=1000, walks=16, stops=4, frames=12, seed=0):
        super().__init__(every_steps)
        check_positive(walks=walks, stops=stops, frames=frames)
        self.directory = Path(directory)
        self.walks = walks
        self.stops = stops
        self.frames = frames
        self.seed = latent_law.check_seed(seed)

    def act(self):
        path = self.directory / f"step-{self.step:06d}.webp"
        images.save_animation(path, [images.grid(sheet) for sheet in self.sheets()])

    def sheets(self):
        """The frames' pictures, a uint8 array (stops * frames, walks, H, W, C)."""
        gan = self.model
        labels, seeds = self._who_walks()
        ways = []
        for first in seeds:
            stops = latent_law.from_seeds(
                range(first, first + self.stops), gan.latent_dim, gan.latent_distribution
            )
            ways.append(latent_law.closed_walk(stops, self.frames, gan.latent_distribution))
        steps = self.stops * self.frames
        latents = np.stack(ways, axis=1).reshape(steps * len(ways), -1)
        made = draw(gan, latents, None if labels is None else np.tile(labels, steps))
        return made.reshape(steps, len(ways), *made.shape[1:])

    def _who_walks(self):
        """(labels or None, the seed of the first stop) of each walk."""
        classes = self.model.num_classes
        if classes is not None and classes <= MOST_COLUMNS:
            return np.arange(classes), [self.seed] * classes
        seeds = [self.seed + walk * self.stops for walk in range(self.walks)]
        return None if classes is None else np.arange(self.walks) % classes, seeds
