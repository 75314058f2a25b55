"""Images of a source by their indices, and the source without them: held-out data."""

from __future__ import annotations

import copy
import hashlib
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from kgan import memory
from kgan.data.array_source import ArraySource
from kgan.data.sources import Source, StreamSource
from kgan.errors import InputError


def draw_indices(source: Source, n: int, seed: int) -> np.ndarray:
    """Indices of n images drawn at random, none twice; broken ones are among them.

    Args:
        source: where they are drawn from; the same order for the same images and seed.
        n: how many; all, in a random order, where there are not so many.
        seed: whole number from 0 up.

    Returns:
        int64 array (n,) or shorter.
    """
    # Which images are broken is found out in time: the draw must not depend on it.
    return np.random.default_rng(seed).permutation(source.usable)[:n]


def share_of(source: Source, share: float, seed: int) -> np.ndarray:
    """Indices of about a share of the images, each chosen by what it is called alone.

    An image that is chosen stays so whatever images come or go.

    Args:
        source: a `Source`.
        share: from 0 to below 1.
        seed: whole number from 0 up.

    Returns:
        int64 array, ascending.
    """
    bound = int(share * 2**64)
    chosen = [
        index
        for index in range(source.usable if share else 0)
        if int.from_bytes(_hash(f"{seed} {source.identity(index)}"), "big") < bound
    ]
    return np.array(chosen, np.int64)


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).digest()


def pick(source: Source, indices: npt.ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """The images of some indices, and their labels.

    Args:
        source: a `Source`.
        indices: whole numbers (N,), as `draw_indices` gives them.

    Returns:
        (uint8 (N, H, W, C), labels (N,) or (N, k) as `Source.examples` has them), in the order of
        the indices; those that prove broken are missing.

    Raises:
        InputError: none can be decoded.
    """
    indices = np.asarray(indices, np.int64)
    if isinstance(source, ArraySource):
        return source.images[indices], source.labels[indices]
    size = 2 * math.prod(source.image_shape)
    memory.check_array(len(indices), size, "-n", "Real images are kept: an array")
    wanted = np.zeros(source.count, bool)
    wanted[indices] = True
    pairs = source.read(numbered(source, wanted))
    found = {int(index): (image, label) for image, (index, label) in pairs}
    if not found:
        raise InputError(f"No picture could be decoded. Received: {source.description}")
    images, labels = zip(*(found[index] for index in indices if index in found), strict=True)
    return np.stack(images), np.array(labels, source.labels_spec[1])


def numbered(source: Source, wanted: np.ndarray | None = None) -> tf.data.Dataset:
    """A tf.data.Dataset of uint8 images and (int64 which image it is, its label).

    Args:
        source: a `Source`.
        wanted: bool (count,), the images to decode; None for all.
    """
    if not isinstance(source, StreamSource):
        examples = source.examples().enumerate()
        if wanted is not None:
            examples = examples.filter(lambda index, pair: tf.gather(wanted, index))
        return examples.map(lambda index, pair: (pair[0], (index, pair[1])))
    encoded = source.encoded(None)
    if wanted is not None:
        encoded = encoded.filter(lambda index, data, label: tf.gather(wanted, index))
    # The number travels as the label does: shards give their images in an order of their own.
    return source.decoded(encoded.map(lambda index, data, label: (index, data, (index, label))))


def without(source: Source, indices: Sequence[int] | np.ndarray) -> Source:
    """The source without the images of some indices; the source itself stays as it is."""
    rest = copy.copy(source)
    if isinstance(source, ArraySource):
        keep = np.setdiff1d(np.arange(source.count), indices)
        part = ArraySource(
            source.values[keep],
            source.description,
            source.default_augment,
            source.labels[keep],
            source.class_names,
            attributes=source.attributes,
            array_range=source.array_range,
        )
        part.transparency = source.transparency
        return part
    rest.left_out = frozenset(map(int, indices))
    return rest
