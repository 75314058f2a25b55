"""R3GAN's residual networks without normalisation (Huang et al. 2024), scaled to small images."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from kgan.layers import GroupedConv2D
from kgan.models.conditions import check_condition, image_inputs, label_layer, latent_inputs
from kgan.models.networks import (
    DType,
    ImageShape,
    Network,
    check_doubling_shape,
    check_positive,
    enlarged,
    network_dtype,
)
from kgan.tensors import Tensor

BLOCKS = 2  # per resolution
EXPANSION = 2
GROUP_CHANNELS = 16
SLOPE = 0.2
# Makes up for what LeakyReLU takes from the standard deviation of a normal variable.
GAIN = math.sqrt(2.0 / (1.0 + SLOPE**2))


def stages_of(
    image_shape: Sequence[int], filters: int
) -> tuple[ImageShape, list[tuple[int, int, int]]]:
    """The resolutions that both networks are built of, and their channels.

    Returns:
        (image_shape, [(H, W, channels) from the base up]); the channels are `filters`,
        except at sides of 64 and above, where they are half, a quarter and so on.

    Raises:
        InputError: a shape or `filters` that the networks cannot be built with.
    """
    image_shape, doublings, base = check_doubling_shape(image_shape)
    check_positive(filters=filters)
    return image_shape, [
        (base[0] * 2**step, base[1] * 2**step, max(8, filters // 2 ** max(0, step - 3)))
        for step in range(doublings + 1)
    ]


def normal(gain: float, fan_in: int) -> keras.Initializer:
    """N(0, gain^2 / fan_in), which multiplies the variance of the input by gain squared."""
    return keras.initializers.RandomNormal(stddev=gain / math.sqrt(fan_in))


def linear(
    channels: int, x: keras.KerasTensor, policy: keras.DTypePolicy, name: str, gain: float = 1.0
) -> keras.KerasTensor:
    """A 1x1 convolution without bias; with a gain of 0 it starts at zero."""
    initializer = normal(gain, x.shape[-1]) if gain else "zeros"
    return layers.Conv2D(
        channels,
        1,
        use_bias=False,
        kernel_initializer=initializer,
        data_format="channels_last",
        dtype=policy,
        name=name,
    )(x)


def biased_activation(
    x: keras.KerasTensor, policy: keras.DTypePolicy, name: str
) -> keras.KerasTensor:
    """A bias per channel, then LeakyReLU 0.2; the convolutions themselves have no bias."""
    x = ChannelBias(dtype=policy, name=f"{name}_bias")(x)
    return layers.LeakyReLU(SLOPE, dtype=policy, name=f"{name}_leaky_relu")(x)


@keras.saving.register_keras_serializable(package="kgan")
class ChannelBias(keras.layers.Layer):
    """Adds a learned bias to each channel; it starts at 0."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.bias = self.add_weight(name="bias", shape=(input_shape[-1],), initializer="zeros")

    def call(self, inputs: Tensor) -> Tensor:
        return inputs + self.bias


@keras.saving.register_keras_serializable(package="kgan")
class LearnedBasis(keras.layers.Layer):
    """Spreads a vector over the base: each channel times a learned map that starts as N(0, 1).

    Args:
        size: (H, W) of the base.

    Input: (B, C). Output: (B, H, W, C).
    """

    def __init__(self, size: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = tuple(size)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.basis = self.add_weight(
            name="basis",
            shape=(*self.size, input_shape[-1]),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
        )

    def call(self, inputs: Tensor) -> Tensor:
        return inputs[:, None, None, :] * self.basis

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], *self.size, input_shape[-1])

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"size": self.size}


def residual_block(
    x: keras.KerasTensor, policy: keras.DTypePolicy, name: str, blocks: int
) -> keras.KerasTensor:
    """x + an inverted bottleneck: 1x1 to twice the channels, 3x3 in groups, 1x1 back.

    The last convolution starts at zero and the others are scaled down by the
    network's number of blocks, after Fixup (Zhang et al. 2019), so that no
    normalisation is needed.
    """
    channels = x.shape[-1]
    inner = EXPANSION * channels
    gain = GAIN * blocks ** (-1 / 4)  # three linear layers: -1 / (2 * 3 - 2)
    group = math.gcd(inner, GROUP_CHANNELS)
    y = linear(inner, x, policy, f"{name}_expand", gain)
    y = biased_activation(y, policy, f"{name}_first")
    y = GroupedConv2D(
        inner,
        3,
        groups=inner // group,
        kernel_initializer=normal(gain, 9 * group),
        dtype=policy,
        name=f"{name}_mix",
    )(y)
    y = biased_activation(y, policy, f"{name}_second")
    y = linear(channels, y, policy, f"{name}_contract", gain=0)
    return layers.Add(dtype=policy, name=f"{name}_sum")([x, y])


