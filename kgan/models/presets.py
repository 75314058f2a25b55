"""Presets: named configurations of networks and training, each as its source gives it."""

import dataclasses
from collections.abc import Callable

from kgan.errors import InputError
from kgan.models.dcgan import DCGANDiscriminator, DCGANGenerator


@dataclasses.dataclass(frozen=True)
class Preset:
    """One named configuration; a preset is data and holds no code of its own.

    Attributes:
        source: the paper or text that the numbers come from.
        generator: class of the generator, called with image_shape, latent_dim and filters.
        discriminator: class of the discriminator, called with image_shape and filters.
        image_shape: default (H, W, C).
        latent_dim: default length of a latent vector.
        latent_distribution: "normal" or "uniform".
        filters: default width unit of both networks.
        loss: name of the adversarial loss.
        g_optimizer, d_optimizer: Keras optimizer configs.
        batch_size: the source's batch size, the command line's default.
    """

    source: str
    generator: Callable
    discriminator: Callable
    image_shape: tuple
    latent_dim: int
    latent_distribution: str
    filters: int
    loss: str
    g_optimizer: dict
    d_optimizer: dict
    batch_size: int


def adam(learning_rate, beta_1):
    """Config of Adam, as `keras.optimizers.get` takes it."""
    return {
        "class_name": "Adam",
        "config": {"learning_rate": learning_rate, "beta_1": beta_1, "beta_2": 0.999},
    }


PRESETS = {
    "dcgan": Preset(
        source="Radford et al. 2015, https://arxiv.org/abs/1511.06434",
        generator=DCGANGenerator,
        discriminator=DCGANDiscriminator,
        image_shape=(64, 64, 3),
        latent_dim=100,
        latent_distribution="normal",
        filters=64,
        loss="bce",
        g_optimizer=adam(2e-4, 0.5),
        d_optimizer=adam(2e-4, 0.5),
        batch_size=128,
    ),
}


def get_preset(name):
    """The `Preset` of that name.

    Raises:
        InputError: no preset has it.
    """
    if name not in PRESETS:
        raise InputError(f"Unknown preset. Known: {', '.join(PRESETS)}. Received: {name!r}")
    return PRESETS[name]
