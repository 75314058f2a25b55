"""What FastGAN's networks are built of (Liu et al. 2021, figures 3 and 4)."""

import keras
from keras import layers

from kgan.layers import GatedLinearUnit, SpectralNormalization
from kgan.models.networks import batch_normalization, small_normal

SLOPE = 0.2
DECODED = (2.0, 1.0, 1.0, 0.5)  # channels after each doubling of a decoder, in `filters`


def conv(
    x: keras.KerasTensor,
    channels: int,
    size: int | tuple[int, int],
    policy: keras.DTypePolicy | str,
    name: str,
    *,
    strides: int = 1,
    padding: str = "same",
    spectral: bool = False,
) -> keras.KerasTensor:
    """A convolution without bias from N(0, 0.02), with spectral normalisation where asked."""
    layer = layers.Conv2D(
        channels,
        size,
        strides=strides,
        padding=padding,
        use_bias=False,
        kernel_initializer=small_normal(),
        data_format="channels_last",
        dtype=policy,
        name=name,
    )
    return (SpectralNormalization(layer, name=f"spectral_{name}") if spectral else layer)(x)


def gated(x: keras.KerasTensor, policy: keras.DTypePolicy, name: str) -> keras.KerasTensor:
    """Batch normalisation, then the gated linear unit, which halves the channels."""
    x = batch_normalization(policy, f"{name}_norm")(x)
    return GatedLinearUnit(dtype=policy, name=f"{name}_glu")(x)


def grow(
    x: keras.KerasTensor,
    channels: int,
    policy: keras.DTypePolicy,
    name: str,
    convs: int = 1,
) -> keras.KerasTensor:
    """Doubles the sides by repeating pixels, then `convs` gated 3x3 convolutions."""
    x = layers.UpSampling2D(2, data_format="channels_last", dtype=policy, name=f"{name}_up")(x)
    for index in range(convs):
        x = conv(x, 2 * channels, 3, policy, f"{name}_conv_{index}")
        x = gated(x, policy, f"{name}_{index}")
    return x


def excite(
    low: keras.KerasTensor, high: keras.KerasTensor, policy: keras.DTypePolicy, name: str
) -> keras.KerasTensor:
    """Skip-layer excitation: each channel of `high` times a gate from the smaller maps `low`.

    `low` is averaged down to the base, a convolution of its size makes one vector of it,
    LeakyReLU, a 1x1 convolution and a sigmoid follow.

    Args:
        low: (B, h, w, c), h and w powers of two times the base, whose shorter side is 4.
        high: (B, H, W, C).

    Returns:
        (B, H, W, C).

    Reference:
        Liu et al. 2021, section 3.1, equation 1, https://arxiv.org/abs/2101.04775
    """
    step = min(low.shape[1:3]) // 4
    gates = low
    if step > 1:
        gates = layers.AveragePooling2D(
            step, data_format="channels_last", dtype=policy, name=f"{name}_pool"
        )(gates)
    channels = high.shape[-1]
    base = (gates.shape[1], gates.shape[2])
    gates = conv(gates, channels, base, policy, f"{name}_squeeze", padding="valid")
    gates = layers.LeakyReLU(SLOPE, dtype=policy, name=f"{name}_leaky_relu")(gates)
    gates = conv(gates, channels, 1, policy, f"{name}_project")
    gates = layers.Activation("sigmoid", dtype=policy, name=f"{name}_gates")(gates)
    return layers.Multiply(dtype=policy, name=f"{name}_excite")([high, gates])


def judged(
    x: keras.KerasTensor,
    channels: int,
    size: int,
    policy: keras.DTypePolicy,
    name: str,
    strides: int = 1,
) -> keras.KerasTensor:
    """A convolution of the discriminator, batch normalisation and LeakyReLU 0.2."""
    x = conv(x, channels, size, policy, name, strides=strides, spectral=True)
    x = batch_normalization(policy, f"{name}_norm")(x)
    return layers.LeakyReLU(SLOPE, dtype=policy, name=f"{name}_leaky_relu")(x)


def shrink(
    x: keras.KerasTensor, channels: int, policy: keras.DTypePolicy, name: str
) -> keras.KerasTensor:
    """Halves the sides: the mean of two convolutions and of a pooled 1x1 one."""
    y = judged(x, channels, 4, policy, f"{name}_halve", strides=2)
    y = judged(y, channels, 3, policy, f"{name}_conv")
    x = layers.AveragePooling2D(2, data_format="channels_last", dtype=policy, name=f"{name}_pool")(
        x
    )
    x = judged(x, channels, 1, policy, f"{name}_direct")
    return layers.Average(dtype=policy, name=f"{name}_mean")([y, x])


def decoder(
    maps: keras.KerasTensor,
    doublings: int,
    filters: int,
    channels: int,
    policy: keras.DTypePolicy,
    name: str,
) -> keras.Model:
    """A model from feature maps of the discriminator to the image that they are of.

    Doublings by repeated pixels and gated 3x3 convolutions, then a 3x3 convolution and tanh.

    Args:
        maps: (B, h, w, c); the model takes such.
        doublings: 1 to 4.
        filters: the discriminator's.
        channels: of the image.

    Reference:
        Liu et al. 2021, section 3.2 and figure 4, https://arxiv.org/abs/2101.04775
    """
    features = keras.Input(maps.shape[1:], dtype=maps.dtype, name=f"{name}_features")
    x = features
    for step in range(doublings):
        x = grow(x, max(1, int(DECODED[step] * filters)), policy, f"{name}_{step}")
    x = conv(x, channels, 3, policy, f"{name}_to_image")
    images = layers.Activation("tanh", dtype="float32", name=f"{name}_images")(x)
    return keras.Model(features, images, name=name)
