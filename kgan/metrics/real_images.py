"""Real images that a generator is measured against, read and run through a network once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from kgan import version
from kgan.attributes import Attributes
from kgan.errors import InputError
from kgan.metrics.feature_arrays import check_count
from kgan.metrics.feature_cache import cached_features
from kgan.metrics.features import Features
from kgan.metrics.figures import Figure, check_metrics, measure
from kgan.metrics.protocol import Protocol
from kgan.metrics.resize import check_images

LEAST_IMAGES = 8  # on each side: more than the neighbours that a manifold is made of
LEAST_OF_A_CLASS = 20  # images, for a figure of it
SHOWN = 12  # images that are kept to be shown
DRAWN_TOGETHER = 256


class Reference:
    """Real images and their features.

    Args:
        images: uint8 array (n, H, W, C) in random order, C 1, 3 or 4, n at least 8: what
            generated images are compared with, transparent ones over white.
        labels: int array (n,), the images' classes, or float (n, k), their attributes; None
            without.
        others: as many other real images, whose figures in place of generated ones are the floors;
            None for no floors. Where there are fewer than n the floors are of those and of as
            many of the images.
        other_labels: theirs, likewise.
        network: the network.
        data: what the images are, in words.
        split: which part of the data, in words: "all", "held out" or "given".
        seed: the seed that the images were drawn with.
        cached: keep the features in kgan's cache, and take them from there.

    Attributes:
        n: images on each side.
        features: float array (n, D).
        images: the first of the images, C 1 or 3.

    Raises:
        InputError: there are fewer than 8 images, or not one label per image.
    """

    def __init__(
        self,
        images: npt.ArrayLike,
        labels: npt.ArrayLike | None = None,
        others: npt.ArrayLike | None = None,
        other_labels: npt.ArrayLike | None = None,
        *,
        network: Features,
        data: str = "an array",
        split: str = "given",
        seed: int = 0,
        cached: bool = False,
    ) -> None:
        images = check_images(images)
        if len(images) < LEAST_IMAGES:
            raise InputError(
                f"At least {LEAST_IMAGES} real images are needed on each side. "
                f"Received: {len(images)}"
            )
        self.n = len(images)
        self.labels = _checked_labels(labels, self.n)
        self.network, self.data, self.split, self.seed = network, data, split, seed
        self.images = images[:SHOWN].copy()
        self.sha256 = hashlib.sha256(np.ascontiguousarray(images).data).hexdigest()
        self.features = self._extracted(images, self.sha256, cached)
        self._others = np.empty((0, network.width), np.float32)
        self._other_labels = None
        if others is not None and len(check_images(others)) >= LEAST_IMAGES:
            apart = check_images(others)[: self.n]
            self._other_labels = _checked_labels(other_labels, len(np.asarray(others)))
            sha256 = hashlib.sha256(np.ascontiguousarray(apart).data).hexdigest()
            self._others = self._extracted(apart, sha256, cached)
        self._floors: dict[str, float] = {}

    def _extracted(self, images: np.ndarray, sha256: str, cached: bool) -> np.ndarray:
        if cached:
            return cached_features(self.network, images, sha256)
        return self.network.extract(images)

    def floors(self, metrics: Sequence[str]) -> dict[str, float]:
        """Name of a figure -> that of real images against other real ones; empty without others."""
        if not len(self._others):
            return {}
        for name in metrics:
            known = name in self._floors
            sides = self.features[: len(self._others)], self._others
            figures = {} if known else measure(*sides, [name])
            self._floors |= {figure: found.value for figure, found in figures.items()}
        return self._floors

    def protocol(self, *, weights: str, first_seed: int, conditional: bool) -> Protocol:
        """How `judge` measures images."""
        return Protocol(
            features=self.network.protocol,
            data=self.data,
            data_sha256=self.sha256,
            split=self.split,
            n_real=self.n,
            n_fake=self.n,
            real_seed=self.seed,
            labels="those of the real images" if conditional else None,
            first_seed=first_seed,
            weights=weights,
            truncation=None,
            kgan=version.__version__,
        )

    def labels_for(self, model: Any) -> np.ndarray | None:
        """The labels of the images that a model is to make: those of the real ones.

        Raises:
            InputError: the model takes labels and the images have none that fit.
        """
        condition = getattr(model, "condition", getattr(model, "num_classes", None))
        if condition is None:
            return None
        labels = self.labels
        if isinstance(condition, Attributes):
            return _fitting(labels, condition)
        classes = condition
        if labels is None or labels.ndim > 1 or labels.min() < 0 or labels.max() >= classes:
            received = "none" if labels is None else f"{labels.min()} to {labels.max()}"
            raise InputError(
                f"A model of {classes} classes is measured against images with labels from 0 to "
                f"{classes - 1}. Received: {received}"
            )
        return labels

    def features_of(self, model: Any, first_seed: int) -> np.ndarray:
        """Features (n, D) of images that a model makes, in memory that does not grow with n."""
        labels = self.labels_for(model)
        found = []
        for start in range(0, self.n, DRAWN_TOGETHER):
            rows = slice(start, min(start + DRAWN_TOGETHER, self.n))
            given = {} if labels is None else {"labels": labels[rows]}
            images = model.generate(rows.stop - start, seed=first_seed + start, **given)
            found.append(self.network.extract(images))
        return np.concatenate(found)

    def judge(self, fake: np.ndarray, metrics: Sequence[str]) -> dict[str, Figure]:
        """Figures of generated images with their floors.

        Args:
            fake: their features, as `features_of` gives them.
            metrics: names in `METRICS`.
        """
        metrics = check_metrics(metrics)
        floors = self.floors(metrics)
        figures = measure(self.features, fake, metrics)
        return {name: figure._replace(floor=floors.get(name)) for name, figure in figures.items()}

    def by_class(self, fake: np.ndarray, metric: str) -> dict[int, Figure]:
        """The first figure of a metric for each class with at least 20 images, with its n."""
        found: dict[int, Figure] = {}
        if self.labels is None or self.labels.ndim > 1:
            return found
        for label, count in zip(*np.unique(self.labels, return_counts=True), strict=True):
            if count < LEAST_OF_A_CLASS:
                continue
            rows = self.labels == label
            real, floor = self.features[rows], None
            if self._other_labels is not None:
                others = self._others[self._other_labels[: len(self._others)] == label]
                if len(others) >= LEAST_OF_A_CLASS:
                    floor = _first(measure(real, others, [metric])).value
            figure = _first(measure(real, fake[rows], [metric]))
            found[int(label)] = figure._replace(floor=floor, n=int(count), halves=())
        return found


def _first(figures: dict[str, Figure]) -> Figure:
    return next(iter(figures.values()))


def _checked_labels(labels: npt.ArrayLike | None, n: int) -> np.ndarray | None:
    """The labels as an array (n,) or (n, k); None where there are none."""
    if labels is None:
        return None
    array = np.asarray(labels)
    if array.ndim > 2 or array.shape[:1] != (n,):
        raise InputError(
            f"There must be a label for each of {n} images. Received: {array.shape} labels"
        )
    return array


def _fitting(labels: np.ndarray | None, attributes: Attributes) -> np.ndarray:
    """The real images' attributes within the ranges that a model knows."""
    if labels is None or labels.shape[1:] != (len(attributes.names),):
        received = "none" if labels is None else f"{labels.dtype} {labels.shape}"
        raise InputError(
            "A model of attributes is measured against images with labels (N, "
            f"{len(attributes.names)}), {', '.join(attributes.names)}. Received: {received}"
        )
    return attributes.clipped(labels)


def reference_of(
    data: Any, *, n: int = 2000, features: Features | None = None, seed: int = 0
) -> Reference:
    """The real images to compare with, drawn at random; for the arguments see `evaluate`."""
    if isinstance(data, Reference):
        return data
    images, labels = data if isinstance(data, tuple) else (data, None)
    n = check_count("n", n, LEAST_IMAGES)
    images = check_images(images)
    labels = _checked_labels(labels, len(images))
    rows = np.random.default_rng(check_count("seed", seed, 0)).permutation(len(images))
    n = max(min(n, len(images) // 2), min(n, LEAST_IMAGES))
    first, second = rows[:n], rows[n : 2 * n]
    return Reference(
        images[first],
        None if labels is None else labels[first],
        images[second] if len(second) else None,  # fewer than twice the least: no floor
        None if labels is None else labels[second],
        network=Features.efficientnet_lite0() if features is None else features,
        seed=seed,
    )
