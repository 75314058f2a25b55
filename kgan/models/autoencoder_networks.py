"""Autoencoders: an encoder from images to codes and a decoder back."""

from collections.abc import Sequence
from typing import ClassVar

import keras
from keras import layers

from kgan.models.networks import DType, Network, check_image_shape, check_positive, network_dtype


@keras.saving.register_keras_serializable(package="kgan")
class LinearEncoder(Network):
    """Images to codes by one Dense layer without activation.

    Args:
        image_shape: (H, W, C); H and W up to 256, C from 1 to 8.
        latent_dim: length of a code.
        dtype: dtype policy of the layers; Keras's global one when None.

    Input: float32 (B, H, W, C) in [-1, 1]. Output: float32 (B, latent_dim).

    Raises:
        InputError: an argument that the network cannot be built with.

    Reference:
        together with the decoder it learns what principal component analysis finds:
        Baldi and Hornik 1989, https://doi.org/10.1016/0893-6080(89)90014-2
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (64, 64, 3),
        latent_dim: int = 64,
        dtype: DType = None,
        name: str | None = None,
    ) -> None:
        image_shape = check_image_shape(image_shape)
        check_positive(latent_dim=latent_dim)
        policy = network_dtype(dtype)
        images = keras.Input(image_shape, dtype="float32", name="images")
        x = layers.Flatten(data_format="channels_last", dtype=policy, name="flatten")(images)
        codes = layers.Dense(latent_dim, dtype=policy, name="encode")(x)
        codes = layers.Activation("linear", dtype="float32", name="codes")(codes)
        arguments = {"image_shape": image_shape, "latent_dim": latent_dim}
        super().__init__(images, codes, arguments=arguments, policy=policy, name=name)


@keras.saving.register_keras_serializable(package="kgan")
class LinearDecoder(Network):
    """Codes to images by one Dense layer without activation, the inverse of `LinearEncoder`.

    Args:
        image_shape, latent_dim, dtype: as for `LinearEncoder`.

    Input: float32 (B, latent_dim). Output: float32 (B, H, W, C), approximately in [-1, 1].

    Raises:
        InputError: an argument that the network cannot be built with.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (64, 64, 3),
        latent_dim: int = 64,
        dtype: DType = None,
        name: str | None = None,
    ) -> None:
        image_shape = check_image_shape(image_shape)
        check_positive(latent_dim=latent_dim)
        policy = network_dtype(dtype)
        codes = keras.Input((latent_dim,), dtype="float32", name="codes")
        height, width, channels = image_shape
        x = layers.Dense(height * width * channels, dtype=policy, name="pixels")(codes)
        images = layers.Reshape(image_shape, dtype="float32", name="images")(x)
        arguments = {"image_shape": image_shape, "latent_dim": latent_dim}
        super().__init__(codes, images, arguments=arguments, policy=policy, name=name)


@keras.saving.register_keras_serializable(package="kgan")
class ConvEncoder(Network):
    """Images to code maps: two 3x3 convolutions, each followed by max pooling.

    Args:
        image_shape: (H, W, C); H and W multiples of 4 up to 256, C from 1 to 8.
        filters: channels of the first convolution; the second has half.
        activation: of both, such as "relu"; None for none.
        dtype: dtype policy of the layers; Keras's global one when None.

    Input: float32 (B, H, W, C) in [-1, 1]. Output: float32 (B, H/4, W/4, filters/2).

    Raises:
        InputError: an argument that the network cannot be built with.
    """

    before: ClassVar = {"activation": "relu"}

    def __init__(
        self,
        image_shape: Sequence[int] = (64, 64, 3),
        filters: int = 32,
        activation: str | None = None,
        dtype: DType = None,
        name: str | None = None,
    ) -> None:
        image_shape = check_image_shape(image_shape, multiple=4, smallest=4)
        check_positive(filters=filters)
        policy = network_dtype(dtype)
        images = keras.Input(image_shape, dtype="float32", name="images")
        x = images
        for step, width in enumerate((filters, max(1, filters // 2))):
            x = layers.Conv2D(
                width,
                3,
                padding="same",
                activation=activation,
                data_format="channels_last",
                dtype=policy,
                name=f"conv_{step}",
            )(x)
            x = layers.MaxPooling2D(
                2, data_format="channels_last", dtype=policy, name=f"pool_{step}"
            )(x)
        codes = layers.Activation("linear", dtype="float32", name="codes")(x)
        arguments = {"image_shape": image_shape, "filters": filters, "activation": activation}
        super().__init__(images, codes, arguments=arguments, policy=policy, name=name)


@keras.saving.register_keras_serializable(package="kgan")
class ConvDecoder(Network):
    """Code maps to images: two 2x2 transposed convolutions of stride 2.

    Args:
        image_shape, filters, dtype: as for `ConvEncoder`.
        widening: the first has that many times `filters` channels.
        activation: between the two, such as "relu"; None for none.

    Input: float32 (B, H/4, W/4, filters/2). Output: float32 (B, H, W, C), approximately in [-1, 1].

    Raises:
        InputError: an argument that the network cannot be built with.
    """

    before: ClassVar = {"widening": 1, "activation": "relu"}

    def __init__(
        self,
        image_shape: Sequence[int] = (64, 64, 3),
        filters: int = 32,
        widening: int = 2,
        activation: str | None = None,
        dtype: DType = None,
        name: str | None = None,
    ) -> None:
        image_shape = check_image_shape(image_shape, multiple=4, smallest=4)
        check_positive(filters=filters, widening=widening)
        policy = network_dtype(dtype)
        height, width, channels = image_shape
        codes = keras.Input(
            (height // 4, width // 4, max(1, filters // 2)), dtype="float32", name="codes"
        )
        x = layers.Conv2DTranspose(
            widening * filters,
            2,
            strides=2,
            activation=activation,
            data_format="channels_last",
            dtype=policy,
            name="up_0",
        )(codes)
        x = layers.Conv2DTranspose(
            channels, 2, strides=2, data_format="channels_last", dtype=policy, name="up_1"
        )(x)
        images = layers.Activation("linear", dtype="float32", name="images")(x)
        arguments = {
            "image_shape": image_shape,
            "filters": filters,
            "widening": widening,
            "activation": activation,
        }
        super().__init__(codes, images, arguments=arguments, policy=policy, name=name)
