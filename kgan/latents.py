"""Latent vectors from seeds: every image has a seed of its own.

Image i of `generate(n, seed)` has the seed `seed + i`, and its latent depends on
that seed alone: the same seed gives the same image, whatever batch it is generated
in. The rule is one line of numpy, which every export's manifest quotes.
"""

from __future__ import annotations

import numbers
from collections.abc import Iterable
from typing import Literal, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from kgan.errors import InputError

__all__ = ["closed_walk", "from_seeds", "law", "lerp", "slerp"]

Distribution: TypeAlias = Literal["normal", "uniform"]

DISTRIBUTIONS = ("normal", "uniform")


def check_distribution(distribution: str) -> Distribution:
    """Returns `distribution`.

    Raises:
        InputError: it is neither "normal" nor "uniform".
    """
    if distribution not in DISTRIBUTIONS:
        raise InputError(
            f"latent_distribution must be one of {', '.join(DISTRIBUTIONS)}. "
            f"Received: {distribution!r}"
        )
    return cast(Distribution, distribution)


def check_seed(seed: object) -> int:
    """Returns `seed` as an int.

    Raises:
        InputError: it is not a whole number of at least 0.
    """
    if isinstance(seed, bool) or not isinstance(seed, numbers.Integral) or seed < 0:
        raise InputError(f"A seed is a whole number of at least 0. Received: {seed!r}")
    return int(seed)


def check_truncation(truncation: object) -> float:
    """Returns `truncation` as a float.

    Raises:
        InputError: it is not a number above 0, up to 1.
    """
    if (
        isinstance(truncation, bool)
        or not isinstance(truncation, numbers.Real)
        or not 0 < float(truncation) <= 1
    ):
        raise InputError(f"truncation must be above 0, up to 1. Received: {truncation!r}")
    return float(truncation)


def from_seeds(
    seeds: Iterable[int],
    latent_dim: int,
    distribution: str = "normal",
    truncation: float = 1.0,
) -> np.ndarray:
    """Latents from seeds, one Philox stream per seed.

    Args:
        seeds: iterable of N ints >= 0.
        latent_dim: length of a latent vector.
        distribution: "normal" for N(0, 1), "uniform" for U(-1, 1).
        truncation: what every latent is multiplied by, above 0 and up to 1: below 1 it is
            nearer to the mean of all, so that images are more typical and less diverse. A seed
            keeps its direction; nothing is drawn again.

    Returns:
        float32 array (N, latent_dim).

    Raises:
        InputError: a negative seed, an unknown distribution, or a truncation that is none.
    """
    check_distribution(distribution)
    scale = np.float32(check_truncation(truncation))
    rows = []
    for seed in seeds:
        generator = np.random.Generator(np.random.Philox(check_seed(seed)))
        if distribution == "normal":
            rows.append(generator.standard_normal(latent_dim, np.float32))
        else:
            rows.append(generator.uniform(-1.0, 1.0, latent_dim).astype(np.float32))
    latents = np.stack(rows) if rows else np.zeros((0, latent_dim), np.float32)
    return latents if scale == 1 else latents * scale


def closed_walk(stops: npt.ArrayLike, frames: int, distribution: str = "normal") -> np.ndarray:
    """Latents along a path from each stop to the next, and from the last back to the first.

    The walk slows to rest at each stop, so that it is smooth there too. Between normal
    latents it follows the arc (slerp), which keeps their typical length; between uniform
    ones it is straight (lerp), which stays inside the cube.

    Args:
        stops: float array (S, latent_dim).
        frames: latents from one stop (included) to the next (excluded).
        distribution: "normal" or "uniform".

    Returns:
        float32 array (S * frames, latent_dim); latent i * frames is stop i.

    Raises:
        InputError: an unknown distribution.
    """
    interpolate = slerp if check_distribution(distribution) == "normal" else lerp
    stops = np.asarray(stops, np.float32)
    fractions = np.arange(frames, dtype=np.float32) / frames
    fractions = fractions * fractions * (3 - 2 * fractions)
    legs = zip(stops, np.roll(stops, -1, axis=0), strict=True)
    return np.concatenate([interpolate(start, end, fractions) for start, end in legs])


def lerp(start: npt.ArrayLike, end: npt.ArrayLike, fractions: npt.ArrayLike) -> np.ndarray:
    """Latents on the straight line between two.

    Args:
        start, end: float arrays (latent_dim,).
        fractions: float array (N,), 0 at `start` and 1 at `end`.

    Returns:
        float32 array (N, latent_dim).
    """
    start, end = np.asarray(start), np.asarray(end)
    fractions = np.asarray(fractions, np.float32)[:, None]
    return ((1 - fractions) * start + fractions * end).astype(np.float32)


def slerp(start: npt.ArrayLike, end: npt.ArrayLike, fractions: npt.ArrayLike) -> np.ndarray:
    """Latents on the arc between two, at a constant angular speed; a line if they are parallel.

    Args:
        start, end, fractions: as for `lerp`.

    Returns:
        float32 array (N, latent_dim).

    Reference:
        Shoemake 1985, section 3.3, https://doi.org/10.1145/325165.325242
    """
    start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
    lengths = np.linalg.norm(start) * np.linalg.norm(end)
    cosine = np.clip(start @ end / lengths, -1.0, 1.0) if lengths else 1.0
    angle = np.arccos(cosine)
    if np.sin(angle) < 1e-6:  # there is no arc, or it is not unique
        return lerp(start, end, fractions)
    fractions = np.asarray(fractions, np.float64)[:, None]
    arc = np.sin((1 - fractions) * angle) * start + np.sin(fractions * angle) * end
    return (arc / np.sin(angle)).astype(np.float32)


def law(latent_dim: int, distribution: str = "normal") -> str:
    """The numpy code that draws a latent from a seed, quoted in an export's manifest."""
    draw = (
        f"standard_normal({latent_dim}, 'float32')"
        if distribution == "normal"
        else f"uniform(-1.0, 1.0, {latent_dim}).astype('float32')"
    )
    return f"numpy.random.Generator(numpy.random.Philox(seed)).{draw}"
