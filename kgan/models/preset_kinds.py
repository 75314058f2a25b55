"""What a preset is: a GAN's or an autoencoder's networks and training numbers, as data."""

import bisect
import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

from kgan.models.networks import ImageShape, Network

OptimizerConfig: TypeAlias = dict[str, Any]  # as `keras.optimizers.get` takes it
Length: TypeAlias = dict[str, int]  # "epochs" or "steps"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Preset:
    """One named configuration of a GAN; a preset is data and holds no code of its own.

    Attributes:
        source: the paper or text that the numbers come from.
        good_for: when to choose it, in one line.
        generator, discriminator: classes of the networks.
        image_shape: default (H, W, C).
        latent_dim: default length of a latent vector.
        filters: default unit of width of both networks.
        latent_distribution: "normal" or "uniform".
        loss: name of the adversarial loss.
        loss_options: arguments of the loss's class.
        g_optimizer, d_optimizer: Keras optimizer configs.
        d_update: "joint" or "sequential", as `GAN.compile` takes it.
        d_share: share of a batch that the discriminator learns from, likewise.
        batch_size: the source's batch size, the command line's default.
        length: {"epochs": N} or {"steps": N}, the source's, likewise; None where it gives none.
        ema_half_life_images: half-life of the averaged generator, in real
            images seen; None for no averaging.
        schedules: name in `kgan.option_fields.SCHEDULABLE` -> (first, last) value over a training.
        gammas: number of pixels -> (first, last) weight of both R1 and R2; see `gammas_at`.
        diff_augment: policy of `kgan.layers.DiffAugment` for what the discriminator sees, to the
            share that a schedule of `augment_probability` says where there is one; None for none.
    """

    source: str
    good_for: str
    generator: type[Network]
    discriminator: type[Network]
    image_shape: ImageShape
    latent_dim: int
    filters: int
    latent_distribution: Literal["normal", "uniform"] = "normal"
    loss: str
    loss_options: dict[str, Any] = dataclasses.field(default_factory=dict)
    g_optimizer: OptimizerConfig
    d_optimizer: OptimizerConfig
    d_update: Literal["joint", "sequential"] = "joint"
    d_share: float = 1.0
    batch_size: int
    length: Length | None = None
    ema_half_life_images: float | None = None
    schedules: dict[str, tuple[float, float]] = dataclasses.field(default_factory=dict)
    gammas: dict[int, tuple[float, float]] = dataclasses.field(default_factory=dict)
    diff_augment: str | None = None

    def losses_options(self, image_shape: Sequence[int]) -> dict[str, Any]:
        """Arguments of the loss's class for images of that (H, W, C)."""
        gammas = gammas_at(self.gammas, image_shape)
        return {name: first for name, (first, _) in gammas.items()} | self.loss_options

    def schedules_at(self, image_shape: Sequence[int]) -> dict[str, tuple[float, float]]:
        """`schedules`, with those of the penalties, for images of that (H, W, C)."""
        return self.schedules | gammas_at(self.gammas, image_shape)

    @property
    def networks(self) -> dict[str, type[Network]]:
        """Role -> class of the network."""
        return {"generator": self.generator, "discriminator": self.discriminator}

    @property
    def optimizers(self) -> tuple[OptimizerConfig, ...]:
        """The configs of its optimizers."""
        return self.g_optimizer, self.d_optimizer


@dataclasses.dataclass(frozen=True, kw_only=True)
class AutoencoderPreset:
    """One named configuration of an autoencoder.

    Attributes:
        source, good_for, image_shape, batch_size, length: as in `Preset`.
        encoder, decoder: classes of the networks.
        latent_dim: default length of a code; None where a code is a map.
        filters: default unit of width; None where there is none.
        loss: name of a Keras loss.
        optimizer: Keras optimizer config.
    """

    source: str
    good_for: str
    encoder: type[Network]
    decoder: type[Network]
    image_shape: ImageShape
    latent_dim: int | None = None
    filters: int | None = None
    loss: str
    optimizer: OptimizerConfig
    batch_size: int
    length: Length | None = None

    @property
    def networks(self) -> dict[str, type[Network]]:
        """Role -> class of the network."""
        return {"encoder": self.encoder, "decoder": self.decoder}

    @property
    def optimizers(self) -> tuple[OptimizerConfig, ...]:
        """The configs of its optimizers."""
        return (self.optimizer,)


def gammas_at(
    gammas: Mapping[int, tuple[float, float]], image_shape: Sequence[int]
) -> dict[str, tuple[float, float]]:
    """The weights of R1 and R2 by an image's number of pixels, H * W.

    A source gives them for some sizes. Between two of them they are geometric in the number of
    pixels, a straight line where both have a logarithmic scale; beyond the smallest and the
    largest the line of the nearest two goes on. Rounded to three digits.

    Args:
        gammas: pixels -> (first, last) weight, of two sizes or more; empty where there is no rule.
        image_shape: (H, W, C).
    """
    if not gammas:
        return {}
    pixels, sizes = image_shape[0] * image_shape[1], sorted(gammas)
    above = min(max(bisect.bisect(sizes, pixels), 1), len(sizes) - 1)
    small, large = sizes[above - 1], sizes[above]
    share = math.log(pixels / small) / math.log(large / small)
    first, last = (
        float(f"{low ** (1 - share) * high**share:.3g}")
        for low, high in zip(gammas[small], gammas[large], strict=True)
    )
    return {"r1_gamma": (first, last), "r2_gamma": (first, last)}


def adam(learning_rate: float, beta_1: float, beta_2: float = 0.999) -> OptimizerConfig:
    """Config of Adam, as `keras.optimizers.get` takes it."""
    return {
        "class_name": "Adam",
        "config": {"learning_rate": learning_rate, "beta_1": beta_1, "beta_2": beta_2},
    }


def sgd(learning_rate: float, momentum: float) -> OptimizerConfig:
    """Config of SGD with Nesterov momentum, as `keras.optimizers.get` takes it."""
    return {
        "class_name": "SGD",
        "config": {"learning_rate": learning_rate, "momentum": momentum, "nesterov": True},
    }


def slots_of(optimizer: OptimizerConfig) -> int:
    """How many numbers an optimizer keeps for each weight: Adam two, SGD one with momentum."""
    return {"Adam": 2, "SGD": 1}[optimizer["class_name"]]
