"""Presets: named configurations of networks and training, each as its source gives it."""

import dataclasses
import inspect
from collections.abc import Callable

from kgan.errors import InputError
from kgan.models.autoencoder_networks import ConvDecoder, ConvEncoder, LinearDecoder, LinearEncoder
from kgan.models.dcgan import DCGANDiscriminator, DCGANGenerator
from kgan.models.dcgan_512 import DCGAN512Discriminator, DCGAN512Generator
from kgan.models.dcgan_k4 import DCGANK4Discriminator, DCGANK4Generator
from kgan.models.dcgan_tanh import DCGANTanhDiscriminator, DCGANTanhGenerator
from kgan.models.dcgan_upsample import DCGANUpsampleDiscriminator, DCGANUpsampleGenerator
from kgan.models.mlp import MLPDiscriminator, MLPGenerator
from kgan.models.r3gan import R3GANDiscriminator, R3GANGenerator
from kgan.models.sagan import SAGANDiscriminator, SAGANGenerator


@dataclasses.dataclass(frozen=True, kw_only=True)
class Preset:
    """One named configuration of a GAN; a preset is data and holds no code of its own.

    Attributes:
        source: the paper or text that the numbers come from.
        good_for: when to choose it, one line.
        generator, discriminator: classes of the networks.
        image_shape: default (H, W, C).
        latent_dim: default length of a latent vector.
        filters: default width unit of both networks.
        latent_distribution: "normal" or "uniform".
        loss: name of the adversarial loss.
        loss_options: arguments of the loss's class.
        g_optimizer, d_optimizer: Keras optimizer configs.
        batch_size: the source's batch size, the command line's default.
        ema_half_life_images: half-life of the averaged generator, in real
            images seen; None for no averaging.
    """

    source: str
    good_for: str
    generator: Callable
    discriminator: Callable
    image_shape: tuple
    latent_dim: int
    filters: int
    latent_distribution: str = "normal"
    loss: str
    loss_options: dict = dataclasses.field(default_factory=dict)
    g_optimizer: dict
    d_optimizer: dict
    batch_size: int
    ema_half_life_images: float | None = None

    @property
    def networks(self):
        return {"generator": self.generator, "discriminator": self.discriminator}


@dataclasses.dataclass(frozen=True, kw_only=True)
class AutoencoderPreset:
    """One named configuration of an autoencoder.

    Attributes:
        source, good_for, image_shape, batch_size: as of `Preset`.
        encoder, decoder: classes of the networks.
        latent_dim: default length of a code; None where a code is a map.
        filters: default width unit; None where there is none.
        loss: name of a Keras loss.
        optimizer: Keras optimizer config.
    """

    source: str
    good_for: str
    encoder: Callable
    decoder: Callable
    image_shape: tuple
    latent_dim: int | None = None
    filters: int | None = None
    loss: str
    optimizer: dict
    batch_size: int

    @property
    def networks(self):
        return {"encoder": self.encoder, "decoder": self.decoder}


def adam(learning_rate, beta_1, beta_2=0.999):
    """Config of Adam, as `keras.optimizers.get` takes it."""
    return {
        "class_name": "Adam",
        "config": {"learning_rate": learning_rate, "beta_1": beta_1, "beta_2": beta_2},
    }


def sgd(learning_rate, momentum):
    """Config of SGD with Nesterov's momentum, as `keras.optimizers.get` takes it."""
    return {
        "class_name": "SGD",
        "config": {"learning_rate": learning_rate, "momentum": momentum, "nesterov": True},
    }


RADFORD = "Radford et al. 2015, https://arxiv.org/abs/1511.06434"

