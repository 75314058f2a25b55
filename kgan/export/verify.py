"""Comparison of an export with the Keras model it was made from."""

import numpy as np

from kgan import images, latents

BATCH_SIZES = (1, 3, 8)
# Far above the seeds people use, so that no export is tuned on what it is judged by.
FIRST_SEED = 1_000_003
FLOAT_TOLERANCE = 1e-4
LEVEL_TOLERANCE = 1


class ParityError(RuntimeError):
    """An export does not give what Keras gives; it was not kept."""


def parity(generator, run_float, run_uint8, *, latent_dim, distribution, value_range):
    """Largest differences between Keras and an export over seeds and batch sizes.

    Args:
        generator: float32 Keras generator, run in inference mode.
        run_float: callable, latents (B, latent_dim) -> float32 images.
        run_uint8: callable, latents (B, latent_dim) -> uint8 images.
        latent_dim, distribution, value_range: the model's own.

    Returns:
        Dict with "float_max_abs_difference" and "uint8_max_levels", and the
        batch sizes and seeds compared.

    Raises:
        ParityError: a difference above 1e-4 (float) or 1 level (uint8), or a
            number that is not finite.
    """
    report = {"batch_sizes": list(BATCH_SIZES), "seeds": []}
    first = FIRST_SEED
    for batch_size in BATCH_SIZES:
        seeds = range(first, first + batch_size)
        first += batch_size
        report["seeds"].extend(seeds)
        z = latents.from_seeds(seeds, latent_dim, distribution)
        expected = np.asarray(generator(z, training=False))
        if not np.isfinite(expected).all():
            raise ParityError("The generator itself gives numbers that are not finite.")
        _keep_largest(report, "float_max_abs_difference", run_float(z), expected)
        levels = images.to_uint8(expected, value_range).astype(np.float32)
        _keep_largest(report, "uint8_max_levels", run_uint8(z), levels)
    # `not <=` so that a NaN fails too.
    if not report["float_max_abs_difference"] <= FLOAT_TOLERANCE:
        raise ParityError(
            f"The export differs from Keras by {report['float_max_abs_difference']:.3g}; "
            f"at most {FLOAT_TOLERANCE} is allowed."
        )
    if not report["uint8_max_levels"] <= LEVEL_TOLERANCE:
        raise ParityError(
            f"The export differs from Keras by {report['uint8_max_levels']:.0f} levels of 255; "
            f"at most {LEVEL_TOLERANCE} is allowed."
        )
    return report


def _keep_largest(report, key, received, expected):
    if received.shape != expected.shape:
        raise ParityError(f"The export gives images {received.shape}, Keras {expected.shape}.")
    difference = float(np.max(np.abs(received.astype(np.float32) - expected)))
    report[key] = float(np.maximum(report.get(key, 0.0), difference))  # maximum keeps a NaN
