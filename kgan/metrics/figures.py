"""The figures of image quality by name, and what is known of each."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from kgan.errors import InputError
from kgan.metrics.clipped_density_coverage import clipped_density_coverage
from kgan.metrics.density_coverage import density_coverage
from kgan.metrics.frechet_distance import frechet_distance
from kgan.metrics.kernel_distance import kernel_distance
from kgan.metrics.precision_recall import precision_recall
from kgan.metrics.sliced_wasserstein import sliced_wasserstein

HEADLINE = "kernel_distance"


class Figure(NamedTuple):
    """One figure.

    Attributes:
        value: the figure.
        standard_error: of it, None where it has none.
        floor: the same figure of real images against other real ones, of the same numbers; None
            where it was not measured.
        n: images on each side, where they are not those of the protocol.
        halves: the figure over random halves, the same of every model that is measured against the
            same images; empty where it has none.
    """

    value: float
    standard_error: float | None = None
    floor: float | None = None
    n: int | None = None
    halves: tuple[float, ...] = ()


def noise_between(one: Figure, other: Figure) -> float:
    """The standard error of the difference of two figures; 0 where they have none.

    Both are measured against the same real images with the same latents: what these have in
    common does not count, and the difference is known better than either figure. Where the halves
    are not there, both errors are taken as independent, which is too much.
    """
    if one.halves and len(one.halves) == len(other.halves):
        apart = np.subtract(one.halves, other.halves) - (one.value - other.value)
        return float(np.sqrt(np.mean(apart**2)))
    return math.hypot(one.standard_error or 0.0, other.standard_error or 0.0)


def _kernel_distance(real: np.ndarray, fake: np.ndarray) -> dict[str, Figure]:
    found = kernel_distance(real, fake)
    figure = Figure(found.value, found.standard_error, halves=found.halves)
    return {"kernel_distance": figure}


def _sliced_wasserstein(real: np.ndarray, fake: np.ndarray) -> dict[str, Figure]:
    return {"sliced_wasserstein": Figure(sliced_wasserstein(real, fake).value)}


def _frechet_distance(real: np.ndarray, fake: np.ndarray) -> dict[str, Figure]:
    return {"frechet_distance": Figure(frechet_distance(real, fake).value)}


def _precision_recall(real: np.ndarray, fake: np.ndarray) -> dict[str, Figure]:
    found = precision_recall(real, fake)
    return {"precision": Figure(found.precision), "recall": Figure(found.recall)}


def _density_coverage(real: np.ndarray, fake: np.ndarray) -> dict[str, Figure]:
    found = density_coverage(real, fake)
    return {"density": Figure(found.density), "coverage": Figure(found.coverage)}


def _clipped(real: np.ndarray, fake: np.ndarray) -> dict[str, Figure]:
    found = clipped_density_coverage(real, fake)
    return {"clipped_density": Figure(found.density), "clipped_coverage": Figure(found.coverage)}


# Name on the command line -> (real, fake) features -> figures by name.
METRICS: dict[str, Callable[[np.ndarray, np.ndarray], dict[str, Figure]]] = {
    "kernel_distance": _kernel_distance,
    "sliced_wasserstein": _sliced_wasserstein,
    "frechet_distance": _frechet_distance,
    "precision_recall": _precision_recall,
    "density_coverage": _density_coverage,
    "clipped_density_coverage": _clipped,
}
LOWER_IS_BETTER = ("kernel_distance", "sliced_wasserstein", "frechet_distance")


def check_metrics(metrics: Sequence[str]) -> tuple[str, ...]:
    """The names of metrics, each once.

    Raises:
        InputError: an unknown name, or none.
    """
    for name in metrics:
        if name not in METRICS:
            raise InputError(f"No such metric; there are {', '.join(METRICS)}. Received: {name!r}")
    if not metrics:
        raise InputError(f"Name at least one metric of {', '.join(METRICS)}. Received: none")
    return tuple(dict.fromkeys(metrics))


def measure(real: np.ndarray, fake: np.ndarray, metrics: Sequence[str]) -> dict[str, Figure]:
    """Figures of fake features against real ones.

    Args:
        real, fake: float arrays (N, D) and (M, D).
        metrics: names in `METRICS`.

    Returns:
        Name of a figure -> `Figure`, without floors.
    """
    figures: dict[str, Figure] = {}
    for name in metrics:
        figures |= METRICS[name](real, fake)
    return figures
