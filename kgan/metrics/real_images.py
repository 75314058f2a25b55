"""Real images that a generator is measured against, read and run through a network once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from kgan import version
from kgan.errors import InputError
from kgan.metrics.feature_cache import cached_features
from kgan.metrics.features import Features
from kgan.metrics.figures import Figure, check_metrics, measure
from kgan.metrics.protocol import Protocol
from kgan.metrics.resize import check_images

LEAST_IMAGES = 16  # each half has more than the neighbours that a manifold is made of
LEAST_OF_A_CLASS = 20  # images, for a figure of it
DRAWN_TOGETHER = 256


class Reference:
    """Real images and their features.

    The first n images are what generated ones are compared with; the n after them are compared
    with those in the same way and give each figure's floor. Where there are fewer than two times
    n, the floor is that of the two halves of what there is.

    Args:
        images: uint8 array (N, H, W, C) in random order, C 1 or 3, N at least 16.
        labels: int array (N,), the images' classes; None without.
        n: images on each side of a comparison; fewer where there are not so many.
        features: the network.
        data: what the images are, in words.
        split: which part of the data: "all", "held out" or "given".
        seed: the seed that the images were drawn with.
        cached: keep the features in kgan's cache, and take them from there.

    Attributes:
        n: images on each side.
        features: float array (n, D).

    Raises:
        InputError: there are fewer than 16 images, or not one label per image.
    """

    def __init__(
        self,
        images: npt.ArrayLike,
        labels: npt.ArrayLike | None = None,
        *,
        n: int = 2000,
        network: Features,
        data: str = "an array",
        split: str = "given",
        seed: int = 0,
        cached: bool = False,
    ) -> None:
        images = check_images(images)[: 2 * n]
        if len(images) < LEAST_IMAGES:
            raise InputError(
                f"At least {LEAST_IMAGES} real images are needed. Received: {len(images)}"
            )
        self.labels = None if labels is None else np.asarray(labels)[: 2 * n]
        if self.labels is not None and self.labels.shape != (len(images),):
            raise InputError(
                f"There must be a label for each of {len(images)} images. "
                f"Received: {self.labels.shape}"
            )
        self.network, self.data, self.split, self.seed = network, data, split, seed
        self.n = min(n, len(images))
        self.images = images
        self.sha256 = hashlib.sha256(np.ascontiguousarray(images).data).hexdigest()
        found = cached_features(network, images, self.sha256) if cached else network.extract(images)
        self.features = found[: self.n]
        self._others = found[self.n :]
        self._floors: dict[str, float] = {}

    def floors(self, metrics: Sequence[str]) -> dict[str, float]:
        """Name of a figure -> that of real images against other real ones."""
        if len(self._others) == self.n:
            sides = self.features, self._others
        else:
            half = self.n // 2
            sides = self.features[:half], self.features[half : 2 * half]
        for name in metrics:
            figures = {} if name in self._floors else measure(*sides, [name])
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
        """The classes of the images that a model is to make: those of the real ones.

        Raises:
            InputError: the model has classes and the images have no labels that fit.
        """
        classes = getattr(model, "num_classes", None)
        if classes is None:
            return None
        labels = None if self.labels is None else self.labels[: self.n]
        if labels is None or labels.min() < 0 or labels.max() >= classes:
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
        return {name: figure._replace(floor=floors[name]) for name, figure in figures.items()}

    def by_class(self, fake: np.ndarray, metric: str) -> dict[int, Figure]:
        """The first figure of a metric for each class with at least 20 images."""
        if self.labels is None:
            return {}
        labels = self.labels[: self.n]
        found = {}
        for label, count in zip(*np.unique(labels, return_counts=True), strict=True):
            if count >= LEAST_OF_A_CLASS:
                rows = labels == label
                figures = measure(self.features[rows], fake[rows], [metric])
                found[int(label)] = next(iter(figures.values()))
        return found
