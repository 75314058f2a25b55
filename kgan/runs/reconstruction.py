"""How near an autoencoder's reconstructions are to the images: MSE, PSNR and SSIM."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from kgan.data.choosing import numbered
from kgan.errors import InputError
from kgan.images import pairs, save_png
from kgan.runs.evaluating import Opened, open_data

LARGEST_LEVEL = 255.0
WINDOW = 11  # pixels, of SSIM
TOGETHER = 32


class Reconstruction(NamedTuple):
    """Figures of reconstructions, means over the images.

    Attributes:
        mse: mean squared error of levels scaled to 0..1.
        psnr_db: peak signal-to-noise ratio in dB; infinite where all are exact.
        ssim: structural similarity, 1 for equal images.
        n: number of images.
    """

    mse: float
    psnr_db: float
    ssim: float
    n: int


def compare_images(images: np.ndarray, outputs: np.ndarray) -> tuple[np.ndarray, ...]:
    """(MSE, PSNR in dB, SSIM) of each image, float64 (N,) each.

    Args:
        images, outputs: uint8 arrays (N, H, W, C) of one shape.

    Reference:
        Wang et al. 2004, SSIM with a Gaussian window of 11 pixels and sigma 1.5, smaller for
        smaller images, https://doi.org/10.1109/TIP.2003.819861
    """
    left, right = (np.asarray(array, np.float64) / LARGEST_LEVEL for array in (images, outputs))
    errors = ((left - right) ** 2).mean(axis=(1, 2, 3))
    with np.errstate(divide="ignore"):
        ratios = -10.0 * np.log10(errors)
    window = min(WINDOW, *images.shape[1:3])
    tensors = [tf.constant(array) for array in (images, outputs)]
    similarities = tf.image.ssim(*tensors, max_val=LARGEST_LEVEL, filter_size=window)
    return errors, ratios, similarities.numpy().astype(np.float64)


def evaluate_autoencoder(
    opened: Opened, data: str | None, output: Path | None = None, sheets: bool = False
) -> Reconstruction:
    """Reconstructs all images of some data and compares.

    Args:
        opened: an autoencoder.
        data: what `kgan.data.open_source` takes; None for its run's own.
        output: folder for the reconstructions, named after the images; None to keep none.
        sheets: write sheets of images above their reconstructions there too.

    Raises:
        InputError: a model without a run and no data, or data that cannot be used.
    """
    source, _ = open_data(opened, data)
    found: list[tuple[np.ndarray, ...]] = []
    for images, numbers in source.read(numbered(source).batch(TOGETHER)):
        outputs = opened.model.reconstruct(images)
        found.append(compare_images(images, outputs))
        if output is None:
            continue
        for (index, _), image in zip(numbers, outputs, strict=True):
            save_png(output / f"{source.stem(int(index))}.png", image, drawn=True)
        if sheets:
            save_png(output / f"pairs-{len(found):04d}.png", pairs(images, outputs), drawn=True)
    if not found:
        raise InputError(f"No picture could be decoded. Received: {source.description}")
    errors, ratios, similarities = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Reconstruction(
        float(errors.mean()), float(ratios.mean()), float(similarities.mean()), len(errors)
    )
