"""Comparison of an export with the Keras model it was made from."""

import numpy as np

from kgan import images
from kgan.errors import ParityError

BATCH_SIZES = (1, 3, 8)
# Far above the seeds people use, so that no export is tuned on what it is judged by.
FIRST_SEED = 1_000_003
FLOAT_TOLERANCE = 1e-4
LEVEL_TOLERANCE = 1


def parity(part, run_float, run_uint8=None, tolerant=False):
    """Largest differences between Keras and an export over seeds and batch sizes.

    Args:
        part: the `Part` that was exported.
        run_float: callable, dict of input arrays -> float32 output.
        run_uint8: callable, the same -> uint8 images; None where the output is no image.
        tolerant: only measure.

    Returns:
        Dict with "float_max_abs_difference", for images also
        "uint8_max_levels", and the batch sizes and seeds compared.

    Raises:
        ParityError: a difference above 1e-4 (float; of the largest value where
            that is above 1) or 1 level (uint8), or a number that is not finite.
    """
    report = {"batch_sizes": list(BATCH_SIZES), "seeds": []}
    first, scale = FIRST_SEED, 1.0
    for batch_size in BATCH_SIZES:
        seeds = range(first, first + batch_size)
        first += batch_size
        report["seeds"].extend(seeds)
        arrays = part.draw(seeds)
        expected = part.expected(arrays)
        if not np.isfinite(expected).all():
            raise ParityError("The model itself gives numbers that are not finite.")
        scale = max(scale, float(np.abs(expected).max()))
        _keep_largest(report, "float_max_abs_difference", run_float(arrays), expected)
        if run_uint8 is not None:
            levels = images.to_uint8(expected, part.value_range).astype(np.float32)
            _keep_largest(report, "uint8_max_levels", run_uint8(arrays), levels)
    if tolerant:
        return report
    # `not <=` so that a NaN fails too.
    if not report["float_max_abs_difference"] <= FLOAT_TOLERANCE * scale:
        raise ParityError(
            f"The export differs from Keras by {report['float_max_abs_difference']:.3g}; "
            f"at most {FLOAT_TOLERANCE * scale:.3g} is allowed."
        )
    if run_uint8 is not None and not report["uint8_max_levels"] <= LEVEL_TOLERANCE:
        raise ParityError(
            f"The export differs from Keras by {report['uint8_max_levels']:.0f} levels of 255; "
            f"at most {LEVEL_TOLERANCE} is allowed."
        )
    return report


def _keep_largest(report, key, received, expected):
    if received.shape != expected.shape:
        raise ParityError(f"The export gives {received.shape}, Keras {expected.shape}.")
    difference = float(np.max(np.abs(received.astype(np.float32) - expected)))
    report[key] = float(np.maximum(report.get(key, 0.0), difference))  # maximum keeps a NaN
