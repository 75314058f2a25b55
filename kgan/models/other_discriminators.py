"""Discriminators that can take the place of a preset's own, and what training goes with them."""

import dataclasses
from typing import Any, Final

from kgan.errors import InputError
from kgan.models.preset_kinds import AutoencoderPreset, Preset, adam
from kgan.models.projected import ProjectedDiscriminator

# Name -> what it changes of a preset.
DISCRIMINATORS: Final[dict[str, dict[str, Any]]] = {
    # Sauer et al. 2021, https://arxiv.org/abs/2111.01007, and the published code's train.py.
    "projected": {
        "discriminator": ProjectedDiscriminator,
        "loss": "hinge",
        "loss_options": {},
        "g_optimizer": adam(2e-4, 0.0, 0.99),
        "d_optimizer": adam(2e-4, 0.0, 0.99),
        "d_update": "joint",
        "d_share": 1.0,
        "schedules": {},
        "gammas": {},
        "diff_augment": "color,translation,cutout",
    }
}


def with_discriminator(preset: Preset | AutoencoderPreset, name: str) -> Preset:
    """A preset's generator with another discriminator, and the training that belongs to that.

    Raises:
        InputError: there is no such discriminator, or the preset is an autoencoder's.
    """
    if name not in DISCRIMINATORS:
        raise InputError(
            f"A discriminator for any preset is one of {', '.join(DISCRIMINATORS)}. "
            f"Received: {name!r}"
        )
    if not isinstance(preset, Preset):
        raise InputError(f"An autoencoder has no discriminator. Received: {name!r}")
    return dataclasses.replace(preset, **DISCRIMINATORS[name])
