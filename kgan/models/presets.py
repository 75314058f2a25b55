"""Presets: named configurations of networks and training, each with its source's numbers."""

from typing import Any, TypeVar, overload

from kgan.errors import InputError
from kgan.models.autoencoder_networks import ConvDecoder, ConvEncoder, LinearDecoder, LinearEncoder
from kgan.models.dcgan import DCGANDiscriminator, DCGANGenerator
from kgan.models.dcgan_512 import DCGAN512Discriminator, DCGAN512Generator
from kgan.models.dcgan_k4 import DCGANK4Discriminator, DCGANK4Generator
from kgan.models.dcgan_tanh import DCGANTanhDiscriminator, DCGANTanhGenerator
from kgan.models.dcgan_upsample import DCGANUpsampleDiscriminator, DCGANUpsampleGenerator
from kgan.models.fastgan import FastGANDiscriminator, FastGANGenerator
from kgan.models.mlp import MLPDiscriminator, MLPGenerator
from kgan.models.networks import Network
from kgan.models.other_discriminators import with_discriminator
from kgan.models.preset_kinds import AutoencoderPreset, Preset, adam, sgd, slots_of
from kgan.models.r3gan import R3GANDiscriminator, R3GANGenerator
from kgan.models.room import arguments_of, build, check_room
from kgan.models.sagan import SAGANDiscriminator, SAGANGenerator
from kgan.preset_list import facts

PRESETS: dict[str, Preset | AutoencoderPreset] = {
    "r3gan": Preset(
        **facts("r3gan"),
        generator=R3GANGenerator,
        discriminator=R3GANDiscriminator,
        latent_dim=64,
        filters=128,
        g_optimizer=adam(2e-4, 0.0, 0.99),
        d_optimizer=adam(2e-4, 0.0, 0.99),
        batch_size=64,
        ema_half_life_images=500_000,
        # The released trainer's, https://github.com/brownvc/R3GAN, train.py; its runs are of 20 M
        # images and more. CIFAR-10, ImageNet-64 and FFHQ-256 have the three gammas.
        schedules={
            "learning_rate": (2e-4, 5e-5),
            "beta_2": (0.9, 0.99),
            "ema_half_life_images": (0.0, 500_000.0),
            "augment_probability": (0.0, 0.3),
        },
        gammas={32 * 32: (0.05, 0.005), 64 * 64: (1.0, 0.1), 256 * 256: (150.0, 15.0)},
        diff_augment="bgc",
    ),
    "fastgan": Preset(
        **facts("fastgan"),
        generator=FastGANGenerator,
        discriminator=FastGANDiscriminator,
        latent_dim=256,
        filters=64,
        g_optimizer=adam(2e-4, 0.5),
        d_optimizer=adam(2e-4, 0.5),
        batch_size=8,
        # 50,000 steps of 8 pictures, and of the average 0.1% a step, as the published code has it.
        length={"steps": 50_000},
        ema_half_life_images=5_500,
        diff_augment="color,translation",
    ),
    "dcgan": Preset(
        **facts("dcgan"),
        generator=DCGANGenerator,
        discriminator=DCGANDiscriminator,
        latent_dim=100,
        filters=64,
        g_optimizer=adam(2e-4, 0.5),
        d_optimizer=adam(2e-4, 0.5),
        batch_size=128,
    ),
    "dcgan_512": Preset(
        **facts("dcgan_512"),
        generator=DCGAN512Generator,
        discriminator=DCGAN512Discriminator,
        latent_dim=100,
        filters=32,
        g_optimizer=adam(2e-4, 0.5),
        d_optimizer=adam(2e-4, 0.5),
        batch_size=128,
    ),
    "dcgan_k4": Preset(
        **facts("dcgan_k4"),
        generator=DCGANK4Generator,
        discriminator=DCGANK4Discriminator,
        latent_dim=20,
        filters=64,
        g_optimizer=adam(1e-4, 0.0, 0.9),
        d_optimizer=adam(4e-4, 0.0, 0.9),
        batch_size=64,
    ),
    "dcgan_upsample": Preset(
        **facts("dcgan_upsample"),
        generator=DCGANUpsampleGenerator,
        discriminator=DCGANUpsampleDiscriminator,
        latent_dim=100,
        filters=128,
        g_optimizer=adam(2e-4, 0.5),
        d_optimizer=adam(2e-4, 0.5),
        d_update="sequential",
        d_share=0.5,
        batch_size=64,
    ),
    "dcgan_tanh": Preset(
        **facts("dcgan_tanh"),
        generator=DCGANTanhGenerator,
        discriminator=DCGANTanhDiscriminator,
        latent_dim=100,
        filters=64,
        latent_distribution="uniform",
        g_optimizer=sgd(5e-4, 0.9),
        d_optimizer=sgd(5e-4, 0.9),
        batch_size=128,
        length={"epochs": 100},
    ),
    "sagan": Preset(
        **facts("sagan"),
        generator=SAGANGenerator,
        discriminator=SAGANDiscriminator,
        latent_dim=20,
        filters=64,
        g_optimizer=adam(1e-4, 0.0, 0.9),
        d_optimizer=adam(4e-4, 0.0, 0.9),
        batch_size=64,
    ),
    "gan": Preset(
        **facts("gan"),
        generator=MLPGenerator,
        discriminator=MLPDiscriminator,
        latent_dim=100,
        filters=256,
        g_optimizer=adam(2e-4, 0.5),
        d_optimizer=adam(2e-4, 0.5),
        batch_size=128,
    ),
    "autoencoder": AutoencoderPreset(
        **facts("autoencoder"),
        encoder=LinearEncoder,
        decoder=LinearDecoder,
        latent_dim=64,
        optimizer=adam(1e-3, 0.9),
        batch_size=128,
        length={"steps": 1000},
    ),
    "conv_autoencoder": AutoencoderPreset(
        **facts("conv_autoencoder"),
        encoder=ConvEncoder,
        decoder=ConvDecoder,
        filters=32,
        optimizer=adam(1e-3, 0.9),
        batch_size=128,
        length={"steps": 1000},
    ),
}


