"""Comparison of an export with the Keras model it was made from."""

from __future__ import annotations

from typing import Any

import numpy as np

from kgan import images
from kgan.errors import ParityError
from kgan.export.signatures import Part, Runner

BATCH_SIZES = (1, 3, 8)
# Far above the seeds people use, so that no export is tuned on what it is judged by.
FIRST_SEED = 1_000_003
FLOAT_TOLERANCE = 1e-4
LEVEL_TOLERANCE = 1


def parity(
    part: Part, run_floats: Runner, run_levels: Runner | None = None, tolerant: bool = False
) -> dict[str, Any]:
    """Largest differences between Keras and an export over seeds and batch sizes.

    Args:
        part: the `Part` that was exported.
        run_floats: callable, dict of input arrays -> float32 output.
        run_levels: callable, the same -> uint8 images; None where the output is not an image.
        tolerant: only measure.

    Returns:
        Dict with "float_max_abs_difference", for images also
        "uint8_max_levels", and the batch sizes and seeds compared.

    Raises:
        ParityError: a difference above 1e-4 (float; relative to the largest value where
            that is above 1) or 1 level (uint8), or a number that is not finite.
    """
    float_difference, level_difference, scale = 0.0, 0.0, 1.0
    compared: list[int] = []
    first = FIRST_SEED
    for batch_size in BATCH_SIZES:
        seeds = range(first, first + batch_size)
        first += batch_size
        compared.extend(seeds)
        arrays = part.draw(seeds)
        expected = part.expected(arrays)
        if not np.isfinite(expected).all():
            raise ParityError("The model's own output has numbers that are not finite.")
        scale = max(scale, float(np.abs(expected).max()))
        float_difference = _larger(float_difference, run_floats(arrays), expected)
        if run_levels is not None:
            levels = images.to_uint8(expected, part.value_range).astype(np.float32)
            level_difference = _larger(level_difference, run_levels(arrays), levels)
    # `not <=` so that a NaN fails too.
    if not tolerant and not float_difference <= FLOAT_TOLERANCE * scale:
        raise ParityError(
            f"The export differs from Keras by {float_difference:.3g}; "
            f"at most {FLOAT_TOLERANCE * scale:.3g} is allowed."
        )
    if not tolerant and not level_difference <= LEVEL_TOLERANCE:
        raise ParityError(
            f"The export differs from Keras by {level_difference:.0f} levels of 255; "
            f"at most {LEVEL_TOLERANCE} is allowed."
        )
    report = {
        "batch_sizes": list(BATCH_SIZES),
        "seeds": compared,
        "float_max_abs_difference": float_difference,
    }
    return report if run_levels is None else report | {"uint8_max_levels": level_difference}


def _larger(so_far: float, received: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference up to now; a NaN stays."""
    if received.shape != expected.shape:
        raise ParityError(f"The export gives {received.shape}, Keras {expected.shape}.")
    difference = np.max(np.abs(received.astype(np.float32) - expected))
    return float(np.maximum(so_far, difference))
