"""The DCGAN of the early Keras tutorials on digits: tanh, upsampling and pooling."""

from collections.abc import Sequence
from typing import ClassVar

import keras
from keras import layers

from kgan.models.networks import (
    DType,
    Network,
    check_image_shape,
    check_positive,
    network_dtype,
)
from kgan.tensors import SYNCHRONIZED

SIDES = {"multiple": 4, "smallest": 16}


@keras.saving.register_keras_serializable(package="kgan")
class DCGANTanhGenerator(Network):
    """Latents to images: two Dense layers, then twice upsampling and a 5x5 convolution, all tanh.

    Dense to `16 * filters` (1024), Dense to (H/4)x(W/4) with `2 * filters`
    channels (128) and BatchNormalization, then convolutions to `filters` (64)
    channels and to the image.

    Args:
        image_shape: (H, W, C); H and W multiples of 4 from 16 to 256, C from 1 to 8.
        latent_dim: length of a latent vector.
        filters: unit of width.
        norm_momentum, norm_epsilon: of the BatchNormalization; Keras's own defaults.
        dtype: dtype policy of the layers; Keras's global one when None. The
            output is float32 under any policy.

    Input: float32 (B, latent_dim). Output: float32 (B, H, W, C) in [-1, 1].

    Raises:
        InputError: an argument that the network cannot be built with.

    Reference:
        after Radford et al. 2015, https://arxiv.org/abs/1511.06434
    """

    before: ClassVar = {"norm_momentum": 0.9, "norm_epsilon": 1e-5}

    def __init__(
        self,
        image_shape: Sequence[int] = (28, 28, 1),
        latent_dim: int = 100,
        filters: int = 64,
        norm_momentum: float = 0.99,
        norm_epsilon: float = 1e-3,
        dtype: DType = None,
        name: str | None = None,
    ) -> None:
        image_shape = check_image_shape(image_shape, **SIDES)
        check_positive(latent_dim=latent_dim, filters=filters)
        policy = network_dtype(dtype)

        # === Functional graph ===
        latents = keras.Input((latent_dim,), dtype="float32", name="latents")
        x = layers.Dense(16 * filters, "tanh", dtype=policy, name="dense")(latents)
        base = (image_shape[0] // 4, image_shape[1] // 4, 2 * filters)
        x = layers.Dense(base[0] * base[1] * base[2], dtype=policy, name="project")(x)
        x = layers.BatchNormalization(
            momentum=norm_momentum,
            epsilon=norm_epsilon,
            synchronized=SYNCHRONIZED,
            dtype=policy,
            name="project_norm",
        )(x)
        x = layers.Activation("tanh", dtype=policy, name="project_tanh")(x)
        x = layers.Reshape(base, dtype=policy, name="base")(x)
        x = layers.UpSampling2D(2, data_format="channels_last", dtype=policy, name="up_0")(x)
        x = layers.Conv2D(
            filters, 5, padding="same", data_format="channels_last", dtype=policy, name="conv"
        )(x)
        x = layers.Activation("tanh", dtype=policy, name="conv_tanh")(x)
        x = layers.UpSampling2D(2, data_format="channels_last", dtype=policy, name="up_1")(x)
        x = layers.Conv2D(
            image_shape[2],
            5,
            padding="same",
            data_format="channels_last",
            dtype=policy,
            name="to_image",
        )(x)
        images = layers.Activation("tanh", dtype="float32", name="images")(x)
        arguments = {
            "image_shape": image_shape,
            "latent_dim": latent_dim,
            "filters": filters,
            "norm_momentum": norm_momentum,
            "norm_epsilon": norm_epsilon,
        }
        super().__init__(latents, images, arguments=arguments, policy=policy, name=name)


@keras.saving.register_keras_serializable(package="kgan")
class DCGANTanhDiscriminator(Network):
    """Images to logits: two 5x5 convolutions with tanh and max pooling, one hidden Dense layer.

    `filters` channels with 'same' padding, twice as many with 'valid', Dense to
    `16 * filters` with tanh, Dense to one unit.

    Args:
        image_shape: (H, W, C); H and W multiples of 4 from 16 to 256, C from 1 to 8.
        filters: unit of width.
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
        image_shape: Sequence[int] = (28, 28, 1),
        filters: int = 64,
        dtype: DType = None,
        name: str | None = None,
    ) -> None:
        image_shape = check_image_shape(image_shape, **SIDES)
        check_positive(filters=filters)
        policy = network_dtype(dtype)

        # === Functional graph ===
        images = keras.Input(image_shape, dtype="float32", name="images")
        x = images
        for step, (width, padding) in enumerate(((filters, "same"), (2 * filters, "valid"))):
            x = layers.Conv2D(
                width,
                5,
                padding=padding,
                activation="tanh",
                data_format="channels_last",
                dtype=policy,
                name=f"conv_{step}",
            )(x)
            x = layers.MaxPooling2D(
                2, data_format="channels_last", dtype=policy, name=f"pool_{step}"
            )(x)
        x = layers.Flatten(data_format="channels_last", dtype=policy, name="features")(x)
        x = layers.Dense(16 * filters, "tanh", dtype=policy, name="dense")(x)
        logits = layers.Dense(1, dtype="float32", name="logits")(x)
        arguments = {"image_shape": image_shape, "filters": filters}
        super().__init__(images, logits, arguments=arguments, policy=policy, name=name)
