"""How a figure was measured: without it a figure of image quality says nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from kgan.errors import InputError
from kgan.files import printable

# What may differ between two figures that are compared: it is what is compared.
OF_THE_MODEL = ("weights", "truncation", "first_seed", "kgan")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Protocol:
    """What two figures must have in common to be compared.

    Attributes:
        features: the network whose features are compared, its SHA-256 and how images become its
            input: the `protocol` of a `Features`.
        data: the real images, in words.
        data_sha256: of the real images that were used, as they were used.
        split: which part of the data they are: "all", "held out" or "given".
        n_real, n_fake: how many images of each.
        real_seed: of the choice of the real images.
        labels: how the classes of fake images were chosen; None without classes.
        first_seed: seed of the first fake image; image i has this plus i.
        weights: "average" (EMA), "trained" or "exported".
        truncation: of the latents; None for none.
        kgan: version that measured it.
    """

    features: dict[str, Any]
    data: str
    data_sha256: str
    split: str
    n_real: int
    n_fake: int
    real_seed: int
    labels: str | None
    first_seed: int
    weights: str
    truncation: float | None
    kgan: str

    def in_words(self) -> str:
        """One line for a table or a card."""
        return (
            f"{self.features['network']} at {self.features['size']} pixels, {self.n_fake:,} images "
            f"of the {self.weights} weights "
            f"(seeds {self.first_seed} to {self.first_seed + self.n_fake - 1}) against "
            f"{self.n_real:,} of {self.data} ({self.split})"
        )


def check_same(protocols: Mapping[str, Protocol]) -> None:
    """Checks that figures can be compared.

    Args:
        protocols: name of a model -> how it was measured.

    Raises:
        InputError: two differ in what must be the same; it names the first difference.
    """
    (first, reference), *others = protocols.items()
    for name, protocol in others:
        for field in dataclasses.fields(Protocol):
            ours, theirs = getattr(reference, field.name), getattr(protocol, field.name)
            if field.name not in OF_THE_MODEL and ours != theirs:
                raise InputError(
                    "Figures of different protocols cannot be compared. Received: "
                    f"{field.name.replace('_', ' ')} {printable(ours)} for {printable(first)}, "
                    f"{printable(theirs)} for {printable(name)}"
                )


def from_json(values: Any) -> Protocol:
    """A protocol from what `json.loads` gave; raises TypeError where it is none."""
    known = {field.name for field in dataclasses.fields(Protocol)}
    if not isinstance(values, dict):
        raise TypeError("no object")
    protocol = Protocol(**{name: value for name, value in values.items() if name in known})
    counts = (protocol.n_real, protocol.n_fake, protocol.real_seed, protocol.first_seed)
    if any(type(count) is not int for count in counts):
        raise TypeError("a count that is no whole number")
    texts = (protocol.data, protocol.split, protocol.weights, protocol.kgan, protocol.data_sha256)
    network = protocol.features
    if not all(isinstance(text, str) for text in (*texts, network["network"], network["sha256"])):
        raise TypeError("a text that is none")
    if type(network["size"]) is not int:
        raise TypeError("a size that is no whole number")
    return protocol
