"""Matrices of random changes, one per image: drawn, chosen by their probability, multiplied."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import TypeAlias

import tensorflow as tf

from kgan.layers.draws import PerImage

# Two numbers of U(0, 1) and two of N(0, 1) per image, each (B, 2), to matrices (B, n, n).
Maker: TypeAlias = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def drawn(
    makers: Sequence[Maker], draw: PerImage, probabilities: Sequence[float | tf.Tensor]
) -> list[tf.Tensor]:
    """One matrix per change and image: the change's, or the identity where it is not chosen.

    Args:
        makers: the changes.
        draw: the numbers for the images.
        probabilities: of each change, from 0 to 1.

    Returns:
        For each change a float32 tensor (B, n, n).
    """
    # All numbers at once: a step has few operations that way.
    uniform, normal = draw.uniforms(len(makers), 3), draw.normals(len(makers), 2)
    matrices = []
    for place, (maker, probability) in enumerate(zip(makers, probabilities, strict=True)):
        matrix = maker(uniform[:, place, 1:], normal[:, place])
        chosen = uniform[:, place, 0] < probability
        identity = tf.eye(matrix.shape[-1])
        matrices.append(tf.where(chosen[:, None, None], matrix, identity))
    return matrices


def product(matrices: Iterable[tf.Tensor]) -> tf.Tensor:
    """The product of matrices (B, n, n), from left to right."""
    return reduce(_times, matrices)


def _times(left: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    # A GPU's or TPU's matrix product would round its factors to some 8 or 11 bits: whole pixels.
    return tf.reduce_sum(left[:, :, :, None] * right[:, None, :, :], axis=2)


def from_rows(rows: Sequence[Sequence[float | tf.Tensor]]) -> tf.Tensor:
    """Matrices (B, n, n) of entries that are one number for all, or (B,); one at least is (B,)."""
    entries = [tf.convert_to_tensor(entry, tf.float32) for row in rows for entry in row]
    count = tf.shape(next(entry for entry in entries if entry.shape.rank == 1))
    flat = tf.stack([tf.broadcast_to(entry, count) for entry in entries], axis=1)
    return tf.reshape(flat, (-1, len(rows), len(rows)))
