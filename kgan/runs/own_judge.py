"""Whether a model would be judged by what its own discriminator saw with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kgan.errors import InputError
from kgan.metrics.features import Features
from kgan.models import ProjectedDiscriminator
from kgan.models.presets import get_preset
from kgan.pretrained.lite0_weights import NAME, SHA256
from kgan.training import GAN

if TYPE_CHECKING:
    from kgan.runs.evaluating import Opened

BIASED = (
    f"Its discriminator judges by the features of {NAME}, by which its images then seem better "
    "than they are"
)


def check_judge(models: Mapping[str, Opened], network: Features) -> None:
    """Refuses features that one of the models was trained to please.

    Args:
        models: name -> model.
        network: whose features are to be compared.

    Raises:
        InputError: a model's own discriminator judges by that network.
    """
    if network.sha256 != SHA256:
        return
    for name, opened in models.items():
        if _learned_by_it(opened.model):
            raise InputError(
                f"{BIASED}: name another network, --features ONNX, or take these figures "
                f"--anyway. Received: {name}"
            )


def _learned_by_it(model: Any) -> bool:
    if isinstance(model, GAN):
        return isinstance(model.discriminator, ProjectedDiscriminator)
    preset = model.info.get("training", {}).get("preset")  # of an export
    try:
        return get_preset(preset).networks.get("discriminator") is ProjectedDiscriminator
    except InputError:  # networks of the user's own
        return False
