"""Generators and discriminators by family, and the presets that name their configurations."""

from kgan.models.dcgan import DCGANDiscriminator, DCGANGenerator
from kgan.models.presets import PRESETS, Preset, get_preset

__all__ = ["PRESETS", "DCGANDiscriminator", "DCGANGenerator", "Preset", "get_preset"]
