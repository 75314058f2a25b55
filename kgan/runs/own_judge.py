"""Whether a model would be judged by what its own discriminator saw with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kgan.errors import InputError
from kgan.explore.subject import as_subject
from kgan.metrics.features import Features
from kgan.pretrained.lite0_weights import NAME

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
        if as_subject(opened.model).judges_by() == network.sha256:
            raise InputError(
                f"{BIASED}: name another network, --features ONNX, or take these figures "
                f"--anyway. Received: {name}"
            )
