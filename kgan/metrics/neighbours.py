"""Distances between rows, in blocks: of the k-th neighbour, and of the nearest ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

BLOCK = 512  # rows
MOST_VALUES = 2**22  # of a block of references in float64
# Squared distances below this share of the squared lengths are the rounding of a product of
# matrices: the rows are the same.
SAME = 1e-13


def distance_rows(
    queries: np.ndarray, references: np.ndarray
) -> Iterator[tuple[slice, np.ndarray]]:
    """Euclidean distances, a block of queries at a time.

    They are computed in float64 and rounded to float32, so that a distance is the same number
    in whichever product of matrices it was found: ties stay ties.

    Args:
        queries, references: arrays (n, d) and (m, d).

    Yields:
        (the block's rows, float32 array (rows, m)).
    """
    centre = references.mean(axis=0, dtype=np.float64)
    others = references.astype(np.float64) - centre
    squares = np.einsum("nd,nd->n", others, others)
    for start in range(0, len(queries), BLOCK):
        rows = slice(start, start + BLOCK)
        yield rows, np.sqrt(_squared(queries[rows] - centre, others, squares)).astype(np.float32)


def kth_distances(features: np.ndarray, k: int) -> np.ndarray:
    """Distance of each row to the k-th nearest other row, float32 (n,); k below n."""
    found = []
    for rows, distances in distance_rows(features, features):
        own = np.arange(len(features))[rows]
        distances[np.arange(len(own)), own] = np.inf
        found.append(np.partition(distances, k - 1, axis=1)[:, k - 1])
    return np.concatenate(found)


def nearest_rows(
    queries: np.ndarray, references: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest references of each query, in blocks of both.

    Args:
        queries, references: arrays (n, d) and (m, d) of any dtype, m at least k.
        k: number of neighbours.

    Returns:
        (distances, float64 (n, k), ascending; rows of the references, int64 (n, k)). The
        distances are taken from the differences of the rows: those of equal rows are exactly 0.
    """
    near = np.full((len(queries), k), np.inf)
    where = np.zeros((len(queries), k), np.int64)
    blocks = [slice(start, start + BLOCK) for start in range(0, len(queries), BLOCK)]
    per_block = max(1, MOST_VALUES // references.shape[1])
    for first in range(0, len(references), per_block):
        others = references[first : first + per_block].astype(np.float64)
        centre = others.mean(axis=0)
        others -= centre
        squares = np.einsum("nd,nd->n", others, others)
        for rows in blocks:
            squared = _squared(queries[rows] - centre, others, squares)
            best = np.argpartition(squared, min(k, len(others)) - 1, axis=1)[:, :k]
            found = [near[rows], np.take_along_axis(squared, best, axis=1)]
            _keep_nearest(
                near[rows], where[rows], np.hstack(found), np.hstack([where[rows], best + first])
            )
    for rows in blocks:
        block = queries[rows].astype(np.float64)
        exact = np.empty((len(block), k))
        for column in range(k):
            apart = block - references[where[rows, column]]
            exact[:, column] = np.sqrt(np.einsum("nd,nd->n", apart, apart))
        _keep_nearest(near[rows], where[rows], exact, where[rows].copy())
    return near, where


def _keep_nearest(
    near: np.ndarray, where: np.ndarray, distances: np.ndarray, indices: np.ndarray
) -> None:
    """Fills the first two, (n, k), with the smallest distances, ascending, and their indices."""
    kept = np.argsort(distances, axis=1, kind="stable")[:, : near.shape[1]]
    near[...] = np.take_along_axis(distances, kept, axis=1)
    where[...] = np.take_along_axis(indices, kept, axis=1)


def _squared(rows: np.ndarray, others: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Squared distances of float64 rows, (n, m)."""
    lengths = np.einsum("nd,nd->n", rows, rows)[:, np.newaxis] + squares
    products = rows @ others.T
    products *= -2
    products += lengths
    products[products < SAME * lengths] = 0
    return products
