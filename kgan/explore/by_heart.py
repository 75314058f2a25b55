"""A generator that knows a few images by heart and nothing between: what walks are held against."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kgan.explore.subject import Subject

KNOWN = 16  # images
FIRST_SEED = 1_000_000  # of those that are no stop of the walk


class ByHeart:
    """Draws, for any latent, the image of the nearest latent among `KNOWN`.

    Args:
        subject: whose images it knows.
        seeds: of those that it knows at least, stops of a walk.
        labels: their classes; None for a model without.
    """

    def __init__(
        self, subject: Subject, seeds: Sequence[int], labels: np.ndarray | None = None
    ) -> None:
        others = range(FIRST_SEED, FIRST_SEED + max(0, KNOWN - len(seeds)))
        self.latents = subject.latents([*seeds, *others])
        classes = subject.labels_of(others)
        if classes is not None:
            classes = np.concatenate([subject.labels_of(seeds, labels), classes])
        self.images = subject.draw(self.latents, classes)

    def draw(self, latents: np.ndarray) -> np.ndarray:
        """Images uint8 (N, H, W, C) of latents (N, latent_dim)."""
        apart = np.linalg.norm(latents[:, None] - self.latents[None], axis=-1)
        return self.images[apart.argmin(axis=1)]
