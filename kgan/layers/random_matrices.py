"""Matrices of random changes, one per image: drawn, chosen by their probability, multiplied."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import TypeAlias

import numpy as np
from keras import ops

from kgan.layers.draws import PerImage
from kgan.tensors import Tensor

# Two numbers of U(0, 1) and two of N(0, 1) per image, each (B, 2), to matrices (B, n, n).
Maker: TypeAlias = Callable[[Tensor, Tensor], Tensor]


def drawn(
    makers: Sequence[Maker], draw: PerImage, probabilities: Sequence[float | Tensor]
) -> list[Tensor]:
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
        identity = np.eye(matrix.shape[-1], dtype=np.float32)
        matrices.append(ops.where(chosen[:, None, None], matrix, identity))
    return matrices


def product(matrices: Iterable[Tensor]) -> Tensor:
    """The product of matrices (B, n, n), from left to right."""
    return reduce(_times, matrices)


def _times(left: Tensor, right: Tensor) -> Tensor:
    # A GPU's or TPU's matrix product would round its factors to some 8 or 11 bits: whole pixels.
    return ops.sum(left[:, :, :, None] * right[:, None, :, :], axis=2)


def from_rows(rows: Sequence[Sequence[float | Tensor]]) -> Tensor:
    """Matrices (B, n, n) of entries that are one number for all, or (B,); one at least is (B,)."""
    entries = [ops.convert_to_tensor(entry, "float32") for row in rows for entry in row]
    zeros = ops.zeros_like(next(entry for entry in entries if len(entry.shape) == 1))
    full = [entry if len(entry.shape) == 1 else zeros + entry for entry in entries]
    return ops.reshape(ops.stack(full, axis=1), (-1, len(rows), len(rows)))
