"""Where the search for a picture in latent space begins."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from kgan.explore.subject import Subject
from kgan.images import from_uint8
from kgan.models.latent_encoder import check_encoder
from kgan.training.network_checks import run_network

CANDIDATES = 256
BATCH = 64


class Drawn:
    """Latents drawn at random, and their images, to start from the nearest."""

    def __init__(self, subject: Subject, seed: int) -> None:
        self.subject, self.seeds = subject, range(seed, seed + CANDIDATES)
        self.latents = subject.latents(self.seeds)
        self.of_label: dict[bytes, tuple[np.ndarray, np.ndarray | None]] = {}

    def nearest(
        self, picture: np.ndarray, count: int, label: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """(latents (count, latent_dim), their labels or None) of the nearest images."""
        key = b"" if label is None else label.tobytes()
        if key not in self.of_label:
            classes = self.subject.labels_of(self.seeds)
            if label is not None:
                classes = np.repeat(label[None], len(self.seeds), axis=0)
            self.of_label[key] = self.subject.draw(self.latents, classes), classes
        images, classes = self.of_label[key]
        apart = ((images.astype(np.float32) - picture) ** 2).mean((1, 2, 3))
        chosen = np.argsort(apart, kind="stable")[:count]
        return self.latents[chosen], None if classes is None else classes[chosen]

    def put_last(
        self,
        latent: np.ndarray,
        start: np.ndarray,
        classes: np.ndarray | None,
        picture: np.ndarray,
        label: np.ndarray | None,
    ) -> np.ndarray:
        """Puts a latent in the place of the last start, in place; the image that it is of.

        Args:
            latent: float array (latent_dim,).
            start, classes: as `nearest` gives them.
            picture: uint8 array (H, W, C) that is sought.
            label: the picture's; None to take that by which the latent's image is nearest.
        """
        known = self.subject.labels_of(self.seeds) if label is None else label[None]
        choices = None if known is None else np.unique(known, axis=0)
        repeated = np.repeat(latent[None], 1 if choices is None else len(choices), axis=0)
        images = self.subject.draw(repeated, choices)
        best = int(((images.astype(np.float32) - picture) ** 2).mean((1, 2, 3)).argmin())
        start[-1] = latent
        if classes is not None and choices is not None:
            classes[-1] = choices[best]
        return images[best]


def encoded_by(encoder: keras.Model, gan: Any, levels: np.ndarray) -> np.ndarray:
    """The latents that an encoder makes of images, within -1 and 1 where they are uniform.

    Args:
        encoder: images (B, H, W, C) in the model's range to (B, latent_dim).
        gan: the `kgan.GAN` whose latents they are.
        levels: uint8 array (N, H, W, C).

    Returns:
        float32 array (N, latent_dim).

    Raises:
        InputError: the encoder takes other images, or gives something else.
    """
    check_encoder(encoder, gan.image_shape, gan.latent_dim)
    latents = run_network(encoder, [from_uint8(levels, gan.value_range)], BATCH)
    return np.clip(latents, -1.0, 1.0) if gan.latent_distribution == "uniform" else latents
