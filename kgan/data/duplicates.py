"""Files with the same bytes, and images that look alike.

Two images look alike if their perceptual hashes (pHash, 64 bits) differ in at most three
bits: copies that were compressed again or scaled, but also images that differ only in
colour, which the hash does not see, and different images that are equally plain, such as
single objects on a plain background. It is a hint about where to look, not a verdict.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from kgan.channels import ALPHA
from kgan.images import over, to_pil

MOST_BITS = 3
BLOCKS = 6


def perceptual_hash(image: np.ndarray) -> int:
    """The 64 bits of ImageHash's `phash` as an int.

    Args:
        image: uint8 array (H, W, C), C 1, 3 or 4; the last is looked at over white.
    """
    import imagehash  # takes a third of a second with scipy, and only needed here

    if image.shape[-1] == ALPHA:
        image = over(image)
    bits = imagehash.phash(to_pil(image)).hash
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def group_equal(values: Iterable[Hashable]) -> list[list[int]]:
    """Groups of positions of equal values, each of at least two, ordered by their first member."""
    places: dict[Hashable, list[int]] = {}
    for place, value in enumerate(values):
        places.setdefault(value, []).append(place)
    return [group for group in places.values() if len(group) > 1]


def group_near(hashes: Sequence[int] | np.ndarray) -> list[list[int]]:
    """Groups of positions whose hashes are linked by steps of at most three bits.

    Three bits lie in at most three of six blocks, so near hashes agree in the other
    three: for each choice of three blocks, only hashes that agree there are compared.
    Memory grows with the number of hashes, not of pairs. Time is seconds for a
    million hashes that differ as those of photographs do, and minutes for a million
    that lie close together.

    Args:
        hashes: ints from 0 to 2**64 - 1.

    Returns:
        Lists of positions in `hashes`, each of at least two, ordered by their first member.

    Reference:
        Manku et al. 2007, section 3, https://doi.org/10.1145/1242572.1242592
    """
    unique, where = np.unique(np.asarray(hashes, np.uint64), return_inverse=True)
    labels = np.arange(len(unique))
    for mask in _masks(unique) if len(unique) else ():
        _link_under(mask, unique, labels)
    return group_equal(labels[where.ravel()].tolist())


def _masks(hashes: np.ndarray) -> list[np.uint64]:
    """The bits of each choice of three blocks, uint64.

    Bits that are nearly always the same carry little information: they are spread
    over the blocks evenly, or some choices would have most of the hashes agree.
    """
    bits = [np.uint64(1 << place) for place in range(64)]
    informative = sorted(
        bits, key=lambda bit: abs(np.count_nonzero(hashes & bit) / len(hashes) - 0.5)
    )
    blocks = [sum(map(int, informative[start::BLOCKS])) for start in range(BLOCKS)]
    choices = itertools.combinations(blocks, BLOCKS - MOST_BITS)
    return [np.uint64(sum(choice)) for choice in choices]


def _link_under(mask: np.uint64, unique: np.ndarray, labels: np.ndarray) -> None:
    """Links near hashes that agree in the mask's bits; `labels` is changed in place."""
    keys = unique & mask
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    # Hashes that agree are now neighbours: each is compared with the next, the next but one, ...
    first = np.arange(len(keys))
    waiting: list[tuple[np.ndarray, np.ndarray]] = []
    number = 0
    for step in itertools.count(1):
        first = first[: np.searchsorted(first, len(keys) - step)]
        first = first[keys[first] == keys[first + step]]
        if not len(first):
            break
        left, right = order[first], order[first + step]
        near = (labels[left] != labels[right]) & _is_near(unique[left], unique[right])
        waiting.append((left[near], right[near]))
        number += int(np.count_nonzero(near))
        if number > len(unique):  # bounds the pairs in memory
            _join(labels, waiting)
            waiting, number = [], 0
    _join(labels, waiting)


def _is_near(left: npt.NDArray[np.uint64], right: npt.NDArray[np.uint64]) -> np.ndarray:
    different = left ^ right
    for _ in range(MOST_BITS):
        different &= different - (different > 0)  # drops the lowest bit that is set
    return different == 0


def _join(labels: np.ndarray, pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> None:
    """Gives linked hashes the least label among them.

    Args:
        labels: int array (N,), changed in place; labels[labels] == labels.
        pairs: list of (int array (M,), int array (M,)) of linked positions.
    """
    if not pairs:
        return
    left, right = (np.concatenate(side) for side in zip(*pairs, strict=True))
    while True:
        low = np.minimum(labels[left], labels[right])
        high = np.maximum(labels[left], labels[right])
        apart = low != high
        if not apart.any():
            return
        np.minimum.at(labels, high[apart], low[apart])
        while not np.array_equal(labels[labels], labels):
            labels[:] = labels[labels]
