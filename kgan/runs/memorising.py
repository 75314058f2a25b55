"""Whether a model has learned training images by heart: a report and a sheet."""

from __future__ import annotations

from pathlib import Path

from kgan.explore.near_training import neighbours
from kgan.explore.picture import Finding
from kgan.images import save_png
from kgan.metrics.features import Features
from kgan.metrics.resize import check_measurable
from kgan.runs import quality
from kgan.runs.evaluating import Opened, open_data

SHEET_FILE = "memorisation.png"


def report(
    opened: Opened, data: str | None, *, n: int, network: Features, seed: int
) -> tuple[Finding, Path]:
    """Seeks generated images among all training images, and writes a sheet of the nearest.

    Args:
        opened: a GAN or a generator.
        data: what it was trained on, as for `open_data`.
        n, network, seed: as for `kgan.explore.neighbours`.

    Returns:
        (what was found, the path of the sheet: the most suspicious images, each before its
        nearest training images).

    Raises:
        InputError: as for `open_data`, or there are too few images.
    """
    found = nearest_training(opened, data, n=n, network=network, seed=seed)
    path = opened.place / f"{opened.prefix}{SHEET_FILE}"
    return found, save_png(path, found.picture, drawn=True)


def nearest_training(
    opened: Opened, data: str | None, *, n: int, network: Features, seed: int
) -> Finding:
    """As `report`, before anything is written."""
    check_measurable(opened.model.image_shape[2])
    source, options = open_data(opened, data)
    held = quality.held_out(source, options)
    return neighbours(opened.model, source, held, n=n, network=network, seed=seed)
