"""The DCGAN of an exercise in study notes: a base of 512 channels and four doublings."""

from collections.abc import Sequence

import keras
from keras import layers

from kgan.layers import MinibatchStdDev
from kgan.models.networks import (
    DType,
    Network,
    batch_normalization,
    check_image_shape,
    check_positive,
    network_dtype,
    small_normal,
)

SIDES = {"multiple": 16, "smallest": 16}


@keras.saving.register_keras_serializable(package="kgan")
class DCGAN512Generator(Network):
    """Latents to images: Dense to (H/16)x(W/16), then four 5x5 transposed convolutions.

    The base and the first convolution have `16 * filters` channels (512), each
    of the next two half as many as the one before; ReLU, then BatchNormalization, after each; tanh
    at the end.

    Args:
        image_shape: (H, W, C); H and W multiples of 16 from 16 to 256, C from 1 to 8.
        latent_dim: length of a latent vector.
        filters: unit of width.
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
        latent_dim: int = 100,
        filters: int = 32,
        dtype: DType = None,
        name: str | None = None,
    ) -> None:
        image_shape = check_image_shape(image_shape, **SIDES)
        check_positive(latent_dim=latent_dim, filters=filters)
        policy = network_dtype(dtype)

        # === Functional graph ===
        latents = keras.Input((latent_dim,), dtype="float32", name="latents")
        base = (image_shape[0] // 16, image_shape[1] // 16, 16 * filters)
        x = layers.Dense(
            base[0] * base[1] * base[2],
            kernel_initializer=small_normal(),
            dtype=policy,
            name="project",
        )(latents)
        x = layers.ReLU(dtype=policy, name="project_relu")(x)
        x = layers.Reshape(base, dtype=policy, name="base")(x)
        x = batch_normalization(policy, "project_norm")(x)
        for step, width in enumerate((16 * filters, 8 * filters, 4 * filters, image_shape[2])):
            last = step == 3
            x = layers.Conv2DTranspose(
                width,
                5,
                strides=2,
                padding="same",
                kernel_initializer=small_normal(),
                data_format="channels_last",
                dtype=policy,
                name="to_image" if last else f"up_{step}",
            )(x)
            if not last:
                x = layers.ReLU(dtype=policy, name=f"relu_{step}")(x)
                x = batch_normalization(policy, f"norm_{step}")(x)
        images = layers.Activation("tanh", dtype="float32", name="images")(x)
        arguments = {"image_shape": image_shape, "latent_dim": latent_dim, "filters": filters}
        super().__init__(latents, images, arguments=arguments, policy=policy, name=name)


@keras.saving.register_keras_serializable(package="kgan")
class DCGAN512Discriminator(Network):
    """Images to logits: four 5x5 convolutions of stride 2, LeakyReLU 0.2, one unit.

    The convolutions have 1, 2, 4 and 8 times `filters` channels; nothing is
    normalised.

    Args:
        image_shape: (H, W, C); H and W multiples of 16 from 16 to 256, C from 1 to 8.
        filters: unit of width.
        minibatch_stddev: whether its last feature maps go through `MinibatchStdDev` first, so
            that it sees how much the images of a batch differ.
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
        filters: int = 32,
        minibatch_stddev: bool = False,
        dtype: DType = None,
        name: str | None = None,
    ) -> None:
        image_shape = check_image_shape(image_shape, **SIDES)
        check_positive(filters=filters)
        policy = network_dtype(dtype)

        # === Functional graph ===
        images = keras.Input(image_shape, dtype="float32", name="images")
        x = images
        for step in range(4):
            x = layers.Conv2D(
                filters * 2**step,
                5,
                strides=2,
                padding="same",
                kernel_initializer=small_normal(),
                data_format="channels_last",
                dtype=policy,
                name=f"down_{step}",
            )(x)
            x = layers.LeakyReLU(0.2, dtype=policy, name=f"leaky_relu_{step}")(x)
        if minibatch_stddev:
            x = MinibatchStdDev(dtype=policy, name="minibatch_stddev")(x)
        x = layers.Flatten(data_format="channels_last", dtype=policy, name="features")(x)
        logits = layers.Dense(1, kernel_initializer=small_normal(), dtype="float32", name="logits")(
            x
        )
        arguments = {
            "image_shape": image_shape,
            "filters": filters,
            "minibatch_stddev": minibatch_stddev,
        }
        super().__init__(images, logits, arguments=arguments, policy=policy, name=name)
