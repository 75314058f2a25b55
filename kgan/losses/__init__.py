"""Adversarial losses, by function, by class and by name, and penalties."""

from __future__ import annotations

from typing import Any

from kgan.errors import InputError
from kgan.losses.adversarial import (
    bce_discriminator_loss,
    bce_generator_loss,
    hinge_discriminator_loss,
    hinge_generator_loss,
    lsgan_discriminator_loss,
    lsgan_generator_loss,
    minimax_generator_loss,
    relativistic_discriminator_loss,
    relativistic_generator_loss,
    wasserstein_discriminator_loss,
    wasserstein_generator_loss,
)
from kgan.losses.lecam import lecam_penalty
from kgan.losses.objectives import (
    BCE,
    LSGAN,
    AdversarialLoss,
    Hinge,
    LossPair,
    Minimax,
    Relativistic,
    Wasserstein,
)
from kgan.losses.penalties import gradient_penalty, r1_penalty, r2_penalty

LOSSES: dict[str, type[AdversarialLoss]] = {
    "bce": BCE,
    "minimax": Minimax,
    "hinge": Hinge,
    "lsgan": LSGAN,
    "wasserstein": Wasserstein,
    "relativistic": Relativistic,
}


def get_loss(loss: Any) -> AdversarialLoss:
    """The `AdversarialLoss` that `loss` stands for.

    Args:
        loss: an `AdversarialLoss`; a name in `LOSSES`; or a pair of callables
            (generator_loss, discriminator_loss), see `LossPair`.

    Raises:
        InputError: `loss` is none of these.
    """
    if isinstance(loss, AdversarialLoss):
        return loss
    if isinstance(loss, str) and loss in LOSSES:
        return LOSSES[loss]()
    if isinstance(loss, (tuple, list)) and len(loss) == 2 and all(map(callable, loss)):
        return LossPair(*loss)
    raise InputError(
        f"loss must be one of {', '.join(LOSSES)}, a kgan.losses.AdversarialLoss or a pair of "
        f"callables (generator_loss, discriminator_loss). Received: {loss!r}"
    )


__all__ = [
    "BCE",
    "LOSSES",
    "LSGAN",
    "AdversarialLoss",
    "Hinge",
    "LossPair",
    "Minimax",
    "Relativistic",
    "Wasserstein",
    "bce_discriminator_loss",
    "bce_generator_loss",
    "get_loss",
    "gradient_penalty",
    "hinge_discriminator_loss",
    "hinge_generator_loss",
    "lecam_penalty",
    "lsgan_discriminator_loss",
    "lsgan_generator_loss",
    "minimax_generator_loss",
    "r1_penalty",
    "r2_penalty",
    "relativistic_discriminator_loss",
    "relativistic_generator_loss",
    "wasserstein_discriminator_loss",
    "wasserstein_generator_loss",
]
