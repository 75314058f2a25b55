"""Which maps of a generator draw an object, and the generator without them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, get_args

import keras
import numpy as np

from kgan.errors import InputError
from kgan.explore.inner_layers import Stage, outputs_caught
from kgan.explore.logistic import Logistic, fit_logistic
from kgan.explore.marked_boxes import MarkedBoxes
from kgan.explore.picture import Finding, captioned, enlarged, stacked
from kgan.explore.silencing import silenced, stage_of
from kgan.explore.subject import Subject, as_subject
from kgan.images import from_uint8, grid, to_uint8
from kgan.models.rebuild import copy_network, float32_copy
from kgan.training import GAN
from kgan.training.network_checks import run_network

Negatives = Literal["elsewhere", "random", "contrast"]
MOST_PLACES = 20_000  # of each kind that are learned from
BATCH = 32
NEW = 256  # images that the changes are measured on
SHOWN = 12
CONTROLS = 5  # choices of as many maps at random


class Forgetting(NamedTuple):
    """What forgetting an object gives.

    Attributes:
        finding: pairs before and after on new images, and figures.
        gan: a `kgan.GAN` whose generator has forgotten; it is saved and exported as any is.
    """

    finding: Finding
    gan: GAN


def forget(
    model: Any,
    boxes: MarkedBoxes,
    *,
    layer: str | None = None,
    threshold: float = 0.0,
    negatives: Negatives = "elsewhere",
    seed: int = 0,
) -> Forgetting:
    """Finds the feature maps that draw an object, and takes them out of the generator.

    Logistic regression tells activations inside the boxes from others by the maps; each map is
    scaled to a standard deviation of 1. Maps with a weight above the threshold are dropped from
    every place. As many maps chosen at random show what dropping does by itself.

    Args:
        model: a `Subject` or a `kgan.GAN`.
        boxes: where the object is, in images of seeds.
        layer: a convolution of the generator, or a layer that belongs to it; None for the
            second-highest.
        threshold: a map is dropped whose weight is above it.
        negatives: "elsewhere" in the images that have boxes; "random", at any place of them;
            "contrast", at the places of the boxes in images that are marked to have none.
        seed: int >= 0, of the choices at random.

    Raises:
        InputError: no boxes, no images without the object for "contrast", or a layer whose maps
            cannot be dropped.

    Reference:
        Radford et al. 2015, section 6.3.1, https://arxiv.org/abs/1511.06434
    """
    if negatives not in get_args(Negatives):
        known = ", ".join(get_args(Negatives))
        raise InputError(f"negatives must be one of {known}. Received: {negatives!r}")
    subject = as_subject(model)
    gan = subject.require_gan()
    generator = gan.inference_generator
    stage = stage_of(generator, layer)
    rng = np.random.default_rng(seed)
    found = _regression(subject, stage.convolution.name, boxes, negatives, rng)
    dropped = np.flatnonzero(found.weights > threshold)
    count = len(found.weights)
    if not 0 < len(dropped) < count:
        raise InputError(
            f"A threshold between the weights, {found.weights.min():.3g} to "
            f"{found.weights.max():.3g}, drops some maps and keeps some. Received: {threshold:g}"
        )
    choices = [rng.choice(count, len(dropped), replace=False) for _ in range(CONTROLS)]
    new = _new_seeds(boxes, NEW)
    tried = subject.generator_inputs(new[:2])
    forgot = [silenced(generator, stage.convolution.name, x, tried) for x in (dropped, *choices)]
    figures: dict[str, Any] = {
        "experiment": "forget",
        "layer": stage.output.name,
        "maps": count,
        "dropped": dropped,
        "weights": found.weights,
        "threshold": threshold,
        "negatives": negatives,
        "images_with_boxes": len(boxes.seeds(True)),
        "images_without_the_object": len(boxes.seeds(False)),
        "told_apart": found.told_apart,
        "changes": {"random": {}},
    }
    measured = [_changes(subject, each, boxes, new) for each in forgot]
    figures["changes"]["dropped"] = measured[0]
    figures["changes"]["random"] = {
        name: float(np.mean([each[name] for each in measured[1:]])) for name in measured[0]
    }
    figures["changes"]["random"]["choices"] = measured[1:]
    finding = Finding(_sheet(subject, forgot, new[:SHOWN]), figures, _in_words(figures))
    return Forgetting(finding, _with_generator(gan, forgot[0]))


class _Regression(NamedTuple):
    """Weights of the maps, and the share of places that they tell apart, each kind half."""

    weights: np.ndarray
    told_apart: float


def _regression(
    subject: Subject,
    layer: str,
    boxes: MarkedBoxes,
    negatives: Negatives,
    rng: np.random.Generator,
) -> _Regression:
    with_object, without = boxes.seeds(True), boxes.seeds(False)
    if not with_object:
        raise InputError("There must be a box in some image. Received: none")
    maps = activations(subject, layer, with_object)
    masks = np.stack([boxes.inside(seed, maps.shape[1:3]) for seed in with_object])
    positives = maps[masks]
    if not len(positives):
        raise InputError(
            f"The boxes are too small for {layer}, whose maps are {maps.shape[1]}x{maps.shape[2]}. "
            f"Received: {sum(len(boxes.boxes[seed]) for seed in with_object)} boxes"
        )
    if negatives == "elsewhere":
        others = maps[~masks]
    elif negatives == "random":
        flat = maps.reshape(-1, maps.shape[-1])
        others = flat[rng.choice(len(flat), min(len(positives), len(flat)), replace=False)]
    else:
        if not without:
            raise InputError(
                "A contrast needs images that are marked to have no such object (an empty list). "
                "Received: none"
            )
        somewhere = masks.any(0)
        others = activations(subject, layer, without)[:, somewhere].reshape(-1, maps.shape[-1])
    parts = [_some(each, rng) for each in (positives, others)]
    rows = np.concatenate(parts).astype(np.float64)
    positive = np.arange(len(rows)) < len(parts[0])
    if positive.all():
        raise InputError("The boxes must leave places outside of them. Received: none")
    spread = rows.std(0)
    # A map that is the same everywhere tells nothing: it stays at 0.
    scaled = (rows - rows.mean(0)) / np.where(spread > 0, spread, 1.0)
    found: Logistic = fit_logistic(scaled, positive)
    right = (found.scores(scaled) > 0) == positive
    return _Regression(found.weights, float((right[positive].mean() + right[~positive].mean()) / 2))


def _some(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rows if len(rows) <= MOST_PLACES else rng.choice(rows, MOST_PLACES, replace=False)


def activations(subject: Subject, layer: str, seeds: Sequence[int]) -> np.ndarray:
    """The activations of a generator's convolution in the images of seeds.

    Args:
        subject: a `Subject` with its GAN.
        layer: as for `stage_of`.
        seeds: N of them.

    Returns:
        float32 array (N, H, W, maps), after normalisation and activation.
    """
    network = float32_copy(subject.require_gan().inference_generator)
    stage: Stage = stage_of(network, layer)
    maps = []
    with outputs_caught([stage.output]) as caught:
        for at in range(0, len(seeds), BATCH):
            run_network(network, subject.generator_inputs(seeds[at : at + BATCH]), BATCH)
            maps.append(np.asarray(caught[stage.output.name], np.float32))
    return np.concatenate(maps)


def _new_seeds(boxes: MarkedBoxes, count: int) -> list[int]:
    """The first seeds after the largest that was marked."""
    first = max(boxes.boxes) + 1
    return list(range(first, first + count))


def _with_generator(gan: GAN, generator: keras.Model) -> GAN:
    return GAN(
        generator,
        copy_network(gan.discriminator),
        preset=gan.preset,
        latent_distribution=gan.latent_distribution,
        value_range=gan.value_range,
        num_classes=gan.num_classes,
        class_names=gan.class_names,
        attributes=gan.attributes,
    )


def _drawn(subject: Subject, generator: keras.Model, seeds: Sequence[int]) -> np.ndarray:
    """uint8 images (N, H, W, C) of seeds by a generator of the subject's kind."""
    images = run_network(float32_copy(generator), subject.generator_inputs(seeds), BATCH)
    return to_uint8(images, subject.require_gan().value_range)


