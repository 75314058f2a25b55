"""`evaluate`: the figures of a generator with the protocol they were measured by."""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kgan.errors import InputError
from kgan.files import aligned, printable, whole_file
from kgan.metrics.features import Features
from kgan.metrics.figures import (
    HEADLINE,
    LOWER_IS_BETTER,
    METRICS,
    Figure,
    check_metrics,
    noise_between,
)
from kgan.metrics.protocol import Protocol, check_same, from_json
from kgan.metrics.real_images import Reference, reference_of
from kgan.reading import read_text

FORMAT = "kgan-evaluation"
FORMAT_VERSION = 1
CERTAIN = 2.0  # standard errors between two figures that are not the same


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Figures of one model.

    Attributes:
        figures: name -> `Figure`.
        protocol: how they were measured.
        by_class: name of a class -> the headline figure of its images alone.
        model: facts of the model measured, such as its file and step.
    """

    figures: dict[str, Figure]
    protocol: Protocol
    by_class: dict[str, Figure] = dataclasses.field(default_factory=dict)
    model: dict[str, Any] = dataclasses.field(default_factory=dict)

    def without_halves(self) -> Evaluation:
        """The same for people: without what only a comparison of two models needs."""
        kept = {name: figure._replace(halves=()) for name, figure in self.figures.items()}
        return dataclasses.replace(self, figures=kept)

    def to_json(self) -> dict[str, Any]:
        """What `json.dumps` takes, and `read_evaluation` gives back."""
        return {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "model": self.model,
            "figures": {name: figure._asdict() for name, figure in self.figures.items()},
            "by_class": {name: figure._asdict() for name, figure in self.by_class.items()},
            "protocol": dataclasses.asdict(self.protocol),
        }

    def write(self, path: str | os.PathLike[str]) -> Path:
        """Writes it as JSON, whole or not at all; returns the path."""
        text = json.dumps(self.to_json(), indent=2, ensure_ascii=False)
        with whole_file(path) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
        return Path(path)

    def table(self) -> list[str]:
        """The figures as lines of text, with standard errors and floors."""
        rows = [["", "generated", "standard error", "real against real", ""]]
        for name, figure in self.figures.items():
            better = "lower is better" if name in LOWER_IS_BETTER else "higher is better"
            numbers = (figure.value, figure.standard_error, figure.floor)
            rows.append([name.replace("_", " "), *map(number, numbers), better])
        lines = aligned(rows)
        if self.by_class:
            lines += ["", f"{HEADLINE.replace('_', ' ')} of each class"]
            classes = [["", "generated", "standard error", "real against real", "n"]]
            classes += [
                [printable(name), *map(number, figure[:3]), number(figure.n)]
                for name, figure in self.by_class.items()
            ]
            lines += aligned(classes, indent="  ")
        return lines


def number(value: float | None) -> str:
    """A figure as text, four digits of it; empty for None."""
    return "" if value is None else f"{value:.4g}"


def evaluate(
    model: Any,
    data: Any,
    *,
    n: int = 2000,
    metrics: Sequence[str] = tuple(METRICS),
    features: Features | None = None,
    seed: int = 0,
    weights: str | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Evaluation:
    """Measures how close generated images are to real ones.

    Args:
        model: a `kgan.GAN`, a `kgan.runtime.Generator`, or anything with a `generate(n, seed=)`
            that gives uint8 images (n, H, W, C), and takes `labels=` where its `num_classes` is
            not None.
        data: uint8 images (N, H, W, C), C 1, 3 or 4, or a pair of those and their labels (N,),
            of which n are drawn at random and n others for the floors; or a `Reference`, whose n
            and features count. Transparent images, real and generated, are measured over white.
        n: real and generated images, at least 8; half of the real ones where there are fewer than
            2 n.
        metrics: names of `METRICS`.
        features: the network whose features are compared; None for EfficientNet-lite0.
        seed: seed of the first generated image, and of the choice of the real ones.
        weights: which weights make the images, for the protocol; None for "average" where the
            model has an average, else "trained".
        facts: of the model, to be kept with the figures.

    Returns:
        An `Evaluation`.

    Raises:
        InputError: too few images, a metric or labels that there are not, or the package with
            the features is not installed.
    """
    metrics = check_metrics(metrics)
    reference = reference_of(data, n=n, features=features, seed=seed)
    fake = reference.features_of(model, seed)
    if weights is None:
        weights = "trained" if getattr(model, "average", None) is None else "average"
    return judged(model, reference, fake, metrics, seed=seed, weights=weights, facts=facts)


def judged(
    model: Any,
    reference: Reference,
    fake: np.ndarray,
    metrics: Sequence[str],
    *,
    seed: int,
    weights: str,
    facts: Mapping[str, Any] | None = None,
) -> Evaluation:
    """`evaluate`, of images whose features are there.

    Args:
        reference: the real images.
        fake: float array (n, D), as `Reference.features_of` gives them.
        model, metrics, seed, weights, facts: as for `evaluate`.
    """
    names = getattr(model, "class_names", None)
    has_classes = getattr(model, "num_classes", None) is not None
    conditional = has_classes or getattr(model, "attributes", None) is not None
    by_class = reference.by_class(fake, HEADLINE) if has_classes else {}
    named = [names[label] if names else label for label in by_class]
    if len(set(named)) < len(named):  # two classes of one name
        named = [f"{label} {name}" for label, name in zip(by_class, named, strict=True)]
    return Evaluation(
        reference.judge(fake, metrics),
        reference.protocol(weights=weights, first_seed=seed, conditional=conditional),
        {str(name): found for name, found in zip(named, by_class.values(), strict=True)},
        dict(facts or {}),
    )


def read_evaluation(path: str | os.PathLike[str]) -> Evaluation:
    """An evaluation that `Evaluation.write` wrote.

    Raises:
        InputError: there is none at `path`, or it cannot be read.
    """
    try:
        values = json.loads(read_text(path))
        if values["format"] != FORMAT:
            raise ValueError("another format")
        kept = [
            {name: _figure(figure) for name, figure in values[key].items()}
            for key in ("figures", "by_class")
        ]
        return Evaluation(kept[0], from_json(values["protocol"]), kept[1], dict(values["model"]))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise InputError(f"Not an evaluation of kgan. Received: {path}") from None


def _figure(values: Any) -> Figure:
    """A figure from JSON; raises TypeError or ValueError where it holds anything but numbers."""
    figure = Figure(**values | {"halves": tuple(values.get("halves", ()))})
    for number in (figure.value, *figure.halves, *filter(None, figure[1:4])):
        if isinstance(number, bool) or not math.isfinite(number):
            raise ValueError(f"no finite number: {number}")
    return figure


def compare(evaluations: Mapping[str, Evaluation]) -> list[str]:
    """A table of several models, the best first, and which differences are beyond the noise.

    Args:
        evaluations: name of a model -> its figures.

    Returns:
        Lines of text.

    Raises:
        InputError: there are none, or they were not measured by the same protocol.
    """
    if not evaluations:
        raise InputError("Name models to compare. Received: none")
    check_same({name: found.protocol for name, found in evaluations.items()})
    shared = [
        name
        for name in next(iter(evaluations.values())).figures
        if all(name in found.figures for found in evaluations.values())
    ]
    if HEADLINE not in shared:
        raise InputError(f"Models are compared by {HEADLINE}. Received: {', '.join(shared)}")
    best_first = sorted(evaluations, key=lambda name: evaluations[name].figures[HEADLINE].value)
    rows = [["", *(name.replace("_", " ") for name in shared)]]
    for model in best_first:
        figures = [evaluations[model].figures[name] for name in shared]
        rows.append([printable(model), *map(with_error, figures)])
    floors = [evaluations[best_first[0]].figures[name].floor for name in shared]
    rows.append(["real against real", *map(number, floors)])
    best = evaluations[best_first[0]].figures[HEADLINE]
    lines = aligned(rows)
    for model in best_first[1:]:
        other = evaluations[model].figures[HEADLINE]
        noise = noise_between(best, other)
        difference = other.value - best.value
        verdict = (
            f"is better than {printable(model)}"
            if difference > CERTAIN * noise
            else f"and {printable(model)} differ by no more than the noise"
        )
        lines.append(
            f"{printable(best_first[0])} {verdict}: {HEADLINE.replace('_', ' ')} lower by "
            f"{number(difference)}, standard error {number(noise)}"
        )
    return lines


def with_error(figure: Figure) -> str:
    """A figure's value and, where it has one, its standard error."""
    error = figure.standard_error
    return number(figure.value) + ("" if error is None else f" ± {number(error)}")
