"""Latent vectors from seeds: every picture has a seed of its own.

Picture number i of `generate(n, seed)` has the seed `seed + i` and its latent
comes from that seed alone, so the same seed gives the same picture whatever
the batch it is made in. The law is one line of numpy and goes into every
export's manifest.
"""

import numbers

import numpy as np

from kgan.errors import InputError

DISTRIBUTIONS = ("normal", "uniform")


def check_distribution(distribution):
    """Returns `distribution`.

    Raises:
        InputError: it is neither "normal" nor "uniform".
    """
    if distribution not in DISTRIBUTIONS:
        raise InputError(
            f"latent_distribution must be one of {', '.join(DISTRIBUTIONS)}. "
            f"Received: {distribution!r}"
        )
    return distribution


def check_seed(seed):
    """Returns `seed` as an int.

    Raises:
        InputError: it is not a whole number from 0 up.
    """
    if isinstance(seed, bool) or not isinstance(seed, numbers.Integral) or seed < 0:
        raise InputError(f"A seed is a whole number from 0 up. Received: {seed!r}")
    return int(seed)


def from_seeds(seeds, latent_dim, distribution="normal"):
    """Latents of the given seeds, one Philox stream each.

    Args:
        seeds: iterable of N ints >= 0.
        latent_dim: length of a latent vector.
        distribution: "normal" for N(0, 1), "uniform" for U(-1, 1).

    Returns:
        float32 array (N, latent_dim).

    Raises:
        InputError: a negative seed or an unknown distribution.
    """
    check_distribution(distribution)
    rows = []
    for seed in seeds:
        generator = np.random.Generator(np.random.Philox(check_seed(seed)))
        if distribution == "normal":
            rows.append(generator.standard_normal(latent_dim, np.float32))
        else:
            rows.append(generator.uniform(-1.0, 1.0, latent_dim).astype(np.float32))
    return np.stack(rows) if rows else np.zeros((0, latent_dim), np.float32)


def law(latent_dim, distribution="normal"):
    """How a latent is drawn from a seed, as numpy code for a reader of the manifest."""
    draw = (
        f"standard_normal({latent_dim}, 'float32')"
        if distribution == "normal"
        else f"uniform(-1.0, 1.0, {latent_dim}).astype('float32')"
    )
    return f"numpy.random.Generator(numpy.random.Philox(seed)).{draw}"
