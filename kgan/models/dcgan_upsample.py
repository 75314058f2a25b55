"""A DCGAN that grows by upsampling and plain convolutions, free of checkerboards."""

from collections.abc import Sequence
from typing import ClassVar

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

SIDES = {"multiple": 4, "smallest": 16}


@keras.saving.register_keras_serializable(package="kgan")
class DCGANUpsampleGenerator(Network):
    """Latents to images: Dense to (H/4)x(W/4), then twice upsampling and a 3x3 convolution.

    The base and the first convolution have `filters` channels, the second
    half as many; BatchNormalization and ReLU after each; then a 3x3 convolution to
    the image and tanh. Weights start from N(0, 0.02).

    Args:
        image_shape: (H, W, C); H and W multiples of 4 from 16 to 256, C from 1 to 8.
        latent_dim: length of a latent vector.
        filters: channels of the base.
        project_norm: whether the projection is normalised and rectified too, as DCGAN has it.
        dtype: dtype policy of the layers; Keras's global one when None. The
            output is float32 under any policy.

    Input: float32 (B, latent_dim). Output: float32 (B, H, W, C) in [-1, 1].

    Raises:
        InputError: an argument that the network cannot be built with.

    Reference:
        after Radford et al. 2015, https://arxiv.org/abs/1511.06434; why upsampling:
        Odena et al. 2016, https://distill.pub/2016/deconv-checkerboard/
    """

    before: ClassVar = {"project_norm": False}

    def __init__(
        self,
        image_shape: Sequence[int] = (128, 128, 3),
        latent_dim: int = 100,
        filters: int = 128,
        project_norm: bool = True,
        dtype: DType = None,
        name: str | None = None,
    ) -> None:
        image_shape = check_image_shape(image_shape, **SIDES)
        check_positive(latent_dim=latent_dim, filters=filters)
        policy = network_dtype(dtype)

        # === Functional graph ===
        latents = keras.Input((latent_dim,), dtype="float32", name="latents")
        base = (image_shape[0] // 4, image_shape[1] // 4, filters)
        x = layers.Dense(
            base[0] * base[1] * base[2],
            use_bias=not project_norm,  # the normalisation that follows would cancel it
            kernel_initializer=small_normal(),
            dtype=policy,
            name="project",
        )(latents)
        x = layers.Reshape(base, dtype=policy, name="base")(x)
        if project_norm:
            x = batch_normalization(policy, "project_norm")(x)
            x = layers.ReLU(dtype=policy, name="project_relu")(x)
        for step, width in enumerate((filters, max(1, filters // 2))):
            x = layers.UpSampling2D(
                2, data_format="channels_last", dtype=policy, name=f"up_{step}"
            )(x)
            x = layers.Conv2D(
                width,
                3,
                padding="same",
                use_bias=False,
                kernel_initializer=small_normal(),
                data_format="channels_last",
                dtype=policy,
                name=f"conv_{step}",
            )(x)
            x = batch_normalization(policy, f"norm_{step}")(x)
            x = layers.ReLU(dtype=policy, name=f"relu_{step}")(x)
        x = layers.Conv2D(
            image_shape[2],
            3,
            padding="same",
            kernel_initializer=small_normal(),
            data_format="channels_last",
            dtype=policy,
            name="to_image",
        )(x)
        images = layers.Activation("tanh", dtype="float32", name="images")(x)
        arguments = {
            "image_shape": image_shape,
            "latent_dim": latent_dim,
            "filters": filters,
            "project_norm": project_norm,
        }
        super().__init__(latents, images, arguments=arguments, policy=policy, name=name)


@keras.saving.register_keras_serializable(package="kgan")
class DCGANUpsampleDiscriminator(Network):
    """Images to logits: four 3x3 convolutions of stride 2, LeakyReLU 0.2, one unit.

    The convolutions have a quarter, a half, once and twice `filters` channels;
    BatchNormalization on all but the first; no pooling.

    Args:
        image_shape: (H, W, C); H and W multiples of 4 from 16 to 256, C from 1 to 8.
        filters: unit of width, the channels of the generator's base.
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
        image_shape: Sequence[int] = (128, 128, 3),
        filters: int = 128,
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
                max(1, filters * 2**step // 4),
                3,
                strides=2,
                padding="same",
                use_bias=step == 0,
                kernel_initializer=small_normal(),
                data_format="channels_last",
                dtype=policy,
                name=f"down_{step}",
            )(x)
            if step:
                x = batch_normalization(policy, f"norm_{step}")(x)
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
