"""`arithmetic`: means of latents added and subtracted, beside the same of pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from kgan import latents as latent_law
from kgan.directions import DEVIATIONS
from kgan.errors import InputError
from kgan.explore.picture import Finding, beside, captioned, enlarged, stacked
from kgan.explore.subject import Subject, as_subject
from kgan.images import grid

NEIGHBOURS = 8
NOISE = 0.25  # of the neighbours: each value of the latent moves by up to that
SHOWN = 8  # pictures of a term


class Term(NamedTuple):
    """One group of seeds, whose mean is added or subtracted.

    Attributes:
        sign: 1 or -1.
        seeds: its exemplars.
    """

    sign: int
    seeds: Sequence[int]


def arithmetic(
    model: Any,
    terms: Sequence[Term | tuple[int, Sequence[int]]],
    *,
    label: Any = None,
    renormalise: bool = False,
    seed: int = 0,
) -> Finding:
    """Adds and subtracts the means of groups of latents, and draws what comes out.

    In the middle of the result is the sum itself; its 8 neighbours have uniform noise within
    +-0.25 added to it. Beside it is the same sum of the groups' mean pictures: pixels overlap
    where latents do not. A mean of n normal latents is shorter than a latent by the root of n,
    and a sum of three means need not be as long as one: both lengths are told.

    Args:
        model: a `Subject`, or a model that one can be made of.
        terms: (1, seeds) to add and (-1, seeds) to subtract, at least one of each.
        label: of a conditional model, the class that all is drawn in; None for the exemplars'
            own, where they have one in common. Of attributes what `Attributes.asked` takes; all
            is drawn with those of the first exemplar.
        renormalise: scale the sum to the typical length of a latent, the root mean square of
            what training draws.
        seed: of the neighbours' noise.

    Returns:
        A `Finding`.

    Raises:
        InputError: no term to add, none to subtract, or exemplars of several classes.

    Reference:
        Radford et al. 2015, section 6.3.2 and figure 7, https://arxiv.org/abs/1511.06434
    """
    subject = as_subject(model)
    checked = [Term(sign, [latent_law.check_seed(s) for s in seeds]) for sign, seeds in terms]
    signs = {term.sign for term in checked}
    if signs != {1, -1} or not all(term.seeds for term in checked):
        raise InputError(
            "Arithmetic needs seeds to add and seeds to subtract. "
            f"Received: {[(term.sign, list(term.seeds)) for term in checked]}"
        )
    label = _one_label(subject, checked, label)
    exemplars = [subject.latents(term.seeds) for term in checked]
    means = [latents.mean(axis=0, dtype=np.float64) for latents in exemplars]
    total = np.sum([term.sign * mean for term, mean in zip(checked, means, strict=True)], axis=0)
    typical = typical_length(subject)
    length = float(np.linalg.norm(total))
    if renormalise:
        if length == 0:
            raise InputError("A sum of nothing has no direction to lengthen. Received: length 0")
        total = total * (typical / length)
    around = np.random.Generator(np.random.Philox(latent_law.check_seed(seed)))
    noise = around.uniform(-NOISE, NOISE, (NEIGHBOURS + 1, len(total)))
    noise[NEIGHBOURS // 2] = 0.0  # the middle of the nine
    result = subject.draw((total + noise).astype(np.float32), label)
    drawn = [subject.draw(latents, label) for latents in exemplars]
    of_means = subject.draw(np.asarray(means, np.float32), label)
    pixels = _pixel_sum(checked, drawn)
    figures = {
        "experiment": "arithmetic",
        "terms": [
            {
                "sign": term.sign,
                "seeds": list(term.seeds),
                "length_of_mean": float(np.linalg.norm(mean)),
            }
            for term, mean in zip(checked, means, strict=True)
        ],
        "label": label,
        "typical_length": typical,
        "length": length,
        "length_drawn": float(np.linalg.norm(total)),
        "renormalised": renormalise,
        "noise_of_neighbours": NOISE,
        "latent": total.astype(np.float32),
    }
    rows = [
        _row(term, images, mean, figure, typical)
        for term, images, mean, figure in zip(
            checked, drawn, of_means, figures["terms"], strict=True
        )
    ]
    result_sheet = captioned(
        f"= in latents, length {figures['length_drawn']:.3g}; around it +-{NOISE:g}",
        grid(enlarged(result), columns=3),
    )
    pixel_sheet = captioned("= in pixels", grid(enlarged(pixels[None]), columns=1))
    lines = (
        f"the sum's length is {length:.3g}, that of a latent {typical:.3g}"
        + (", to which it was restored" if renormalise else ""),
    )
    return Finding(stacked([*rows, beside([result_sheet, pixel_sheet])]), figures, lines)


def typical_length(subject: Subject) -> float:
    """The root mean square length of the latents that a model was trained on."""
    assert subject.latent_dim is not None
    assert subject.latent_distribution is not None
    return float(np.sqrt(subject.latent_dim)) * DEVIATIONS[subject.latent_distribution]


def _one_label(subject: Subject, terms: Sequence[Term], label: Any) -> int | np.ndarray | None:
    seeds = [seed for term in terms for seed in term.seeds]
    if subject.attributes is not None:  # what differs between pictures is then the latents alone
        return subject.labels_of(seeds[:1], label)[0]
    labels = subject.labels_of(seeds, label)
    if labels is None:
        return None
    if len(set(labels.tolist())) > 1:
        raise InputError(
            "These seeds are of several classes: say in which one all is drawn (--class). "
            f"Received: the classes {sorted(set(labels.tolist()))}"
        )
    return int(labels[0])


def _pixel_sum(terms: Sequence[Term], drawn: Sequence[np.ndarray]) -> np.ndarray:
    """The same sum of the groups' mean pictures, cut off at black and white."""
    total = np.sum([t.sign * i.mean(axis=0) for t, i in zip(terms, drawn, strict=True)], axis=0)
    return np.clip(np.rint(total), 0, 255).astype(np.uint8)


def _row(
    term: Term, images: np.ndarray, mean: np.ndarray, figure: dict[str, Any], typical: float
) -> np.ndarray:
    seeds = ", ".join(map(str, term.seeds[:SHOWN])) + (", ..." if len(images) > SHOWN else "")
    text = (
        f"{'+' if term.sign > 0 else '-'} seeds {seeds}; right their mean, length "
        f"{figure['length_of_mean']:.3g} of {typical:.3g}"
    )
    shown = grid(enlarged(images[:SHOWN]), columns=min(SHOWN, len(images)))
    return captioned(text, beside([shown, grid(enlarged(mean[None]))], gap=16))
