"""`neighbours`: the training images nearest to generated ones, and which are too near."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kgan.data import Source
from kgan.data.choosing import draw_indices, numbered, pick
from kgan.errors import InputError
from kgan.explore.picture import Finding
from kgan.explore.subject import as_subject
from kgan.files import aligned, printable
from kgan.metrics.features import Features
from kgan.metrics.memorisation import memorisation, nearest
from kgan.metrics.quality_sheet import labelled
from kgan.metrics.resize import resize

CALIBRATION_SHARE = 0.1  # of the images, as unseen ones, where none were held out
LEVEL = 0.01  # of unseen real images that count as suspicious
TOGETHER = 256
SIDE = 32  # pixels of what is compared as pixels
NEIGHBOURS = 5
ROWS = 8  # of the sheet
LISTED = 5


class Images(NamedTuple):
    """What is compared: an array (N, D) of each kind."""

    features: np.ndarray
    pixels: np.ndarray


def neighbours(
    model: Any, source: Source, held_out: np.ndarray, *, n: int, network: Features, seed: int = 0
) -> Finding:
    """Seeks generated images among all training images, by features and by pixels.

    What is near is told by images held out from training; where none were, by a tenth of the images
    as if they were not among the others. Mirrored copies are not sought.

    Args:
        model: a `Subject`, or a model with `generate`, a GAN or a generator.
        source: what it was trained on, and what was held out.
        held_out: indices of the images that it was not trained on; none where it saw all.
        n: generated images.
        network: whose features are compared.
        seed: of the first generated image.

    Returns:
        A `Finding`: the most suspicious images, each before its nearest training images.

    Raises:
        InputError: there are too few images.
    """
    own_judge = as_subject(model).judges_by() == network.sha256
    model = as_subject(model).model
    is_apart = bool(len(held_out))
    if not is_apart:
        held_out = draw_indices(source, round(CALIBRATION_SHARE * source.usable), seed)
    if len(held_out) < 1 / LEVEL:
        raise InputError(
            f"At least {1 / LEVEL:.0f} pictures that are not trained on are needed to tell what is "
            f"near, a tenth of all where none were held out. Received: {len(held_out):,} of "
            f"{source.usable:,}"
        )
    is_unseen = np.zeros(source.count, bool)
    is_unseen[held_out] = True
    indices, trained = _real(source, ~is_unseen, network)
    unseen_indices, unseen = _real(source, is_unseen, network)
    made = _generated(model, n, network, seed)
    found = {}
    for kind in Images._fields:
        sought, known, apart = (getattr(each, kind) for each in (made, trained, unseen))
        bound = memorisation(sought, known, apart, level=LEVEL).threshold
        # What stands for unseen images was trained on as well, and is sought too.
        known = known if is_apart else np.concatenate([known, apart])
        found[kind] = _below(sought, known, bound)
    indices = indices if is_apart else np.concatenate([indices, unseen_indices])
    lines = [_in_words(kind, each, n) for kind, each in found.items()]
    if own_judge:
        lines.append(
            "the discriminator judges by these features: the generator was trained to come near "
            "in them, so read the pixels"
        )
    by_features = found["features"]
    order = np.argsort(by_features.distances[:, 0], kind="stable")
    rows = [["nearest", "distance", "training image"]]
    for place in order[:LISTED]:
        name = source.name(int(indices[by_features.indices[place, 0]]))
        distance = by_features.distances[place, 0]
        rows.append([f"seed {seed + place}", f"{distance:.3g}", printable(name)])
    figures = {
        "experiment": "neighbours",
        "features": network.protocol,
        "discriminator_judges_by_them": own_judge,
        "images": n,
        "first_seed": seed,
        "expected_share": LEVEL,
        "unseen": "held out" if is_apart else "a tenth of the training images",
        **{kind: _figures(each) for kind, each in found.items()},
    }
    sheet = _sheet(model, source, indices, by_features, order[:ROWS], seed)
    return Finding(sheet, figures, (*lines, *aligned(rows)))


class Near(NamedTuple):
    """The training images nearest to generated ones.

    Attributes:
        distances, indices: arrays (n, k), ascending, as `kgan.metrics.nearest` gives them.
        suspicious: bool (n,), nearer than the threshold or equal.
        threshold: a distance.
    """

    distances: np.ndarray
    indices: np.ndarray
    suspicious: np.ndarray
    threshold: float


def _below(sought: np.ndarray, known: np.ndarray, threshold: float) -> Near:
    distances, indices = nearest(sought, known, k=NEIGHBOURS)
    suspicious = (distances[:, 0] < threshold) | (distances[:, 0] == 0)
    return Near(distances, indices, suspicious, threshold)


def _figures(found: Near) -> dict[str, Any]:
    return {
        "suspicious": int(found.suspicious.sum()),
        "equal": int((found.distances[:, 0] == 0).sum()),
        "threshold": found.threshold,
        "nearest_distances": found.distances[:, 0],
    }


def _in_words(kind: str, found: Near, n: int) -> str:
    return (
        f"by {kind}: {found.suspicious.sum():,} of {n:,} images ({found.suspicious.mean():.1%}) "
        f"are nearer to a training image than {1 - LEVEL:.0%} of unseen real ones (distance below "
        f"{found.threshold:.3g}), where chance alone gives {LEVEL:.0%}; "
        f"{(found.distances[:, 0] == 0).sum():,} are equal to one"
    )


def _real(source: Source, wanted: np.ndarray, network: Features) -> tuple[np.ndarray, Images]:
    """(which images these are, what is compared of them), read a batch at a time."""
    indices: list[np.ndarray] = []

    def batches() -> Iterator[np.ndarray]:
        for images, numbers in source.read(numbered(source, wanted).batch(TOGETHER)):
            indices.append(numbers[0])
            yield images

    compared = _compared(batches(), network)
    return np.concatenate(indices), compared


def _generated(model: Any, n: int, network: Features, seed: int) -> Images:
    def batches() -> Iterator[np.ndarray]:
        for start in range(0, n, TOGETHER):
            yield model.generate(min(TOGETHER, n - start), seed=seed + start)

    return _compared(batches(), network)


def _compared(batches: Iterator[np.ndarray], network: Features) -> Images:
    pixels: list[np.ndarray] = []

    def noted() -> Iterator[np.ndarray]:
        for images in batches:
            pixels.append(resize(images, SIDE).reshape(len(images), -1))
            yield images

    features = network.extract(noted())
    return Images(features, np.concatenate(pixels))


def _sheet(
    model: Any, source: Source, indices: np.ndarray, found: Near, places: np.ndarray, seed: int
) -> np.ndarray:
    rows, names = [], []
    for place in map(int, places):
        made = model.generate(1, seed=seed + place)
        near, _ = pick(source, indices[found.indices[place]])
        rows.append(np.concatenate([made, near]))
        name = Path(source.name(int(indices[found.indices[place, 0]]))).name
        names.append(f"seed {seed + place}: {found.distances[place, 0]:.3g} {printable(name)}")
    return labelled(rows, names)