PRESETS = {
    "r3gan": Preset(
        source="Huang et al. 2024, https://arxiv.org/abs/2501.05441",
        good_for="the one to pick today, given a GPU or an hour: stable, varied, 32 to 64 px",
        generator=R3GANGenerator,
        discriminator=R3GANDiscriminator,
        image_shape=(32, 32, 3),
        latent_dim=64,
        filters=128,
        loss="relativistic",
        loss_options={"r1_gamma": 1.0, "r2_gamma": 1.0},
        g_optimizer=adam(2e-4, 0.0, 0.99),
        d_optimizer=adam(2e-4, 0.0, 0.99),
        batch_size=64,
        ema_half_life_images=10_000,
    ),
    "dcgan": Preset(
        source=RADFORD,
        good_for="the default: the classic, good in minutes on a CPU, any size from 16 to 128",
        generator=DCGANGenerator,
        discriminator=DCGANDiscriminator,
        image_shape=(64, 64, 3),
        latent_dim=100,
        filters=64,
        loss="bce",
        g_optimizer=adam(2e-4, 0.5),
        d_optimizer=adam(2e-4, 0.5),
        batch_size=128,
    ),
    "dcgan_512": Preset(
        source=f"study notes' exercise, after {RADFORD}",
        good_for="a discriminator far lighter than the generator; sides multiples of 16",
        generator=DCGAN512Generator,
        discriminator=DCGAN512Discriminator,
        image_shape=(64, 64, 3),
        latent_dim=100,
        filters=32,
        loss="bce",
        g_optimizer=adam(2e-4, 0.5),
        d_optimizer=adam(2e-4, 0.5),
        batch_size=128,
    ),
    "dcgan_k4": Preset(
        source=f"a PyTorch textbook's, after {RADFORD}",
        good_for="kernels that divide by the stride (less checkerboard), 20 latents to explore",
        generator=DCGANK4Generator,
        discriminator=DCGANK4Discriminator,
        image_shape=(64, 64, 3),
        latent_dim=20,
        filters=64,
        loss="bce",
        g_optimizer=adam(1e-4, 0.0, 0.9),
        d_optimizer=adam(4e-4, 0.0, 0.9),
        batch_size=64,
    ),
    "dcgan_upsample": Preset(
        source=f"study notes, after {RADFORD}",
        good_for="128 px without checkerboards",
        generator=DCGANUpsampleGenerator,
        discriminator=DCGANUpsampleDiscriminator,
        image_shape=(128, 128, 3),
        latent_dim=100,
        filters=128,
        loss="bce",
        g_optimizer=adam(2e-4, 0.5),
        d_optimizer=adam(2e-4, 0.5),
        batch_size=64,
    ),
    "dcgan_tanh": Preset(
        source=f"an early Keras tutorial on MNIST, after {RADFORD}",
        good_for="28 px pictures of one thing each; plain SGD, uniform latents",
        generator=DCGANTanhGenerator,
        discriminator=DCGANTanhDiscriminator,
        image_shape=(28, 28, 1),
        latent_dim=100,
        filters=64,
        latent_distribution="uniform",
        loss="bce",
        g_optimizer=sgd(5e-4, 0.9),
        d_optimizer=sgd(5e-4, 0.9),
        batch_size=128,
    ),
    "sagan": Preset(
        source="Zhang et al. 2018, https://arxiv.org/abs/1805.08318",
        good_for="pictures whose far parts must agree; attention maps to look at",
        generator=SAGANGenerator,
        discriminator=SAGANDiscriminator,
        image_shape=(64, 64, 3),
        latent_dim=20,
        filters=64,
        loss="hinge",
        g_optimizer=adam(1e-4, 0.0, 0.9),
        d_optimizer=adam(4e-4, 0.0, 0.9),
        batch_size=64,
    ),
    "gan": Preset(
        source="Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661, study notes' sizes",
        good_for="seeing how it began: Dense layers alone, the fastest on a CPU",
        generator=MLPGenerator,
        discriminator=MLPDiscriminator,
        image_shape=(28, 28, 1),
        latent_dim=100,
        filters=256,
        loss="bce",
        g_optimizer=adam(2e-4, 0.5),
        d_optimizer=adam(2e-4, 0.5),
        batch_size=128,
    ),
    "autoencoder": AutoencoderPreset(
        source="study notes",
        good_for="principal components: what 64 numbers can hold of a picture",
        encoder=LinearEncoder,
        decoder=LinearDecoder,
        image_shape=(64, 64, 3),
        latent_dim=64,
        loss="mean_squared_error",
        optimizer=adam(1e-3, 0.9),
        batch_size=128,
    ),
    "conv_autoencoder": AutoencoderPreset(
        source="study notes",
        good_for="reconstructing pictures sharply from maps a third of their size",
        encoder=ConvEncoder,
        decoder=ConvDecoder,
        image_shape=(64, 64, 3),
        filters=32,
        loss="mean_squared_error",
        optimizer=adam(1e-3, 0.9),
        batch_size=128,
    ),
}


def get_preset(name, kind=(Preset, AutoencoderPreset)):
    """The preset of that name.

    Args:
        name: a key of `PRESETS`.
        kind: what it must be, `Preset` or `AutoencoderPreset`.

    Raises:
        InputError: no preset of that kind has it.
    """
    known = [key for key, preset in PRESETS.items() if isinstance(preset, kind)]
    if name not in known:
        raise InputError(f"Unknown preset. Known: {', '.join(known)}. Received: {name!r}")
    return PRESETS[name]


def make_networks(name, **given):
    """A preset's networks, made with its own numbers where none are given.

    Args:
        name: the preset's.
        **given: `image_shape`, `latent_dim`, `filters`, `num_classes`; None for
            the preset's own.

    Returns:
        Dict of role ("generator", "discriminator", "encoder", "decoder") -> Keras model.

    Raises:
        InputError: an argument the preset has no place for, or a value it cannot take.
    """
    preset = get_preset(name)
    given = {key: value for key, value in given.items() if value is not None}
    taken = {role: inspect.signature(cls).parameters for role, cls in preset.networks.items()}
    for key in given:
        if not any(key in parameters for parameters in taken.values()):
            if key == "num_classes":
                able = ", ".join(conditional_presets())
                raise InputError(f"This preset has no classes; {able} have. Received: {name}")
            raise InputError(f"The preset {name} has no {key}. Received: {key}={given[key]!r}")
    own = {key: getattr(preset, key) for key in ("image_shape", "latent_dim", "filters")}
    chosen = {key: value for key, value in (own | given).items() if value is not None}
    return {
        role: cls(**{key: value for key, value in chosen.items() if key in taken[role]})
        for role, cls in preset.networks.items()
    }


def conditional_presets():
    """The names of the presets that can be conditional on classes."""
    return [
        name
        for name, preset in PRESETS.items()
        if all("num_classes" in inspect.signature(c).parameters for c in preset.networks.values())
    ]
