"""Layers that GANs need and Keras lacks, or has only in a form that does not train GANs well."""

from kgan.layers.attribute_batch_norm import AttributeBatchNormalization
from kgan.layers.attribute_scaling import AttributeScaling
from kgan.layers.conditional_batch_norm import ConditionalBatchNormalization
from kgan.layers.diff_augment import DiffAugment
from kgan.layers.gated_linear_unit import GatedLinearUnit
from kgan.layers.grouped_conv import GroupedConv2D
from kgan.layers.minibatch_stddev import MinibatchStdDev
from kgan.layers.self_attention import SelfAttention2D
from kgan.layers.spectral_norm import SpectralNormalization

__all__ = [
    "AttributeBatchNormalization",
    "AttributeScaling",
    "ConditionalBatchNormalization",
    "DiffAugment",
    "GatedLinearUnit",
    "GroupedConv2D",
    "MinibatchStdDev",
    "SelfAttention2D",
    "SpectralNormalization",
]