def _changes(
    subject: Subject, forgot: keras.Model, boxes: MarkedBoxes, new: Sequence[int]
) -> dict[str, float]:
    """How far images are from what they were, in grey levels and in D's eyes."""
    original = subject.require_gan().inference_generator
    marked = boxes.seeds(True)
    inside = np.stack([boxes.inside(seed, boxes.size) for seed in marked])
    were, are = (_drawn(subject, each, marked).astype(float) for each in (original, forgot))
    moved = np.abs(were - are).mean(-1)
    before, now = (_drawn(subject, each, new) for each in (original, forgot))
    return {
        "levels_inside_boxes": float(moved[inside].mean()),
        "levels_outside_boxes": float(moved[~inside].mean()),
        "levels_new_images": float(np.abs(before.astype(float) - now).mean()),
        "mean_logit_before": _mean_logit(subject, before, new),
        "mean_logit": _mean_logit(subject, now, new),
    }


def _mean_logit(subject: Subject, levels: np.ndarray, seeds: Sequence[int]) -> float:
    gan = subject.require_gan()
    inputs = [from_uint8(levels, gan.value_range), *subject.generator_inputs(seeds)[1:]]
    return float(run_network(float32_copy(gan.discriminator), inputs, BATCH).mean())


def _sheet(subject: Subject, forgot: Sequence[keras.Model], seeds: Sequence[int]) -> np.ndarray:
    original = subject.require_gan().inference_generator
    rows = [_drawn(subject, each, seeds) for each in (original, *forgot[:2])]
    change = np.abs(rows[0].astype(int) - rows[1]).max(-1, keepdims=True)
    rows.append(np.broadcast_to(255 - change, rows[0].shape).astype(np.uint8))
    names = ("before", "forgotten", "as many maps at random", "what forgetting changed (dark)")
    sheets = [grid(enlarged(row), columns=len(row)) for row in rows]
    return stacked(captioned(name, sheet) for name, sheet in zip(names, sheets, strict=True))


def _in_words(figures: dict[str, Any]) -> tuple[str, ...]:
    ours, random = figures["changes"]["dropped"], figures["changes"]["random"]
    return (
        f"{len(figures['dropped'])} of {figures['maps']} maps of {figures['layer']} dropped; "
        f"the regression tells {figures['told_apart']:.0%} of the places apart",
        f"inside the boxes {ours['levels_inside_boxes']:.1f} grey levels changed, outside "
        f"{ours['levels_outside_boxes']:.1f}; by as many maps at random "
        f"{random['levels_inside_boxes']:.1f} and {random['levels_outside_boxes']:.1f}",
        f"new images: {ours['levels_new_images']:.1f} levels changed (at random "
        f"{random['levels_new_images']:.1f}); the discriminator's mean logit "
        f"{ours['mean_logit_before']:.2f} before, {ours['mean_logit']:.2f} after (at random "
        f"{random['mean_logit']:.2f})",
    )
