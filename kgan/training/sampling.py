"""Pictures from a trained GAN, one seed each."""

import numpy as np

from kgan import images as pictures
from kgan import latents as latent_law
from kgan.models.networks import check_positive
from kgan.models.precision import float32_copy


def sample(gan, n, seed=0, nice=1, batch_size=64):
    """`GAN.generate`, with the seeds of the pictures.

    Args:
        gan, n, seed, nice, batch_size: as for `GAN.generate`.

    Returns:
        (uint8 array (n, H, W, C), list of the n seeds that make them again).
    """
    check_positive(n=n, nice=nice, batch_size=batch_size)
    seeds = list(range(seed, seed + n * nice))
    latents = latent_law.from_seeds(seeds, gan.latent_dim, gan.latent_distribution)
    generator = float32_copy(gan.generator)
    images = generator.predict(latents, batch_size=batch_size, verbose=0)
    if nice > 1:
        logits = gan.discriminator.predict(images, batch_size=batch_size, verbose=0)
        best = np.argsort(-logits[:, 0], kind="stable")[:n]
        images, seeds = images[best], [seeds[index] for index in best]
    return pictures.to_uint8(images, gan.value_range), seeds
