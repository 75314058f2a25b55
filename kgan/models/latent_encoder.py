"""An encoder from a generator's images back to its latents."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import layers

from kgan.errors import InputError
from kgan.latents import check_distribution
from kgan.models.dcgan import halving_sizes
from kgan.models.networks import (
    DType,
    Network,
    batch_normalization,
    check_image_shape,
    check_positive,
    network_dtype,
)


@keras.saving.register_keras_serializable(package="kgan")
class LatentEncoder(Network):
    """Images to latents: stride-2 convolutions down to a side of 4 or more, one Dense layer.

    As many convolutions as the image has halvings, of doubling widths up to 8 times the first;
    batch normalisation and LeakyReLU 0.2 after each.

    Args:
        image_shape: (H, W, C); H and W up to 256, C from 1 to 8.
        latent_dim: length of a latent.
        filters: channels of the first convolution.
        latent_distribution: "normal", or "uniform" for latents that tanh keeps within -1 and 1.
        training: what is known of how it was trained, a dict that `json.dumps` takes.
        dtype: dtype policy of the layers; Keras's global one when None.

    Input: float32 (B, H, W, C) in the generator's range. Output: float32 (B, latent_dim).

    Raises:
        InputError: an argument that the network cannot be built with.

    Reference:
        Zhu et al. 2016, section 3.1, for a network that begins a projection,
        https://arxiv.org/abs/1609.03552
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (64, 64, 3),
        latent_dim: int = 100,
        filters: int = 32,
        latent_distribution: str = "normal",
        training: Mapping[str, Any] | None = None,
        dtype: DType = None,
        name: str | None = None,
    ) -> None:
        image_shape = check_image_shape(image_shape)
        check_positive(latent_dim=latent_dim, filters=filters)
        uniform = check_distribution(latent_distribution) == "uniform"
        policy = network_dtype(dtype)

        # === Functional graph ===
        images = keras.Input(image_shape, dtype="float32", name="images")
        x = images
        for index, (height, width) in enumerate(halving_sizes(image_shape)[1:]):
            stage = f"{height}x{width}"
            x = layers.Conv2D(
                filters * min(8, 2**index),
                4,
                strides=2,
                padding="same",
                use_bias=False,  # the normalisation that follows would cancel it
                data_format="channels_last",
                dtype=policy,
                name=f"down_{stage}",
            )(x)
            x = batch_normalization(policy, f"norm_{stage}")(x)
            x = layers.LeakyReLU(0.2, dtype=policy, name=f"leaky_relu_{stage}")(x)
        x = layers.Flatten(data_format="channels_last", dtype=policy, name="features")(x)
        x = layers.Dense(latent_dim, dtype=policy, name="encode")(x)
        codes = layers.Activation("tanh" if uniform else "linear", dtype="float32", name="codes")(x)
        arguments = {
            "image_shape": image_shape,
            "latent_dim": latent_dim,
            "filters": filters,
            "latent_distribution": latent_distribution,
            "training": None if training is None else dict(training),
        }
        super().__init__(images, codes, arguments=arguments, policy=policy, name=name)


def check_encoder(encoder: keras.Model, image_shape: Sequence[int], latent_dim: int) -> None:
    """Refuses an encoder that is not from a model's images to its latents.

    Args:
        encoder: any network.
        image_shape: (H, W, C) of the model's images.
        latent_dim: length of its latents.

    Raises:
        InputError: it takes other images, or gives something else.
    """
    taken, given = tuple(encoder.input_shape[1:]), tuple(encoder.output_shape[1:])
    if (taken, given) != (tuple(image_shape), (latent_dim,)):
        raise InputError(
            f"An encoder of this model takes {tuple(image_shape)} and gives {(latent_dim,)}. "
            f"Received one from {taken} to {given}"
        )
