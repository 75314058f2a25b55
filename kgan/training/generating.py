"""Images from a trained GAN, one seed each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kgan import labels as label_law
from kgan import latents as latent_law
from kgan.errors import InputError
from kgan.images import to_uint8
from kgan.models.networks import check_positive
from kgan.models.rebuild import float32_copy
from kgan.models.self_drawing import run_by_seeds, what_draws
from kgan.training.network_checks import run_network

if TYPE_CHECKING:
    from kgan.training.gan import GAN


def sample(
    gan: GAN, n: int, seed: int = 0, labels: Any = None, nice: int = 1, batch_size: int = 64
) -> tuple[np.ndarray, list[int]]:
    """`GAN.generate`, with the seeds of the images.

    Args:
        gan, n, seed, labels, nice, batch_size: as for `GAN.generate`.

    Returns:
        (uint8 array (n, H, W, C), list of the n seeds that make them again with
        the same labels).
    """
    check_positive(n=n, nice=nice, batch_size=batch_size)
    seeds = latent_law.check_seed(seed) + np.arange(n * nice)
    inputs = [latent_law.from_seeds(seeds, gan.latent_dim, gan.latent_distribution)]
    if labels is None and gan.num_classes is not None:
        labels = label_law.from_seeds(seeds[:n], gan.num_classes)
    if labels is not None:
        inputs.append(np.tile(label_law.check_labels(labels, n, gan.num_classes), nice))
    gan.calibrate()
    images = _images(gan, inputs, seeds, batch_size)
    if nice > 1:
        logits = run_network(gan.discriminator, [images, *inputs[1:]], batch_size)[:, 0]
        if gan.num_classes is None:
            best = np.argsort(-logits, kind="stable")[:n]
        else:  # the best of each image's own label, or one class might crowd out the others
            best = np.argmax(logits.reshape(nice, n), axis=0) * n + np.arange(n)
        images, seeds = images[best], seeds[best]
    return to_uint8(images, gan.value_range), [int(s) for s in seeds]


def draw(gan: GAN, latents: np.ndarray, labels: Any = None, batch_size: int = 64) -> np.ndarray:
    """The images of latents, by the weights that users see.

    Args:
        gan: a `GAN`.
        latents: float array (N, latent_dim); all get the same noise where the generator
            draws some by itself.
        labels: of a conditional GAN, one class for all or N of them.
        batch_size: images made at a time; it does not change them.

    Returns:
        uint8 array (N, H, W, C).

    Raises:
        InputError: labels that do not fit.
    """
    inputs = [latents]
    if labels is not None or gan.num_classes is not None:
        inputs.append(label_law.check_labels(labels, len(latents), gan.num_classes))
    gan.calibrate()
    images = _images(gan, inputs, np.zeros(len(latents), int), batch_size)
    return to_uint8(images, gan.value_range)


def _images(gan: GAN, inputs: list[Any], seeds: np.ndarray, batch_size: int) -> np.ndarray:
    """Images in the model's range; what a generator draws by itself comes from the seeds too."""
    if not gan.makes_pictures:
        raise InputError(
            "This GAN makes no pictures; predict(kgan.latents.from_seeds(seeds, latent_dim)) gives "
            f"its own numbers. Received one that makes {gan.image_shape}"
        )
    network = float32_copy(gan.inference_generator)
    if what_draws(network):
        return run_by_seeds(network, inputs, seeds)
    return run_network(network, inputs, batch_size)
