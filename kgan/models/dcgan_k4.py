"""The DCGAN of the PyTorch book: 4x4 kernels throughout, and no Dense layer at all."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import keras
from keras import layers

from kgan.models.conditions import latent_inputs, normalize
from kgan.models.networks import (
    DType,
    Network,
    around_one,
    check_doubling_shape,
    check_positive,
    network_dtype,
    small_normal,
)

Wrap: TypeAlias = Callable[[keras.Layer], keras.Layer]
MakeLayer: TypeAlias = Callable[[str], keras.Layer]  # the layer of that name
MakeInitializer: TypeAlias = Callable[[], keras.Initializer]


def as_it_is(layer: keras.Layer) -> keras.Layer:
    """The layer itself: a body without spectral normalisation."""
    return layer


def grow(
    latents: keras.KerasTensor,
    labels: keras.KerasTensor | None,
    image_shape: Sequence[int],
    filters: int,
    num_classes: int | None,
    policy: keras.DTypePolicy,
    wrap: Wrap = as_it_is,
    attend: MakeLayer | None = None,
    kernels: MakeInitializer = small_normal,
    scales: MakeInitializer = around_one,
) -> keras.KerasTensor:
    """Latents to images: a transposed convolution to the base, then one per doubling.

    Args:
        latents, labels: as `latent_inputs` gives them.
        image_shape: (H, W, C) that `check_doubling_shape` accepts.
        filters: channels of the last hidden stage; each earlier stage has twice as many.
        num_classes: number of classes, or None.
        policy: dtype policy.
        wrap: wraps each convolution.
        attend: builds the layer that follows each of the last two hidden stages; None for
            no such layers.
        kernels, scales: build the initializers of the convolutions' kernels and of the
            normalisations' scales.

    Returns:
        Symbolic float32 images in [-1, 1].
    """
    image_shape, doublings, base = check_doubling_shape(image_shape)
    x = layers.Reshape((1, 1, latents.shape[-1]), dtype=policy, name="points")(latents)
    for step in range(doublings):
        convolution = layers.Conv2DTranspose(
            filters * 2 ** (doublings - 1 - step),
            4 if step else base,
            strides=2 if step else 1,
            padding="same" if step else "valid",
            use_bias=False,  # the normalisation that follows would cancel it
            kernel_initializer=kernels(),
            data_format="channels_last",
            dtype=policy,
            name=f"up_{step}",
        )
        x = wrap(convolution)(x)
        x = normalize(x, labels, num_classes, policy, f"norm_{step}", scales())
        x = layers.ReLU(dtype=policy, name=f"relu_{step}")(x)
        if attend and step >= doublings - 2:
            x = attend(f"attention_{step}")(x)
    convolution = layers.Conv2DTranspose(
        image_shape[2],
        4,
        strides=2,
        padding="same",
        kernel_initializer=kernels(),
        data_format="channels_last",
        dtype=policy,
        name="to_image",
    )
    return layers.Activation("tanh", dtype="float32", name="images")(wrap(convolution)(x))


def shrink(
    images: keras.KerasTensor,
    image_shape: Sequence[int],
    filters: int,
    policy: keras.DTypePolicy,
    wrap: Wrap = as_it_is,
    attend: MakeLayer | None = None,
    kernels: MakeInitializer = small_normal,
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Images to feature maps and logits: a convolution per halving, then one over the base.

    Args:
        images: symbolic input.
        image_shape, filters, policy, wrap, attend, kernels: as for `grow`.

    Returns:
        (symbolic feature maps at the base, symbolic float32 (B, 1)).
    """
    image_shape, doublings, base = check_doubling_shape(image_shape)
    x = images
    for step in range(doublings):
        convolution = layers.Conv2D(
            filters * 2**step,
            4,
            strides=2,
            padding="same",
            kernel_initializer=kernels(),
            data_format="channels_last",
            dtype=policy,
            name=f"down_{step}",
        )
        x = wrap(convolution)(x)
        x = layers.LeakyReLU(0.1, dtype=policy, name=f"leaky_relu_{step}")(x)
        if attend and step >= doublings - 2:
            x = attend(f"attention_{step}")(x)
    last = wrap(
        layers.Conv2D(
            1,
            base,
            kernel_initializer=kernels(),
            data_format="channels_last",
            dtype="float32",
            name="judge",
        )
    )
    return x, layers.Flatten(data_format="channels_last", dtype="float32", name="realness")(last(x))


@keras.saving.register_keras_serializable(package="kgan")
class DCGANK4Generator(Network):
    """Latents to images by 4x4 transposed convolutions, BatchNormalization and ReLU, then tanh.

    From a base of 4 (its shorter side) with, for 64x64, `8 * filters` channels,
    halved at each doubling of the sides. Kernels start from N(0, 0.02), scales from N(1, 0.02).

    Args:
        image_shape: (H, W, C); the shorter of H and W is 8, 16, 32, 64, 128 or
            256, the longer a multiple of a quarter of it; C from 1 to 8.
        latent_dim: length of a latent vector.
        filters: channels of the last hidden stage.
        dtype: dtype policy of the layers; Keras's global one when None. The
            output is float32 under any policy.

    Input: float32 (B, latent_dim). Output: float32 (B, H, W, C) in [-1, 1].

    Raises:
        InputError: an argument that the network cannot be built with.

    Reference:
        after Radford et al. 2015, https://arxiv.org/abs/1511.06434
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (64, 64, 3),
        latent_dim: int = 20,
        filters: int = 64,
        dtype: DType = None,
        name: str | None = None,
    ) -> None:
        image_shape, _, _ = check_doubling_shape(image_shape)
        check_positive(latent_dim=latent_dim, filters=filters)
        policy = network_dtype(dtype)
        latents, labels, inputs = latent_inputs(latent_dim, None)
        images = grow(latents, labels, image_shape, filters, None, policy)
        arguments = {"image_shape": image_shape, "latent_dim": latent_dim, "filters": filters}
        super().__init__(inputs, images, arguments=arguments, policy=policy, name=name)


@keras.saving.register_keras_serializable(package="kgan")
class DCGANK4Discriminator(Network):
    """Images to logits by 4x4 convolutions of stride 2 and LeakyReLU 0.1, the last over the base.

    Nothing is normalised; the first convolution has `filters` channels, each
    next one twice as many. Kernels start from N(0, 0.02).

    Args:
        image_shape: as for `DCGANK4Generator`.
        filters: channels of the first convolution.
        dtype: dtype policy of the layers; Keras's global one when None. The
            logits are float32 under any policy.

    Input: float32 (B, H, W, C). Output: float32 (B, 1), logits.

    Raises:
        InputError: an argument that the network cannot be built with.

    Reference:
        after Radford et al. 2015, https://arxiv.org/abs/1511.06434
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (64, 64, 3),
        filters: int = 64,
        dtype: DType = None,
        name: str | None = None,
    ) -> None:
        image_shape, _, _ = check_doubling_shape(image_shape)
        check_positive(filters=filters)
        policy = network_dtype(dtype)
        images = keras.Input(image_shape, dtype="float32", name="images")
        _, logits = shrink(images, image_shape, filters, policy)
        arguments = {"image_shape": image_shape, "filters": filters}
        super().__init__(images, logits, arguments=arguments, policy=policy, name=name)
