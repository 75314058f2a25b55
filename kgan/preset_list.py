"""What the presets are called, are good for and rest on: to be listed without TensorFlow."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from kgan.files import aligned

RADFORD = "Radford et al. 2015, https://arxiv.org/abs/1511.06434"


class Listed(NamedTuple):
    """A preset, as it is listed.

    Attributes:
        image_shape: default (H, W, C).
        parameters: numbers of its two networks at that size, generator and discriminator or
            encoder and decoder; building the networks takes seconds.
        classes: whether it can be conditional.
        loss: name of its loss: of a GAN in `kgan.losses.LOSSES`, of an autoencoder Keras's.
        good_for: when to choose it, in one line.
        source: the paper or text that its numbers come from.
        one_mean: of its own loss, as in `kgan.losses.BCE`.
    """

    image_shape: tuple[int, int, int]
    parameters: tuple[int, int]
    classes: bool
    loss: str
    good_for: str
    source: str
    one_mean: bool = False


LISTED = {
    "r3gan": Listed(
        image_shape=(32, 32, 3),
        parameters=(833920, 825856),
        classes=True,
        loss="relativistic",
        good_for="the one to pick today, given a GPU or an hour: stable, varied, 32 to 64 px",
        source="Huang et al. 2024, https://arxiv.org/abs/2501.05441",
    ),
    "fastgan": Listed(
        image_shape=(256, 256, 3),
        parameters=(29139040, 8998028),
        classes=False,
        loss="hinge",
        good_for="64 to 512 px from some hundred pictures, in hours on one GPU",
        source="Liu et al. 2021, https://arxiv.org/abs/2101.04775",
    ),
    "dcgan": Listed(
        image_shape=(64, 64, 3),
        parameters=(5128643, 4317441),
        classes=True,
        loss="bce",
        good_for="the default: the classic, good in minutes on a CPU, any size from 16 to 128",
        source=RADFORD,
    ),
    "dcgan_512": Listed(
        image_shape=(64, 64, 3),
        parameters=(11493123, 1082177),
        classes=False,
        loss="bce",
        good_for="a discriminator far lighter than the generator; sides multiples of 16",
        source=f"study notes' exercise, after {RADFORD}, whose optimizer it takes",
    ),
    "dcgan_k4": Listed(
        image_shape=(64, 64, 3),
        parameters=(2923267, 2764737),
        classes=False,
        loss="bce",
        good_for="kernels that divide by the stride (less checkerboard), 20 latents to explore",
        source=f"a PyTorch textbook's, there 64x64x1, after {RADFORD}",
    ),
    "dcgan_upsample": Listed(
        image_shape=(128, 128, 3),
        parameters=(13331395, 406145),
        classes=False,
        loss="bce",
        good_for="128 px without checkerboards",
        source=f"study notes, after {RADFORD}",
    ),
    "dcgan_tanh": Listed(
        image_shape=(28, 28, 1),
        parameters=(6763777, 3485441),
        classes=False,
        loss="bce",
        one_mean=True,
        good_for="28 px pictures of one thing each; plain SGD, uniform latents",
        source=f"an early Keras tutorial on MNIST, after {RADFORD}",
    ),
    "sagan": Listed(
        image_shape=(64, 64, 3),
        parameters=(2966568, 3194932),
        classes=True,
        loss="hinge",
        good_for="pictures whose far parts must agree; attention maps to look at",
        source="a PyTorch textbook's, after Zhang et al. 2018, https://arxiv.org/abs/1805.08318",
    ),
    "gan": Listed(
        image_shape=(28, 28, 1),
        parameters=(1493520, 533505),
        classes=False,
        loss="bce",
        good_for="seeing how it began: Dense layers alone, the fastest on a CPU",
        source="study notes' sizes after Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661; "
        "optimizer and rates are ours",
    ),
    "autoencoder": Listed(
        image_shape=(64, 64, 3),
        parameters=(786496, 798720),
        classes=False,
        loss="mean_squared_error",
        good_for="principal components: what 64 numbers can hold of a picture",
        source="study notes",
    ),
    "conv_autoencoder": Listed(
        image_shape=(64, 64, 3),
        parameters=(5520, 4931),
        classes=False,
        loss="mean_squared_error",
        good_for="reconstructing pictures sharply from maps a third of their size",
        source="study notes; pools and rate are ours",
    ),
}


def facts(name: str) -> dict[str, Any]:
    """What a preset's configuration takes from its entry here."""
    listed = LISTED[name]
    found = {
        "image_shape": listed.image_shape,
        "loss": listed.loss,
        "good_for": listed.good_for,
        "source": listed.source,
    }
    return found | ({"loss_options": {"one_mean": True}} if listed.one_mean else {})


def has_one_mean(name: str, loss: str | None) -> bool:
    """Whether a preset trained with a loss has `one_mean`: its own loss has what it is given."""
    listed = LISTED.get(name)
    return listed is not None and listed.one_mean and listed.loss == loss


def preset_table() -> str:
    """The presets as a table for a terminal: size, parameters, classes, and what each is for."""
    rows = [("preset", "size", "parameters", "classes", "good for")]
    for name, listed in LISTED.items():
        counts = " + ".join(f"{count:,}" for count in listed.parameters)
        size = "x".join(map(str, listed.image_shape))
        rows.append((name, size, counts, "yes" if listed.classes else "", listed.good_for))
    return "\n".join(aligned(rows))


def preset_json() -> str:
    """The presets as a JSON object, name -> all that is listed."""
    listed = {name: entry._asdict() for name, entry in LISTED.items()}
    return json.dumps(listed, indent=2, ensure_ascii=False)
