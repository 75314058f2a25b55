"""`interpolate`: walks between latents, as a strip and an animation, and how smooth they are."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from kgan import latents as latent_law
from kgan import memory
from kgan.errors import InputError
from kgan.explore.by_heart import KNOWN, ByHeart
from kgan.explore.feature_view import FeatureView, feature_view, why_none
from kgan.explore.picture import Finding, captioned, enlarged, in_colour, stacked
from kgan.explore.subject import Subject, as_subject
from kgan.images import check_levels, grid

FRAMES = 9  # of a row, as in DCGAN's figure 4
BETWEEN = 4  # steps of the walk from one image of the strip to the next
LEAST_FRAME = 128  # pixels of an animation's shorter side
JUMP = 3.0  # times the mean step
Path = Literal["linear", "spherical"]
MARK = (220, 30, 30)


class Steps(NamedTuple):
    """How far a walk goes from each image to the next.

    Attributes:
        largest, mean: of the steps.
        ratio: the largest by the mean: 1 where all are equal, the number of steps where the
            walk stands still and jumps once.
        jumps: places 0 to 1 along the walk of steps above `JUMP` times the mean.
    """

    largest: float
    mean: float
    ratio: float
    jumps: list[float]


def interpolate(
    model: Any,
    seeds: Sequence[int] = (0, 1),
    frames: int = FRAMES,
    path: Path | None = None,
    *,
    labels: npt.ArrayLike | None = None,
    pictures: npt.ArrayLike | None = None,
    features: FeatureView | None = None,
) -> Finding:
    """Walks from seed to seed; of an autoencoder, from the code of one picture to the next.

    Images that change step by step speak against a model that learned its images by heart: such a
    one stands still and jumps. So each leg's largest step is held against its mean step,
    `BETWEEN` steps for each image of the strip, in pixels and in features; below each walk between
    seeds is what a generator would show that knew 16 images by heart.
    Between two classes both are drawn and blended, image by image; the model has no class between.
    Attributes change along the walk as latents do.

    Args:
        model: a `Subject`, or a model that one can be made of.
        seeds: at least two; the ends of each leg are the images of `generate`.
        frames: images in each leg's row, both ends included, at least 2.
        path: "linear", or "spherical" along the arc, which keeps the typical length of normal
            latents; None for "spherical" of normal latents, and "linear" of all else.
        labels: of the stops, as for `Subject.labels_of`; None for each seed's own.
        pictures: for an autoencoder, uint8 array (N, H, W, C) of at least two, in place of seeds.
        features: what steps are measured by beside pixels; None for `feature_view`'s.

    Returns:
        A `Finding`: a row for each leg; the animation goes there and back.

    Raises:
        InputError: fewer than two stops, fewer than two frames, an unknown path, or labels or
            pictures that do not fit.

    Reference:
        Radford et al. 2015, section 6.1, https://arxiv.org/abs/1511.06434
    """
    subject = as_subject(model)
    if isinstance(frames, bool) or not isinstance(frames, int) or frames < 2:
        raise InputError(f"A walk has at least 2 frames, its ends. Received: frames={frames!r}")
    side = LEAST_FRAME * LEAST_FRAME * BETWEEN  # bytes of the walk for each, at least
    fits = f"frames={max(2, memory.free() // side)}" if frames * side > memory.ALWAYS_TAKEN else ""
    memory.check("This walk", frames * side, fits, f"frames={frames}")
    if path not in (None, "linear", "spherical"):
        raise InputError(f"path must be 'linear' or 'spherical'. Received: {path!r}")
    if subject.is_autoencoder:
        walk = _between_codes(subject, pictures, frames, path or "linear")
    else:
        if pictures is not None:
            raise InputError(
                f"Pictures are for an autoencoder; a GAN walks between seeds. "
                f"Received: {subject.name}"
            )
        walk = _between_seeds(subject, seeds, frames, path, labels)
    view = features or feature_view(subject)
    legs = [_measured(leg, view) for leg in walk.legs]
    by_heart = [_measured(leg, view) for leg in walk.by_heart]
    figures = walk.facts | {
        "frames": frames,
        "steps_per_leg": (frames - 1) * BETWEEN,
        "features": None if view is None else view.name,
        "no_features": why_none(subject) if view is None else None,
        "jump_is_above": JUMP,
        "legs": legs,
        "legs_by_heart": by_heart,
        "largest_ratio": _largest(legs),
        "largest_ratio_by_heart": _largest(by_heart),
    }
    rows = []
    for place, (leg, figure) in enumerate(zip(walk.legs, legs, strict=True)):
        rows.append(captioned(_caption(walk.names[place], figure), _marked(leg, figure)))
        if by_heart:
            text = _caption(f"by heart, knowing {KNOWN} pictures alone", by_heart[place])
            rows.append(captioned(text, _marked(walk.by_heart[place], by_heart[place])))
    there = np.concatenate([walk.legs[0], *(leg[1:] for leg in walk.legs[1:])])
    shown = enlarged(np.concatenate([there, there[-2:0:-1]]), LEAST_FRAME)
    return Finding(stacked(rows), figures, _in_words(figures), tuple(shown))


class _Walk(NamedTuple):
    """A walk of several legs.

    Attributes:
        legs: images of each, uint8 (steps + 1, H, W, C).
        by_heart: those that `ByHeart` shows there; empty for an autoencoder.
        names: what each is called.
        facts: what figures say of the walk.
    """

    legs: list[np.ndarray]
    by_heart: list[np.ndarray]
    names: list[str]
    facts: dict[str, Any]


def _between_seeds(
    subject: Subject, seeds: Sequence[int], frames: int, path: Path | None, labels: Any
) -> _Walk:
    seeds = [latent_law.check_seed(seed) for seed in seeds]
    if len(seeds) < 2:
        raise InputError(f"A walk needs at least two seeds. Received: {seeds}")
    stops = subject.latents(seeds)
    classes = subject.labels_of(seeds, labels)
    path = path or usual_path(subject)
    known = ByHeart(subject, seeds, classes)
    by_heart = [known.draw(_along(*ends, frames, path)) for ends in itertools.pairwise(stops)]
    legs = list(legs_between(subject, stops, classes, frames, path))
    facts: dict[str, Any] = {"experiment": "interpolate", "seeds": seeds, "path": path}
    if classes is not None:
        facts["labels"] = classes.tolist()
    if subject.num_classes is not None and len(set(facts["labels"])) > 1:
        facts["between_classes"] = "both drawn and mixed in pixels, which is smooth by itself"
    names = [f"seed {start} to {end}" for start, end in itertools.pairwise(seeds)]
    return _Walk(legs, by_heart, names, facts)


def usual_path(subject: Subject) -> Path:
    """The arc between normal latents, which keeps their length; straight between others."""
    return "spherical" if subject.latent_distribution == "normal" else "linear"


def legs_between(
    subject: Subject, stops: np.ndarray, labels: np.ndarray | None, frames: int, path: Path
) -> Iterator[np.ndarray]:
    """The images of a walk from stop to stop, a leg at a time, uint8 (steps + 1, H, W, C).

    Args:
        subject: what draws.
        stops: latents (N, latent_dim).
        labels: of the stops; None for a model without.
        frames: as for `interpolate`; a leg has `BETWEEN` steps from each to the next.
        path: how latents go.
    """
    for place, (start, end) in enumerate(itertools.pairwise(stops)):
        ends = (None, None) if labels is None else (labels[place], labels[place + 1])
        yield blended(subject, _along(start, end, frames, path), *ends)


def _between_codes(subject: Subject, pictures: Any, frames: int, path: Path) -> _Walk:
    if pictures is None:
        raise InputError(
            f"An autoencoder walks between the codes of two pictures. Received: {subject.name}"
        )
    images = check_levels(pictures, subject.image_shape)
    if len(images) < 2:
        raise InputError(f"A walk needs at least two pictures. Received: {len(images)}")
    codes = subject.model.encode(images)
    legs = []
    for start, end in itertools.pairwise(codes):
        walked = _along(start.ravel(), end.ravel(), frames, path)
        legs.append(subject.model.decode(walked.reshape(-1, *codes.shape[1:])))
    names = [f"picture {place + 1} to {place + 2}" for place in range(len(legs))]
    facts = {"experiment": "interpolate", "pictures": len(images), "path": path}
    return _Walk(legs, [], names, facts)


def _along(start: np.ndarray, end: np.ndarray, frames: int, path: Path) -> np.ndarray:
    fractions = np.linspace(0, 1, (frames - 1) * BETWEEN + 1, dtype=np.float32)
    between = latent_law.lerp if path == "linear" else latent_law.slerp
    walked = between(start, end, fractions)
    walked[0], walked[-1] = start, end  # to the bit: sin(0) of an arc is no exact 0
    return walked


def blended(subject: Subject, latents: np.ndarray, first: Any, last: Any) -> np.ndarray:
    """The images of a walk from one label to another.

    Attributes change along the walk as latents do. Of classes each latent is drawn as both, and
    the two images are mixed, the first class alone at the beginning and the last at the end.

    Args:
        subject: what draws.
        latents: float array (N, latent_dim), at equal distances.
        first, last: labels, ints or float arrays (k,) of k attributes; both None for a model
            without.

    Returns:
        uint8 array (N, H, W, C).
    """
    weights = np.linspace(0, 1, len(latents), dtype=np.float32)
    if subject.attributes is not None:
        rows = np.outer(1 - weights, first) + np.outer(weights, last)
        return subject.draw(latents, subject.attributes.clipped(rows))
    images = subject.draw(latents, None if first is None else int(first))
    if first == last:
        return images
    others = subject.draw(latents, int(last))
    weights = weights[:, None, None, None]
    return np.rint((1 - weights) * images + weights * others).astype(np.uint8)


def smoothness(distances: np.ndarray) -> Steps:
    """How even the steps of a walk are.

    Args:
        distances: float array (steps,), of each image to the next.
    """
    mean = float(distances.mean())
    if mean == 0:  # nothing changes, and nothing jumps
        return Steps(0.0, 0.0, 1.0, [])
    places = (np.flatnonzero(distances > JUMP * mean) + 0.5) / len(distances)
    return Steps(float(distances.max()), mean, float(distances.max()) / mean, places.tolist())


def _measured(leg: np.ndarray, view: FeatureView | None) -> dict[str, Any]:
    """`smoothness` as a dict, of pixels (root mean square of levels) and of features."""
    changes = np.diff(leg.astype(np.float64), axis=0)
    figures: dict[str, Any] = {
        "pixels": smoothness(np.sqrt((changes**2).mean(axis=(1, 2, 3))))._asdict(),
        "features": None,
    }
    if view is not None:
        rows = view.extract(leg).astype(np.float64)
        figures["features"] = smoothness(np.linalg.norm(np.diff(rows, axis=0), axis=1))._asdict()
    return figures


def _largest(legs: list[dict[str, Any]]) -> dict[str, float]:
    """The largest ratio of all legs, by what it is measured in."""
    kinds = [kind for kind in ("pixels", "features") if legs and legs[0][kind]]
    return {kind: max(leg[kind]["ratio"] for leg in legs) for kind in kinds}


def _caption(name: str, figures: dict[str, Any]) -> str:
    return f"{name}: largest step {figures['pixels']['ratio']:.2f} times the mean"


def _marked(leg: np.ndarray, figures: dict[str, Any]) -> np.ndarray:
    """A leg's row, with a red bar between two images where the walk jumps in pixels."""
    images = in_colour(enlarged(leg[::BETWEEN]))
    row = grid(images, columns=len(images), padding=4)
    cell = images.shape[2] + 4
    for place in figures["pixels"]["jumps"]:
        left = (int(place * (len(images) - 1)) + 1) * cell
        row[:, left : left + 4] = MARK
    return row


def _in_words(figures: dict[str, Any]) -> tuple[str, ...]:
    lines = []
    for kind, ratio in figures["largest_ratio"].items():
        whose = f" ({figures['features']})" if kind == "features" else ""
        jumps = sum(len(leg[kind]["jumps"]) for leg in figures["legs"])
        lines.append(
            f"in {kind}{whose} the largest step is {ratio:.2f} times the mean step; "
            f"{jumps} of {len(figures['legs']) * figures['steps_per_leg']} steps are jumps, above "
            f"{JUMP:g} times the mean"
        )
        if figures["legs_by_heart"]:
            lines[-1] += (
                f" (by heart, knowing {KNOWN} pictures alone: "
                f"{figures['largest_ratio_by_heart'][kind]:.2f})"
            )
    if "between_classes" in figures:
        lines.append(f"between classes: {figures['between_classes']}")
    if figures["features"] is None:
        lines.append(f"in pixels alone: {figures['no_features']}")
    return tuple(lines)
