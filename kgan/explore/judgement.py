"""`judge`: pictures sorted by how real a discriminator finds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from kgan.errors import InputError
from kgan.explore.picture import Finding, captioned, enlarged, in_colour
from kgan.explore.subject import as_subject
from kgan.images import check_levels, from_uint8, grid
from kgan.models.rebuild import float32_copy
from kgan.training.network_checks import run_network

COLOURS = {"real": (40, 150, 60), "generated": (60, 90, 220), "own": (220, 50, 40)}
COUNT = 24  # generated pictures, and real ones
FRAME = 4  # pixels
COLUMNS = 8


class Group(NamedTuple):
    """Pictures of one kind.

    Attributes:
        images: uint8 array (N, H, W, C).
        names: one for each.
        labels: int array (N,), their classes, or float (N, k), attributes; None without.
    """

    images: np.ndarray
    names: list[str]
    labels: np.ndarray | None = None


def judge(model: Any, pictures: Mapping[str, Group], count: int = COUNT, seed: int = 0) -> Finding:
    """Sorts generated pictures, and others, by what the discriminator makes of them.

    It judges as inference runs it, with the statistics that training left. Its logit's sigmoid
    is the probability of being real where it was trained by the logistic loss; after another
    loss only the order means something.

    Args:
        model: a `Subject`, or a model that one can be made of; its discriminator is needed.
        pictures: "real" or "own" -> a `Group`; empty for generated ones alone.
        count: generated pictures.
        seed: of the first of them.

    Returns:
        A `Finding`: all of them, the most real first, framed by kind.

    Raises:
        InputError: no discriminator at hand, an unknown kind, or pictures that do not fit.
    """
    subject = as_subject(model)
    gan = subject.require_gan()
    seeds = range(seed, seed + count)
    drawn = Group(
        subject.generate(count, seed), [f"seed {each}" for each in seeds], subject.labels_of(seeds)
    )
    groups = {"generated": drawn, **pictures}
    rows: list[dict[str, Any]] = []
    images: list[np.ndarray] = []
    for kind, group in groups.items():
        if kind not in COLOURS:
            raise InputError(f"Pictures are real or own. Received: {kind!r}")
        check_levels(group.images, subject.image_shape)
        logits = judged(gan, group.images, group.labels)
        images += list(group.images)
        rows += [
            {"kind": kind, "name": name, "logit": float(logit), "sigmoid": sigmoid(float(logit))}
            for name, logit in zip(group.names, logits, strict=True)
        ]
    order = sorted(range(len(rows)), key=lambda place: -rows[place]["logit"])
    ranked = [rows[place] for place in order]
    figures: dict[str, Any] = {
        "experiment": "judge",
        "statistics": "those of inference",
        "means": {
            kind: float(np.mean([row["logit"] for row in rows if row["kind"] == kind]))
            for kind in groups
        },
        "real_above_generated": _above(rows, "real", "generated"),
        "pictures": ranked,
    }
    sheet = _sheet([images[place] for place in order], ranked)
    return Finding(sheet, figures, _in_words(figures))


def judged(gan: Any, images: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
    """The discriminator's logits of images in inference, float32 (N,).

    Args:
        gan: a `GAN`.
        images: uint8 array (N, H, W, C).
        labels: of a conditional GAN, their classes or attributes.

    Raises:
        InputError: a conditional GAN, and no labels.
    """
    inputs = [from_uint8(images, gan.value_range)]
    if gan.condition is not None:
        if labels is None:
            kind = "attributes" if gan.attributes else f"{gan.num_classes} classes"
            raise InputError(
                f"This discriminator judges pictures of {kind}: say which. Received: no labels"
            )
        inputs.append(np.asarray(labels))
    return run_network(float32_copy(gan.discriminator), inputs, 64)[:, 0]


def sigmoid(logit: float) -> float:
    """1 / (1 + exp(-logit)), without overflow."""
    return float(np.exp(-np.logaddexp(0.0, -logit)))


def _above(rows: list[dict[str, Any]], kind: str, other: str) -> float | None:
    """The share of pairs in which one kind has the higher logit, ties half; None without pairs."""
    sides = [np.array([row["logit"] for row in rows if row["kind"] == k]) for k in (kind, other)]
    if not all(map(len, sides)):
        return None
    apart = sides[0][:, None] - sides[1][None]
    return float((apart > 0).mean() + 0.5 * (apart == 0).mean())


def _sheet(images: list[np.ndarray], rows: list[dict[str, Any]]) -> np.ndarray:
    cells = []
    for image, row in zip(images, rows, strict=True):
        large = in_colour(enlarged(image))
        framed = np.empty((large.shape[0] + 2 * FRAME, large.shape[1] + 2 * FRAME, 3), np.uint8)
        framed[:] = COLOURS[row["kind"]]
        framed[FRAME:-FRAME, FRAME:-FRAME] = large
        cells.append(captioned(f"{row['sigmoid']:.3f}", framed))
    width = max(cell.shape[1] for cell in cells)
    cells = [
        np.pad(cell, ((0, 0), (0, width - cell.shape[1]), (0, 0)), constant_values=255)
        for cell in cells
    ]
    text = "sigmoid of the discriminator's logit; green real, blue generated, red own"
    return captioned(text, grid(np.stack(cells), columns=min(COLUMNS, len(cells))))


def _in_words(figures: dict[str, Any]) -> tuple[str, ...]:
    means = ", ".join(f"{kind} {value:.2f}" for kind, value in figures["means"].items())
    lines = [f"mean logits: {means}"]
    if figures["real_above_generated"] is not None:
        lines.append(
            f"in {figures['real_above_generated']:.1%} of pairs the real picture is judged more "
            "real than the generated one (50% is no difference)"
        )
    own = [row for row in figures["pictures"] if row["kind"] == "own"]
    lines += [f"{row['name']}: {row['sigmoid']:.3f}" for row in own]
    return tuple(lines)
