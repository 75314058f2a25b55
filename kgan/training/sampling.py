"""Pictures from a trained GAN, one seed each."""

import numpy as np

from kgan import images as pictures
from kgan import latents as latent_law
from kgan.models.precision import float32_copy


def sample(gan, seeds, keep, batch_size):
    """Makes a picture of every seed and keeps the best.

    Args:
        gan: a `GAN`.
        seeds: sequence of ints >= 0.
        keep: how many pictures to keep: all, in order, when there are no more
            seeds than that; else those with the highest logits of the
            discriminator in inference mode, best first.
        batch_size: pictures made at a time.

    Returns:
        (uint8 array (keep, H, W, C), list of the seeds kept).
    """
    latents = latent_law.from_seeds(seeds, gan.latent_dim, gan.latent_distribution)
    generator = float32_copy(gan.generator)
    images = generator.predict(latents, batch_size=batch_size, verbose=0)
    seeds = list(seeds)
    if keep < len(seeds):
        logits = gan.discriminator.predict(images, batch_size=batch_size, verbose=0)
        best = np.argsort(-logits[:, 0], kind="stable")[:keep]
        images, seeds = images[best], [seeds[index] for index in best]
    return pictures.to_uint8(images, gan.value_range), seeds