@keras.saving.register_keras_serializable(package="kgan")
class R3GANGenerator(Network):
    """Latents to images: a learned base, then residual blocks and bilinear doublings.

    Two blocks per resolution; no normalisation and no tanh: the image is a 1x1
    convolution of the last features, and what lies outside [-1, 1] is clipped
    in the conversion to uint8.

    Args:
        image_shape: (H, W, C); the shorter of H and W is 8, 16, 32, 64, 128 or
            256, the longer a multiple of a quarter of it; C from 1 to 8.
        latent_dim: length of a latent vector.
        filters: channels at sides up to 32, half of that at 64 and so on; the
            paper's networks have 768.
        num_classes: number of classes of a conditional generator, which takes
            an embedding of the label beside the latent; None for one without.
        attribute_ranges: (lowest, highest) value of each attribute of a conditional
            generator, which takes a linear map of them instead; None for one without.
        dtype: dtype policy of the layers; Keras's global one when None. The
            output is float32 under any policy.

    Input: float32 (B, latent_dim), with classes [that, int (B,) labels], with k attributes
    [that, float (B, k) labels]. Output: float32 (B, H, W, C), approximately in [-1, 1].

    Raises:
        InputError: an argument that the network cannot be built with.

    Reference:
        Huang et al. 2024, section 4, https://arxiv.org/abs/2501.05441
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (32, 32, 3),
        latent_dim: int = 64,
        filters: int = 128,
        num_classes: int | None = None,
        attribute_ranges: Sequence[Sequence[float]] | None = None,
        dtype: DType = None,
        name: str | None = None,
    ) -> None:
        image_shape, stages = stages_of(image_shape, filters)
        check_positive(latent_dim=latent_dim)
        ranges = check_condition(num_classes, attribute_ranges)
        policy = network_dtype(dtype)
        blocks = BLOCKS * len(stages)

        # === Functional graph ===
        latents, labels, inputs = latent_inputs(latent_dim, num_classes, ranges)
        x = latents
        if labels is not None:
            count = labels.shape[-1] if num_classes is None else 1
            of_labels = label_layer(
                num_classes, latent_dim, policy, normal(1.0, 1), normal(1.0, count)
            )
            x = layers.Concatenate(dtype=policy, name="latents_and_class")([x, of_labels(labels)])
        for step, (height, width, channels) in enumerate(stages):
            if step == 0:
                x = layers.Dense(
                    channels,
                    use_bias=False,
                    kernel_initializer=normal(1.0, x.shape[-1]),
                    dtype=policy,
                    name="project",
                )(x)
                x = LearnedBasis((height, width), dtype=policy, name="base")(x)
            else:
                if x.shape[-1] != channels:
                    x = linear(channels, x, policy, f"narrow_{height}x{width}")
                x = enlarged(x, 2, f"up_{height}x{width}")
            for block in range(BLOCKS):
                x = residual_block(x, policy, f"block_{height}x{width}_{block}", blocks)
        x = linear(image_shape[2], x, policy, "to_image")
        images = layers.Activation("linear", dtype="float32", name="images")(x)
        arguments = {
            "image_shape": image_shape,
            "latent_dim": latent_dim,
            "filters": filters,
            "num_classes": num_classes,
            "attribute_ranges": ranges,
        }
        super().__init__(inputs, images, arguments=arguments, policy=policy, name=name)


@keras.saving.register_keras_serializable(package="kgan")
class R3GANDiscriminator(Network):
    """Images to logits, the mirror of `R3GANGenerator`: residual blocks and halvings.

    Args:
        image_shape: as for `R3GANGenerator`.
        filters: as for `R3GANGenerator`.
        num_classes: number of classes of a conditional discriminator, whose
            logit is the product of the features with an embedding of the label;
            None for one without.
        attribute_ranges: as for `R3GANGenerator`; the product is with a linear map of them.
        dtype: dtype policy of the layers; Keras's global one when None. The
            logits are float32 under any policy.

    Input: float32 (B, H, W, C), with classes [that, int (B,) labels], with k attributes
    [that, float (B, k) labels]. Output: float32 (B, 1), logits.

    Raises:
        InputError: an argument that the network cannot be built with.

    Reference:
        Huang et al. 2024, section 4, https://arxiv.org/abs/2501.05441
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (32, 32, 3),
        filters: int = 128,
        num_classes: int | None = None,
        attribute_ranges: Sequence[Sequence[float]] | None = None,
        dtype: DType = None,
        name: str | None = None,
    ) -> None:
        image_shape, stages = stages_of(image_shape, filters)
        ranges = check_condition(num_classes, attribute_ranges)
        policy = network_dtype(dtype)
        blocks = BLOCKS * len(stages)

        # === Functional graph ===
        images, labels, inputs = image_inputs(image_shape, num_classes, ranges)
        x = linear(stages[-1][2], images, policy, "from_image")
        for step in range(len(stages) - 1, -1, -1):
            height, width, channels = stages[step]
            for block in range(BLOCKS):
                x = residual_block(x, policy, f"block_{height}x{width}_{block}", blocks)
            if step:
                x = layers.AveragePooling2D(
                    2, data_format="channels_last", dtype=policy, name=f"down_{height}x{width}"
                )(x)
                if stages[step - 1][2] != channels:
                    x = linear(stages[step - 1][2], x, policy, f"widen_{height}x{width}")
        height, width, channels = stages[0]
        x = layers.DepthwiseConv2D(
            (height, width),
            use_bias=False,
            depthwise_initializer=normal(1.0, height * width),
            data_format="channels_last",
            dtype=policy,
            name="basis",
        )(x)
        x = layers.Flatten(data_format="channels_last", dtype="float32", name="features")(x)
        x = layers.Dense(
            1 if labels is None else channels,
            use_bias=False,
            kernel_initializer=normal(1.0, channels),
            dtype="float32",
            name="logits" if labels is None else "directions",
        )(x)
        if labels is not None:
            count = labels.shape[-1] if num_classes is None else 1
            of_labels = label_layer(
                num_classes,
                channels,
                "float32",
                normal(1.0, channels),
                normal(1.0, channels * count),
                normal(1.0, channels),  # with attributes, whether an image is real at all
            )
            x = layers.Dot(axes=1, dtype="float32", name="logits")([x, of_labels(labels)])
        arguments = {
            "image_shape": image_shape,
            "filters": filters,
            "num_classes": num_classes,
            "attribute_ranges": ranges,
        }
        super().__init__(inputs, x, arguments=arguments, policy=policy, name=name)
