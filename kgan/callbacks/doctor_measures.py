"""The numbers a `RunDoctor` judges by: distances between pictures, in NumPy alone.

Pictures are compared shrunk to at most 16x16 by averaging: what one sees of them
at a glance counts, noise in single pixels does not, and it is cheap at any size.
"""

import numpy as np

from kgan.callbacks.doctor_verdicts import BATCH
from kgan.errors import InputError

SIDE = 16
REFERENCES = 512  # real pictures whose nearest others tell what is near
LARGEST_BLOCKS = 8


def shrink(pictures):
    """Pictures as vectors of at most 16x16 areas a channel, each the mean of its pixels.

    Args:
        pictures: array (N, H, W, C).

    Returns:
        float32 array (N, h * w * C).
    """
    down, across = _areas(pictures.shape[1]), _areas(pictures.shape[2])
    pictures = np.asarray(pictures, np.float32)
    small = np.einsum("ih,nhwc,jw->nijc", down, pictures, across, optimize=True)
    return small.reshape(len(pictures), -1)


def _areas(size):
    """A matrix (min(size, 16), size) that averages a line over areas of the same length."""
    count = min(size, SIDE)
    edges = np.arange(count + 1)[:, None] * size / count
    pixel = np.arange(size)
    covered = np.minimum(edges[1:], pixel + 1) - np.maximum(edges[:-1], pixel)
    return (np.clip(covered, 0, 1) * count / size).astype(np.float32)


def distances(one, other):
    """Euclidean distances of all pairs, float32 array (len(one), len(other))."""
    squares = (one**2).sum(1)[:, None] + (other**2).sum(1) - 2 * one @ other.T
    return np.sqrt(np.maximum(squares, 0))


def within(vectors, labels=None):
    """(mean distance of two, median distance to the nearest other), those of one label only.

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


def separation(real_logits, fake_logits):
    """Share of pairs (real, fake) with the higher logit on the real one, ties by half."""
    more = real_logits[:, None] - fake_logits[None]
    return float(np.mean((more > 0) + 0.5 * (more == 0)))


class Gallery:
    """Real pictures to hold fakes against.

    Args:
        pictures: uint8 array (N, H, W, C), at least two.
        labels: int array (N,), of a conditional GAN's pictures; None without classes.

    Attributes:
        batch: indices of the 64 pictures shown to the discriminator, some
            more than once where there are fewer; with classes, the same number of each.
        spread: root mean square distance of a picture to their mean, in levels of 0..255.

    Raises:
        InputError: not such arrays.
    """

    def __init__(self, pictures, labels=None):
        pictures = np.asarray(pictures)
        if pictures.dtype != np.uint8 or pictures.ndim != 4 or len(pictures) < 2:
            raise InputError(
                "A RunDoctor needs real pictures, uint8 (N, H, W, C), two or more. "
                f"Received: {pictures.dtype} {pictures.shape}"
            )
        if labels is not None and np.shape(labels) != (len(pictures),):
            raise InputError(
                f"labels must be one for each of the {len(pictures)} pictures. "
                f"Received: {np.shape(labels)}"
            )
        self.pictures = pictures
        self.labels = None if labels is None else np.asarray(labels, np.int32)
        self.vectors = shrink(pictures)
        self.mirrored = shrink(pictures[:REFERENCES, :, ::-1])
        mean = pictures.mean(0, dtype=np.float64)
        squares = [np.square(picture - mean).sum() for picture in pictures[:REFERENCES]]
        self.spread = max(float(np.sqrt(np.mean(squares))), 1.0)
        self.small_spread = max(float(np.sqrt(self.vectors.var(0).sum())), 1.0)
        rows = self._rows()
        self.mean = self.vectors[rows].mean(0)
        self.batch = np.resize(rows[:BATCH], BATCH)
        self.alone = min(BATCH, len(rows))  # how many of the batch are different pictures
        blocks = [
            rows[start : start + self.alone]
            for start in range(0, len(rows) - self.alone + 1, self.alone)
        ][:LARGEST_BLOCKS]
        figures = [within(self.vectors[block], self._labels_of(block)) for block in blocks]
        self.apart, self.twins = np.maximum(np.nanmean(figures, axis=0), 1e-3)
        nearest = self._nearest(self.vectors[:REFERENCES], self.mirrored, others=True)
        self.near = max(float(np.median(nearest)), 1e-3)
        self.alike = float(np.mean(nearest < 0.5 * self.near))

    def _rows(self):
        """Indices in an order in which any 64 have each of up to 32 classes as often."""
        if self.labels is None:
            return np.arange(len(self.pictures))
        classes, counts = np.unique(self.labels, return_counts=True)
        classes = classes[np.argsort(-counts, kind="stable")][: BATCH // 2]
        each = [np.flatnonzero(self.labels == label) for label in classes]
        fewest = max(1, min(len(rows) for rows in each))
        return np.concatenate([[rows[turn] for rows in each] for turn in range(fewest)])

    def _labels_of(self, rows):
        return None if self.labels is None else self.labels[rows]

    def _nearest(self, vectors, mirrored, others=False):
        """Distance of each to the nearest picture, itself left out if `others`.

        Left and right count the same: a generator that learned from flipped
        pictures may copy those.
        """
        apart = np.minimum(distances(vectors, self.vectors), distances(mirrored, self.vectors))
        if others:
            np.fill_diagonal(apart, np.inf)
        return apart.min(1)

    def compare(self, fakes):
        """How 64 fakes, uint8 (64, H, W, C), with the batch's labels, stand to the pictures.

        Returns:
            (dict of variety, twins, nearness, offset and copies as of `Check`, the fakes'
            mean, shrunk and in units of the pictures' spread).
        """
        vectors = shrink(fakes)
        first = slice(self.alone)
        apart, twins = within(vectors[first], self._labels_of(self.batch[first]))
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
