"""The DCGAN of the PyTorch book: 4x4 kernels throughout, and no Dense layer at all."""

import keras
from keras import layers

from kgan.models.networks import (
    Network,
    check_doubling_shape,
    check_positive,
    latent_inputs,
    network_dtype,
    normalize,
)


def as_it_is(layer):
    """The layer itself: a body without spectral normalisation."""
    return layer


def grow(latents, labels, image_shape, filters, num_classes, policy, wrap=as_it_is, attend=None):
    """Latents to images: a transposed convolution to the base, then one a doubling.

    Args:
        latents, labels: symbolic inputs; `labels` None without classes.
        image_shape: (H, W, C) that `check_doubling_shape` takes.
        filters: channels before the picture's; each earlier stage has twice as many.
        num_classes: number of classes, or None.
        policy: dtype policy.
        wrap: put around each convolution.
        attend: makes the layer that follows each of the last two hidden stages; None for none.

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
            use_bias=False,  # the normalisation after it would take it away again
            dtype=policy,
            name=f"up_{step}",
        )
        x = wrap(convolution)(x)
        x = normalize(x, labels, num_classes, policy, f"norm_{step}")
        x = layers.ReLU(dtype=policy, name=f"relu_{step}")(x)
        if attend and step >= doublings - 2:
            x = attend(f"attention_{step}")(x)
    convolution = layers.Conv2DTranspose(
        image_shape[2], 4, strides=2, padding="same", dtype=policy, name="to_image"
    )
    return layers.Activation("tanh", dtype="float32", name="images")(wrap(convolution)(x))


def shrink(images, image_shape, filters, policy, wrap=as_it_is, attend=None):
    """Images to feature maps and logits: a convolution a halving, then one over the base.

    Args:
        images: symbolic input.
        image_shape, filters, policy, wrap, attend: as for `grow`.

    Returns:
        (symbolic feature maps at the base, symbolic float32 (B, 1)).
    """
    image_shape, doublings, base = check_doubling_shape(image_shape)
    x = images
    for step in range(doublings):
        convolution = layers.Conv2D(
            filters * 2**step, 4, strides=2, padding="same", dtype=policy, name=f"down_{step}"
        )
        x = wrap(convolution)(x)
        x = layers.LeakyReLU(0.1, dtype=policy, name=f"leaky_relu_{step}")(x)
        if attend and step >= doublings - 2:
            x = attend(f"attention_{step}")(x)
    last = wrap(layers.Conv2D(1, base, dtype="float32", name="judge"))
    return x, layers.Flatten(dtype="float32", name="realness")(last(x))


@keras.saving.register_keras_serializable(package="kgan")
class DCGANK4Generator(Network):
    """Latents to images by 4x4 transposed convolutions, BatchNormalization and ReLU, tanh.

    From a base of 4 (its shorter side) with, for 64x64, `8 * filters` channels,
    halved with each doubling of the sides.

    Args:
        image_shape: (H, W, C); the shorter of H and W is 8, 16, 32, 64, 128 or
            256, the longer a multiple of a quarter of it; C 1 or 3.
        latent_dim: length of a latent vector.
        filters: channels before the picture's.
        dtype: dtype policy of the layers; Keras's global one when None. The
            output is float32 under any policy.

    Input: float32 (B, latent_dim). Output: float32 (B, H, W, C) in [-1, 1].

    Raises:
        InputError: a shape or a number it cannot make.

    Reference:
        after Radford et al. 2015, https://arxiv.org/abs/1511.06434
    """

    def __init__(self, image_shape=(64, 64, 3), latent_dim=20, filters=64, dtype=None, name=None):
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
    next one twice as many.

    Args:
        image_shape: as for `DCGANK4Generator`.
        filters: channels of the first convolution.
        dtype: dtype policy of the layers; Keras's global one when None. The
            logits are float32 under any policy.

    Input: float32 (B, H, W, C). Output: float32 (B, 1), logits.

    Raises:
        InputError: a shape or a number it cannot make.

    Reference:
        after Radford et al. 2015, https://arxiv.org/abs/1511.06434
    """

    def __init__(self, image_shape=(64, 64, 3), filters=64, dtype=None, name=None):
        image_shape, _, _ = check_doubling_shape(image_shape)
        check_positive(filters=filters)
        policy = network_dtype(dtype)
        images = keras.Input(image_shape, dtype="float32", name="images")
        _, logits = shrink(images, image_shape, filters, policy)
        arguments = {"image_shape": image_shape, "filters": filters}
        super().__init__(images, logits, arguments=arguments, policy=policy, name=name)
