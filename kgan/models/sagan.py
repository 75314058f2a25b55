"""SAGAN: the 4x4 body with spectral normalisation and self-attention (Zhang et al. 2018)."""

from collections.abc import Sequence

import keras

from kgan.layers import SelfAttention2D, SpectralNormalization
from kgan.models.conditions import check_condition, image_inputs, latent_inputs, project_labels
from kgan.models.dcgan_k4 import MakeLayer, grow, shrink
from kgan.models.networks import DType, Network, check_doubling_shape, check_positive, network_dtype


def spectral(layer: keras.Layer) -> keras.Layer:
    """The layer wrapped in spectral normalisation."""
    return SpectralNormalization(layer, name=f"spectral_{layer.name}")


def attention(policy: keras.DTypePolicy) -> MakeLayer:
    """A function that builds the self-attention layer of a name."""
    return lambda name: SelfAttention2D(spectral_norm=True, dtype=policy, name=name)


@keras.saving.register_keras_serializable(package="kgan")
class SAGANGenerator(Network):
    """`DCGANK4Generator` with spectral normalisation, and self-attention after the last two stages.

    The body is the PyTorch book's, for 64x64; it leaves the last convolution and the 1x1 ones of
    attention without spectral normalisation, which Zhang has everywhere, as here. Kernels start
    from Keras's Glorot values.

    Args:
        image_shape: (H, W, C); the shorter of H and W is 8, 16, 32, 64, 128 or
            256, the longer a multiple of a quarter of it; C from 1 to 8. The
            memory of attention grows with the fourth power of the side: it is
            meant for 64.
        latent_dim: length of a latent vector.
        filters: channels of the last hidden stage.
        num_classes: number of classes of a conditional generator, whose
            normalisation then scales and shifts by class; None for one without.
        attribute_ranges: (lowest, highest) value of each attribute of a conditional
            generator, whose normalisation then scales and shifts by them; None for one
            without.
        dtype: dtype policy of the layers; Keras's global one when None. The
            output is float32 under any policy.

    Input: float32 (B, latent_dim), with classes [that, int (B,) labels], with k attributes
    [that, float (B, k) labels]. Output: float32 (B, H, W, C) in [-1, 1].

    Raises:
        InputError: an argument that the network cannot be built with.

    Reference:
        Zhang et al. 2018, https://arxiv.org/abs/1805.08318
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (64, 64, 3),
        latent_dim: int = 20,
        filters: int = 64,
        num_classes: int | None = None,
        attribute_ranges: Sequence[Sequence[float]] | None = None,
        dtype: DType = None,
        name: str | None = None,
    ) -> None:
        image_shape, _, _ = check_doubling_shape(image_shape)
        check_positive(latent_dim=latent_dim, filters=filters)
        ranges = check_condition(num_classes, attribute_ranges)
        policy = network_dtype(dtype)
        latents, labels, inputs = latent_inputs(latent_dim, num_classes, ranges)
        images = grow(
            latents,
            labels,
            image_shape,
            filters,
            num_classes,
            policy,
            spectral,
            attention(policy),
            kernels=keras.initializers.GlorotUniform,
            scales=keras.initializers.Ones,
        )
        arguments = {
            "image_shape": image_shape,
            "latent_dim": latent_dim,
            "filters": filters,
            "num_classes": num_classes,
            "attribute_ranges": ranges,
        }
        super().__init__(inputs, images, arguments=arguments, policy=policy, name=name)


@keras.saving.register_keras_serializable(package="kgan")
class SAGANDiscriminator(Network):
    """`DCGANK4Discriminator` with spectral normalisation, and self-attention at the last two sizes.

    Args:
        image_shape: as for `SAGANGenerator`.
        filters: channels of the first convolution.
        num_classes: number of classes of a conditional discriminator, which
            projects the label onto the features; None for one without.
        attribute_ranges: as for the generator; a linear map of the attributes is projected
            onto the features.
        dtype: dtype policy of the layers; Keras's global one when None. The
            logits are float32 under any policy.

    Input: float32 (B, H, W, C), with classes [that, int (B,) labels], with k attributes
    [that, float (B, k) labels]. Output: float32 (B, 1), logits.

    Raises:
        InputError: an argument that the network cannot be built with.

    Reference:
        Zhang et al. 2018, https://arxiv.org/abs/1805.08318
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (64, 64, 3),
        filters: int = 64,
        num_classes: int | None = None,
        attribute_ranges: Sequence[Sequence[float]] | None = None,
        dtype: DType = None,
        name: str | None = None,
    ) -> None:
        image_shape, _, _ = check_doubling_shape(image_shape)
        check_positive(filters=filters)
        ranges = check_condition(num_classes, attribute_ranges)
        policy = network_dtype(dtype)
        images, labels, inputs = image_inputs(image_shape, num_classes, ranges)
        features, logits = shrink(
            images,
            image_shape,
            filters,
            policy,
            spectral,
            attention(policy),
            kernels=keras.initializers.GlorotUniform,
        )
        if labels is not None:
            logits = project_labels(logits, features, labels, num_classes, spectral)
        arguments = {
            "image_shape": image_shape,
            "filters": filters,
            "num_classes": num_classes,
            "attribute_ranges": ranges,
        }
        super().__init__(inputs, logits, arguments=arguments, policy=policy, name=name)
