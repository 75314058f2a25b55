"""Generators and discriminators by family, and the presets that name their configurations."""

from kgan.models.autoencoder_networks import ConvDecoder, ConvEncoder, LinearDecoder, LinearEncoder
from kgan.models.dcgan import DCGANDiscriminator, DCGANGenerator
from kgan.models.dcgan_512 import DCGAN512Discriminator, DCGAN512Generator
from kgan.models.dcgan_k4 import DCGANK4Discriminator, DCGANK4Generator
from kgan.models.dcgan_tanh import DCGANTanhDiscriminator, DCGANTanhGenerator
from kgan.models.dcgan_upsample import DCGANUpsampleDiscriminator, DCGANUpsampleGenerator
from kgan.models.fastgan import FastGANDiscriminator, FastGANGenerator
from kgan.models.latent_encoder import LatentEncoder
from kgan.models.mlp import MLPDiscriminator, MLPGenerator
from kgan.models.presets import PRESETS, AutoencoderPreset, Preset, get_preset
from kgan.models.projected import ProjectedDiscriminator
from kgan.models.r3gan import R3GANDiscriminator, R3GANGenerator
from kgan.models.sagan import SAGANDiscriminator, SAGANGenerator
from kgan.models.stored_networks import load_weights, read_network

__all__ = [
    "PRESETS",
    "AutoencoderPreset",
    "ConvDecoder",
    "ConvEncoder",
    "DCGAN512Discriminator",
    "DCGAN512Generator",
    "DCGANDiscriminator",
    "DCGANGenerator",
    "DCGANK4Discriminator",
    "DCGANK4Generator",
    "DCGANTanhDiscriminator",
    "DCGANTanhGenerator",
    "DCGANUpsampleDiscriminator",
    "DCGANUpsampleGenerator",
    "FastGANDiscriminator",
    "FastGANGenerator",
    "LatentEncoder",
    "LinearDecoder",
    "LinearEncoder",
    "MLPDiscriminator",
    "MLPGenerator",
    "Preset",
    "ProjectedDiscriminator",
    "R3GANDiscriminator",
    "R3GANGenerator",
    "SAGANDiscriminator",
    "SAGANGenerator",
    "get_preset",
    "load_weights",
    "read_network",
]
