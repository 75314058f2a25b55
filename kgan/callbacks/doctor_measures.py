"""The numbers a `RunDoctor` judges by: distances between images, in NumPy alone.

Images are compared shrunk to at most 16x16 by averaging: what one sees of them
at a glance counts, noise in single pixels does not, and it is cheap at any size.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kgan.callbacks.doctor_verdicts import BATCH
from kgan.errors import InputError

SIDE = 16
REFERENCES = 512  # real images whose distances to their nearest neighbours define what is near
LARGEST_BLOCKS = 8


def shrink(images: np.ndarray) -> np.ndarray:
    """Images as vectors of at most 16x16 areas per channel, each the mean of its pixels.

    Args:
        images: array (N, H, W, C).

    Returns:
        float32 array (N, h * w * C).
    """
    down, across = _areas(images.shape[1]), _areas(images.shape[2])
    images = np.asarray(images, np.float32)
    small = np.einsum("ih,nhwc,jw->nijc", down, images, across, optimize=True)
    return small.reshape(len(images), -1)


def _areas(size: int) -> np.ndarray:
    """A matrix (min(size, 16), size) that averages a line over areas of equal length."""
    count = min(size, SIDE)
    edges = np.arange(count + 1)[:, None] * size / count
    pixel = np.arange(size)
    covered = np.minimum(edges[1:], pixel + 1) - np.maximum(edges[:-1], pixel)
    return (np.clip(covered, 0, 1) * count / size).astype(np.float32)


def distances(vectors: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Euclidean distances of all pairs, float32 array (len(vectors), len(targets))."""
    squares = (vectors**2).sum(1)[:, None] + (targets**2).sum(1) - 2 * vectors @ targets.T
    return np.sqrt(np.maximum(squares, 0))


def within(vectors: np.ndarray, labels: np.ndarray | None = None) -> tuple[float, float]:
    """(mean distance of a pair, median distance to the nearest neighbour), within each label only.

    NaN where no two can be compared.
    """
    apart = distances(vectors, vectors)
    excluded = np.eye(len(vectors), dtype=bool)
    if labels is not None:
        excluded |= labels[:, None] != labels
    alone = excluded.all(1)
    if alone.all():
        return float("nan"), float("nan")
    nearest = np.where(excluded, np.inf, apart).min(1)
    return float(apart[~excluded].mean()), float(np.median(nearest[~alone]))


def separation(real_logits: np.ndarray, fake_logits: np.ndarray) -> float:
    """Share of pairs (real, fake) with the higher logit on the real image; a tie counts half."""
    more = real_logits[:, None] - fake_logits[None]
    return float(np.mean((more > 0) + 0.5 * (more == 0)))


class Gallery:
    """Real images to compare fakes with.

    Args:
        images: uint8 array (N, H, W, C), at least two.
        labels: int array (N,), the images' classes for a conditional GAN, within which alone
            images are compared; or float (N, k), their attributes; None without labels.

    Attributes:
        batch: indices of the 64 images shown to the discriminator, some
            repeated where there are fewer; with classes, the same number of each.
        spread: root mean square distance of an image from their mean, in levels of 0..255.

    Raises:
        InputError: arrays of another kind.
    """

    def __init__(self, images: npt.ArrayLike, labels: npt.ArrayLike | None = None) -> None:
        images = np.asarray(images)
        if images.dtype != np.uint8 or images.ndim != 4 or len(images) < 2:
            raise InputError(
                "A RunDoctor needs at least two real images, a uint8 array (N, H, W, C). "
                f"Received: {images.dtype} {images.shape}"
            )
        rank = 0 if labels is None else np.ndim(labels)
        if labels is not None and (rank > 2 or np.shape(labels)[:1] != (len(images),)):
            raise InputError(
                f"labels must have one label for each of the {len(images)} images. "
                f"Received: {np.shape(labels)}"
            )
        self.images = images
        self.labels = None
        if labels is not None:
            self.labels = np.asarray(labels, np.float32 if rank == 2 else np.int32)
        self._classes = None if rank == 2 else self.labels
        self.vectors = shrink(images)
        self.mirrored = shrink(images[:REFERENCES, :, ::-1])
        mean = images.mean(0, dtype=np.float64)
        squares = [np.square(image - mean).sum() for image in images[:REFERENCES]]
        self.spread = max(float(np.sqrt(np.mean(squares))), 1.0)
        self.small_spread = max(float(np.sqrt(self.vectors.var(0).sum())), 1.0)
        rows = self._rows()
        self.mean = self.vectors[rows].mean(0)
        self.batch = np.resize(rows[:BATCH], BATCH)
        self.alone = min(BATCH, len(rows))  # how many of the batch are different images
        blocks = [
            rows[start : start + self.alone]
            for start in range(0, len(rows) - self.alone + 1, self.alone)
        ][:LARGEST_BLOCKS]
        figures = [within(self.vectors[block], self._classes_of(block)) for block in blocks]
        self.apart, self.twins = np.maximum(np.nanmean(figures, axis=0), 1e-3)
        nearest = self._nearest(self.vectors[:REFERENCES], self.mirrored, leave_out_self=True)
        self.near = max(float(np.median(nearest)), 1e-3)
        self.alike = float(np.mean(nearest < 0.5 * self.near))

    def _rows(self) -> np.ndarray:
        """Indices in an order in which any 64 hold each of up to 32 classes equally often."""
        if self._classes is None:
            return np.arange(len(self.images))
        classes, counts = np.unique(self._classes, return_counts=True)
        classes = classes[np.argsort(-counts, kind="stable")][: BATCH // 2]
        each = [np.flatnonzero(self._classes == label) for label in classes]
        fewest = max(1, min(len(rows) for rows in each))
        return np.concatenate([[rows[turn] for rows in each] for turn in range(fewest)])

    def _classes_of(self, rows: np.ndarray) -> np.ndarray | None:
        return None if self._classes is None else self._classes[rows]

    def _nearest(
        self, vectors: np.ndarray, mirrored: np.ndarray, leave_out_self: bool = False
    ) -> np.ndarray:
        """Distance of each to the nearest image of the gallery.

        Left and right count the same: a generator that learned from flipped
        images may copy those.
        """
        apart = np.minimum(distances(vectors, self.vectors), distances(mirrored, self.vectors))
        if leave_out_self:
            np.fill_diagonal(apart, np.inf)
        return apart.min(1)

    def compare(self, fakes: np.ndarray) -> tuple[dict[str, float], np.ndarray]:
        """How 64 fakes, uint8 (64, H, W, C), with the batch's labels, compare with the images.

        Returns:
            (dict of variety, twins, nearness, offset and copies as in `Check`, the fakes'
            mean, shrunk and in units of the images' spread).
        """
        vectors = shrink(fakes)
        first = slice(self.alone)
        apart, twins = within(vectors[first], self._classes_of(self.batch[first]))
        nearest = self._nearest(vectors, shrink(fakes[:, :, ::-1]))
        copies = float(np.mean(nearest < 0.5 * self.near))
        mean = vectors.mean(0)
        return {
            "variety": apart / float(self.apart),
            "twins": twins / float(self.twins),
            "nearness": float(np.median(nearest)) / self.near,
            "offset": float(np.linalg.norm(mean - self.mean)) / self.small_spread,
            "copies": max(0.0, copies - self.alike),
        }, mean / self.small_spread
