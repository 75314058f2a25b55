"""Whether a model would be judged by what its own discriminator saw with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kgan.errors import InputError
from kgan.metrics.features import Features
from kgan.pretrained.lite0_weights import NAME
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
    for name, opened in models.items():
        if _learned_from(opened.model) == network.sha256:
            raise InputError(
                f"{BIASED}: name another network, --features ONNX, or take these figures "
                f"--anyway. Received: {name}"
            )


def _learned_from(model: Any) -> str | None:
    """The sha256 of the features that a model's discriminator judges by; None for none."""
    if isinstance(model, GAN):
        return getattr(model.discriminator, "features_sha256", None)
    return model.info.get("training", {}).get("discriminator_features")  # of an export
