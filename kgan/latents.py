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


def closed_walk(stops, frames, distribution="normal"):
    """Latents on a way from each stop to the next and from the last back to the first.

    It rests at each stop, so that it is smooth there too. Between normal latents it goes
    along the arc (slerp), where latents are as long as those drawn are; between
    uniform ones straight, so that it stays in the cube.

    Args:
        stops: float array (S, latent_dim).
        frames: latents from one stop to the next, the first of them counted.
        distribution: "normal" or "uniform".

    Returns:
        float32 array (S * frames, latent_dim); latent i * frames is stop i.

    Raises:
        InputError: an unknown distribution.
    """
    way = slerp if check_distribution(distribution) == "normal" else lerp
    stops = np.asarray(stops, np.float32)
    shares = np.arange(frames, dtype=np.float32) / frames
    shares = shares * shares * (3 - 2 * shares)
    pairs = zip(stops, np.roll(stops, -1, axis=0), strict=True)
    return np.concatenate([way(one, other, shares) for one, other in pairs])


def lerp(one, other, shares):
    """Latents on the straight line between two.

    Args:
        one, other: float arrays (latent_dim,).
        shares: float array (N,), 0 at `one` and 1 at `other`.

    Returns:
        float32 array (N, latent_dim).
    """
    shares = np.asarray(shares, np.float32)[:, None]
    return ((1 - shares) * one + shares * other).astype(np.float32)


def slerp(one, other, shares):
    """Latents on the arc between two, turning at an even pace; parallel ones go straight.

    Args:
        one, other, shares: as for `lerp`.

    Returns:
        float32 array (N, latent_dim).

    Reference:
        Shoemake 1985, section 3.3, https://doi.org/10.1145/325165.325242
    """
    one, other = np.asarray(one, np.float64), np.asarray(other, np.float64)
    lengths = np.linalg.norm(one) * np.linalg.norm(other)
    cosine = np.clip(one @ other / lengths, -1.0, 1.0) if lengths else 1.0
    angle = np.arccos(cosine)
    if np.sin(angle) < 1e-6:  # no arc, or no one arc
        return lerp(one, other, shares)
    shares = np.asarray(shares, np.float64)[:, None]
    made = np.sin((1 - shares) * angle) * one + np.sin(shares * angle) * other
    return (made / np.sin(angle)).astype(np.float32)


def law(latent_dim, distribution="normal"):
    """How a latent is drawn from a seed, as numpy code for a reader of the manifest."""
    draw = (
        f"standard_normal({latent_dim}, 'float32')"
        if distribution == "normal"
        else f"uniform(-1.0, 1.0, {latent_dim}).astype('float32')"
    )
    return f"numpy.random.Generator(numpy.random.Philox(seed)).{draw}"