AnyPreset = TypeVar("AnyPreset", Preset, AutoencoderPreset)


@overload
def get_preset(name: str) -> Preset | AutoencoderPreset: ...
@overload
def get_preset(name: str, kind: type[AnyPreset]) -> AnyPreset: ...
def get_preset(name: str, kind: Any = (Preset, AutoencoderPreset)) -> Any:
    """The preset of that name.

    Args:
        name: a key of `PRESETS`; with another discriminator "NAME+DISCRIMINATOR".
        kind: what it must be, `Preset` or `AutoencoderPreset`; either by default.

    Raises:
        InputError: no preset of that kind has the name, or there is no such discriminator.
    """
    known = [key for key, preset in PRESETS.items() if isinstance(preset, kind)]
    own, joined, discriminator = name.partition("+") if isinstance(name, str) else (name, "", "")
    if own not in known:
        raise InputError(f"Unknown preset. Known: {', '.join(known)}. Received: {name!r}")
    preset = PRESETS[own]
    return with_discriminator(preset, discriminator) if joined else preset


def make_networks(
    name: str,
    *,
    image_shape: Any = None,
    latent_dim: int | None = None,
    filters: int | None = None,
    num_classes: int | None = None,
    attribute_ranges: Any = None,
    minibatch_stddev: bool = False,
) -> dict[str, Network]:
    """Builds a preset's networks; an argument left None takes the preset's own value.

    Args:
        name: the preset's.
        image_shape: (H, W, C).
        latent_dim: length of a latent vector or a code.
        filters: unit of width.
        num_classes: number of classes; None for networks without.
        attribute_ranges: (lowest, highest) value of each attribute; None for networks without.
        minibatch_stddev: give the discriminator `kgan.layers.MinibatchStdDev`.

    Returns:
        Role ("generator", "discriminator", "encoder", "decoder") -> Keras model.

    Raises:
        InputError: an argument the preset does not have, or a value that the
            networks cannot be built with.
    """
    preset = get_preset(name)
    chosen = _chosen(
        name,
        image_shape=image_shape,
        latent_dim=latent_dim,
        filters=filters,
        num_classes=num_classes,
        attribute_ranges=attribute_ranges,
        minibatch_stddev=minibatch_stddev or None,
    )
    check_room(name, preset, chosen)
    return build(preset, chosen)


def check_trains(
    name: str,
    *,
    image_shape: Any = None,
    latent_dim: int | None = None,
    filters: int | None = None,
    num_classes: int | None = None,
    attribute_ranges: Any = None,
) -> None:
    """Refuses networks that do not fit into memory together with their optimizers' slots.

    Args:
        name, ...: as for `make_networks`; nothing is built.

    Raises:
        InputError: as for `make_networks`.
    """
    preset = get_preset(name)
    chosen = _chosen(
        name,
        image_shape=image_shape,
        latent_dim=latent_dim,
        filters=filters,
        num_classes=num_classes,
        attribute_ranges=attribute_ranges,
    )
    check_room(name, preset, chosen, copies=1 + min(map(slots_of, preset.optimizers)))


def _chosen(name: str, **arguments: Any) -> dict[str, Any]:
    """What the networks are made from: the arguments that are not None, else the preset's own."""
    preset = get_preset(name)
    passed = {key: value for key, value in arguments.items() if value is not None}
    accepted = [arguments_of(network) for network in preset.networks.values()]
    for key, value in passed.items():
        labelled = key in ("num_classes", "attribute_ranges")
        of_both = all if labelled else any
        if not of_both(key in names for names in accepted):
            if labelled:
                able = ", ".join(conditional_presets())
                raise InputError(
                    f"This preset cannot be conditional; these can: {able}. Received: {name}"
                )
            if key == "minibatch_stddev":
                raise InputError(
                    "Of the presets these can have a minibatch standard deviation: "
                    f"{', '.join(presets_with_stddev())}. Received: {name}"
                )
            raise InputError(f"The preset {name} has no {key}. Received: {key}={value!r}")
    own = {key: getattr(preset, key) for key in ("image_shape", "latent_dim", "filters")}
    if any("value_range" in names for names in accepted):
        own["value_range"] = preset.networks["generator"].value_range
    return {key: value for key, value in (own | passed).items() if value is not None}


def presets_with_stddev() -> list[str]:
    """The names of the presets whose discriminator can see how much a batch's images differ."""
    return [
        name
        for name, preset in PRESETS.items()
        if any("minibatch_stddev" in arguments_of(n) for n in preset.networks.values())
    ]


def conditional_presets() -> list[str]:
    """The names of the presets that can be conditional, on classes or attributes."""
    return [
        name
        for name, preset in PRESETS.items()
        if all("num_classes" in arguments_of(network) for network in preset.networks.values())
    ]
