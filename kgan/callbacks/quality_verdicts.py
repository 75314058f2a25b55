"""What the figures of image quality say about a training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kgan.callbacks.doctor_verdicts import COLLAPSED, MEMORISED, try_one_of
from kgan.metrics.evaluation import CERTAIN
from kgan.metrics.figures import HEADLINE, Figure

IN_A_ROW = 2  # evaluations that must show it
FALLEN_TO = 0.5  # of its highest value; two evaluations of a healthy run differ by far less
ONCE_LEARNED = 0.1  # coverage or recall below it was never there to be lost


class Look(NamedTuple):
    """What one evaluation in a training showed.

    Attributes:
        step: batches seen.
        figures: by name, against images that the model is not trained on where there are any.
        to_training: the kernel distance to images that it is trained on; None where not measured.
    """

    step: int
    figures: Mapping[str, Figure]
    to_training: Figure | None


def diagnose_quality(looks: Sequence[Look]) -> dict[str, str]:
    """Illness -> what to say of it, of those that the figures show.

    Args:
        looks: oldest first.
    """
    verdicts = {}
    lost = _lost_variety(looks)
    if lost is not None:
        verdicts["mode collapse"] = lost
    learned = looks[-IN_A_ROW:]
    if len(learned) == IN_A_ROW and all(map(_is_overfitting, learned)):
        held, trained = learned[-1].figures[HEADLINE], learned[-1].to_training
        assert trained is not None
        verdicts["overfitting"] = (
            f"Overfitting: at step {learned[-1].step} the kernel distance to held-out pictures is "
            f"{held.value:.4g}, to those it is trained on {trained.value:.4g}. "
            f"{try_one_of(MEMORISED)}; more pictures help most."
        )
    return verdicts


def _lost_variety(looks: Sequence[Look]) -> str | None:
    for name in ("coverage", "recall"):
        values = [look.figures[name].value for look in looks]
        highest = max(values, default=0.0)
        last = values[-IN_A_ROW:]
        fallen = all(value < FALLEN_TO * highest for value in last)
        if highest >= ONCE_LEARNED and len(last) == IN_A_ROW and fallen:
            at = looks[values.index(highest)].step
            return (
                f"Mode collapse: at step {looks[-1].step} the fakes have lost variety, their "
                f"{name} of real pictures is {last[-1]:.2f} after {highest:.2f} at step {at}. "
                f"{try_one_of(COLLAPSED)}."
            )
    return None


def _is_overfitting(look: Look) -> bool:
    if look.to_training is None:
        return False
    held = look.figures[HEADLINE]
    # The real images differ, so that the errors are independent.
    noise = math.hypot(held.standard_error or 0.0, look.to_training.standard_error or 0.0)
    return held.value - look.to_training.value > CERTAIN * noise
