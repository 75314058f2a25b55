"""How near an autoencoder's reconstructions are to the images: MSE, PSNR and SSIM."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from kgan.data.choosing import numbered
from kgan.errors import InputError
from kgan.files import put_in_place, staging_directory, writing
from kgan.images import pairs, save_named, save_png
from kgan.runs import quality
from kgan.runs.evaluating import Opened, open_data

LARGEST_LEVEL = 255.0
WINDOW = 11  # pixels, of SSIM
TOGETHER = 32
SHEETS = "pairs"  # the folder of sheets


class Reconstruction(NamedTuple):
    """Figures of reconstructions, means over the images.

    Attributes:
        mse: mean squared error of levels scaled to 0..1.
        psnr_db: peak signal-to-noise ratio of that error in dB; infinite where all are exact.
        ssim: structural similarity, 1 for equal images.
        n: number of images.
        split: "held out" where a part of the data was held out from training, else "all".
    """

    mse: float
    psnr_db: float
    ssim: float
    n: int
    split: str


def compare_images(images: np.ndarray, outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(MSE, SSIM) of each image, float64 (N,) each.

    Args:
        images, outputs: uint8 arrays (N, H, W, C) of one shape.

    Reference:
        Wang et al. 2004, SSIM with a Gaussian window of 11 pixels and sigma 1.5, smaller for
        smaller images, https://doi.org/10.1109/TIP.2003.819861
    """
    left, right = (np.asarray(array, np.float64) / LARGEST_LEVEL for array in (images, outputs))
    errors = ((left - right) ** 2).mean(axis=(1, 2, 3))
    window = min(WINDOW, *images.shape[1:3])
    tensors = [tf.constant(array) for array in (images, outputs)]
    similarities = tf.image.ssim(*tensors, max_val=LARGEST_LEVEL, filter_size=window)
    return errors, similarities.numpy().astype(np.float64)


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
    source, options = open_data(opened, data)
    held = quality.held_out(source, options)
    wanted = np.isin(np.arange(source.count), held) if len(held) else None
    if output is not None and data is not None:
        _check_apart(output, Path(data))
    found: list[tuple[np.ndarray, ...]] = []
    place = staging_directory(output) if output is not None else contextlib.nullcontext()
    with writing("Cannot write there", output or ""), place as staging:
        for images, numbers in source.read(numbered(source, wanted).batch(TOGETHER)):
            outputs = opened.model.reconstruct(images)
            found.append(compare_images(images, outputs))
            if staging is None:
                continue
            for index, image in zip(numbers[0], outputs, strict=True):
                save_named(staging, source.stem(int(index)), image, drawn=True)
            if sheets:
                sheet = staging / SHEETS / f"{len(found):04d}.png"
                save_png(sheet, pairs(images, outputs), drawn=True)
        if staging is not None:
            put_in_place(staging)
    if not found:
        raise InputError(f"No picture could be decoded. Received: {source.description}")
    errors, similarities = (np.concatenate(parts) for parts in zip(*found, strict=True))
    mse = float(errors.mean())
    psnr = float(np.inf if mse == 0 else -10.0 * np.log10(mse))
    split = "held out" if len(held) else "all"
    return Reconstruction(mse, psnr, float(similarities.mean()), len(errors), split)


def _check_apart(output: Path, data: Path) -> None:
    """Refuses to write into the data: what is named after a picture would replace it."""
    where, there = output.resolve(), data.resolve()
    if where == there or there in where.parents or where in there.parents:
        raise InputError(
            "Reconstructions are named after the pictures: give them a folder of their own, not in "
            f"or around {data}. Received: {output}"
        )
