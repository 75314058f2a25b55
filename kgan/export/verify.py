"""Comparison of an export with the Keras model it was made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kgan import images
from kgan.errors import ParityError
from kgan.export.probes import Probe
from kgan.export.signatures import Arrays, Part, Runner

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


def classifier_parity(
    part: Part, probe: Probe, run: Callable[[Arrays], Sequence[np.ndarray]]
) -> dict[str, Any]:
    """Compares the scores and classes of an exported probe with those of its classifier.

    Args:
        part: the `Part` that was exported.
        probe: the `Probe` it was made from, which gives the images and scores to compare with.
        run: callable, dict of input arrays -> [scores (N, K), classes (N,)].

    Returns:
        Dict with "scores_max_abs_difference", "classes_compared", the images whose best score
        is so far above the next that differences which are allowed cannot change the class, and
        "classes_too_close", the others.

    Raises:
        ParityError: scores that differ by more than 1e-4 (relative to the largest where that is
            above 1), or another class where the two best scores are further apart than twice that.
    """
    drawn = [part.draw(range(FIRST_SEED, FIRST_SEED + size)) for size in BATCH_SIZES]
    batches = [*drawn, {"images": probe.examples}]
    expected = np.concatenate([probe.scores(part.expected(arrays)) for arrays in batches])
    found = [run(arrays) for arrays in batches]
    scores, classes = (np.concatenate(parts) for parts in zip(*found, strict=True))
    tolerance = FLOAT_TOLERANCE * max(1.0, float(np.abs(expected).max()))
    difference = _larger(0.0, scores, expected)
    if not difference <= tolerance:  # a NaN fails too
        raise ParityError(
            f"The exported scores differ from the classifier's by {difference:.3g}; at most "
            f"{tolerance:.3g} is allowed."
        )
    ordered = np.sort(expected, axis=1)
    clear = ordered[:, -1] - ordered[:, -2] > 2 * tolerance  # each may differ by one
    others = int(np.count_nonzero(clear & (classes != expected.argmax(1))))
    if others:
        raise ParityError(f"The export gives another class for {others} of {len(clear)} images.")
    return {
        "scores_max_abs_difference": difference,
        "classes_compared": int(np.count_nonzero(clear)),
        "classes_too_close": int(np.count_nonzero(~clear)),
    }


def _larger(so_far: float, received: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference up to now; a NaN stays."""
    if received.shape != expected.shape:
        raise ParityError(f"The export gives {received.shape}, Keras {expected.shape}.")
    difference = np.max(np.abs(received.astype(np.float32) - expected))
    return float(np.maximum(so_far, difference))
