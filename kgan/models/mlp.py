"""The first GAN's fully connected networks, for small images of any size."""

from collections.abc import Sequence

import keras
from keras import layers

from kgan.models.networks import (
    DType,
    Network,
    batch_normalization,
    check_image_shape,
    check_positive,
    network_dtype,
)


@keras.saving.register_keras_serializable(package="kgan")
class MLPGenerator(Network):
    """Latents to images by Dense layers alone: filters, 2 filters, 4 filters, then the pixels.

    Each hidden layer is followed by LeakyReLU 0.2 and BatchNormalization; the
    last one ends in a sigmoid.

    Args:
        image_shape: (H, W, C); H and W up to 256, C from 1 to 8.
        latent_dim: length of a latent vector.
        filters: units of the first hidden layer.
        dtype: dtype policy of the layers; Keras's global one when None. The
            output is float32 under any policy.

    Input: float32 (B, latent_dim). Output: float32 (B, H, W, C) in [0, 1].

    Raises:
        InputError: an argument that the network cannot be built with.

    Reference:
        Goodfellow et al. 2014, section 5, https://arxiv.org/abs/1406.2661
    """

    value_range = (0.0, 1.0)

    def __init__(
        self,
        image_shape: Sequence[int] = (28, 28, 1),
        latent_dim: int = 100,
        filters: int = 256,
        dtype: DType = None,
        name: str | None = None,
    ) -> None:
        image_shape = check_image_shape(image_shape)
        check_positive(latent_dim=latent_dim, filters=filters)
        policy = network_dtype(dtype)

        # === Functional graph ===
        latents = keras.Input((latent_dim,), dtype="float32", name="latents")
        x = latents
        for units in (filters, 2 * filters, 4 * filters):
            x = layers.Dense(units, dtype=policy, name=f"dense_{units}")(x)
            x = layers.LeakyReLU(0.2, dtype=policy, name=f"leaky_relu_{units}")(x)
            x = batch_normalization(policy, f"norm_{units}")(x)
        height, width, channels = image_shape
        x = layers.Dense(height * width * channels, dtype=policy, name="pixels")(x)
        x = layers.Activation("sigmoid", dtype="float32", name="intensities")(x)
        images = layers.Reshape(image_shape, dtype="float32", name="images")(x)
        arguments = {"image_shape": image_shape, "latent_dim": latent_dim, "filters": filters}
        super().__init__(latents, images, arguments=arguments, policy=policy, name=name)


@keras.saving.register_keras_serializable(package="kgan")
class MLPDiscriminator(Network):
    """Images to logits by Dense layers alone: 2 filters, filters, 1, LeakyReLU 0.2 in between.

    Args:
        image_shape: (H, W, C); H and W up to 256, C from 1 to 8.
        filters: units of the last hidden layer.
        dtype: dtype policy of the layers; Keras's global one when None. The
            logits are float32 under any policy.

    Input: float32 (B, H, W, C). Output: float32 (B, 1), logits.

    Raises:
        InputError: an argument that the network cannot be built with.

    Reference:
        Goodfellow et al. 2014, section 5, https://arxiv.org/abs/1406.2661
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (28, 28, 1),
        filters: int = 256,
        dtype: DType = None,
        name: str | None = None,
    ) -> None:
        image_shape = check_image_shape(image_shape)
        check_positive(filters=filters)
        policy = network_dtype(dtype)

        # === Functional graph ===
        images = keras.Input(image_shape, dtype="float32", name="images")
        x = layers.Flatten(data_format="channels_last", dtype=policy, name="flatten")(images)
        for units in (2 * filters, filters):
            x = layers.Dense(units, dtype=policy, name=f"dense_{units}")(x)
            x = layers.LeakyReLU(0.2, dtype=policy, name=f"leaky_relu_{units}")(x)
        logits = layers.Dense(1, dtype="float32", name="logits")(x)
        arguments = {"image_shape": image_shape, "filters": filters}
        super().__init__(images, logits, arguments=arguments, policy=policy, name=name)
