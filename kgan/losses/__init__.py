"""Adversarial losses, by function and by name."""

from kgan.errors import InputError
from kgan.losses.adversarial import (
    bce_discriminator_loss,
    bce_generator_loss,
    minimax_generator_loss,
)

# name -> (generator loss of the fake logits, discriminator loss of the real and fake logits)
LOSSES = {
    "bce": (bce_generator_loss, bce_discriminator_loss),
    "minimax": (minimax_generator_loss, bce_discriminator_loss),
}


def get_loss(loss):
    """The pair (generator_loss, discriminator_loss) that `loss` stands for.

    Args:
        loss: a name in `LOSSES`, or a pair of callables: the first takes
            `fake_logits`, the second `real_logits, fake_logits`; both return a scalar.

    Raises:
        InputError: neither of the two.
    """
    if isinstance(loss, str) and loss in LOSSES:
        return LOSSES[loss]
    if isinstance(loss, (tuple, list)) and len(loss) == 2 and all(map(callable, loss)):
        return tuple(loss)
    raise InputError(
        f"loss must be one of {', '.join(LOSSES)} or a pair of callables "
        f"(generator_loss, discriminator_loss). Received: {loss!r}"
    )


__all__ = [
    "LOSSES",
    "bce_discriminator_loss",
    "bce_generator_loss",
    "get_loss",
    "minimax_generator_loss",
]
