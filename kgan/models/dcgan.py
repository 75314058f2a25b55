"""DCGAN's networks (Radford, Metz and Chintala 2015) with sides from 16 to 128."""

from collections.abc import Sequence

import keras
from keras import layers

from kgan.layers import MinibatchStdDev
from kgan.models.conditions import (
    check_condition,
    image_inputs,
    latent_inputs,
    normalize,
    project_labels,
)
from kgan.models.networks import (
    DType,
    Network,
    batch_normalization,
    check_image_shape,
    check_positive,
    network_dtype,
    small_normal,
)

SIDES = {"multiple": 4, "smallest": 16, "largest": 128}


def halving_sizes(image_shape: Sequence[int]) -> list[tuple[int, int]]:
    """The (H, W) of every resolution of a stride-2 network, from the image's down to the base.

    Each is half the one before, rounded up as a stride-2 'same' convolution
    does. It stops where another halving would leave the shorter side below 4:
    64x64 gives 64, 32, 16, 8, 4 and 28x28 gives 28, 14, 7, 4.
    """
    height, width = image_shape[:2]
    sizes = [(height, width)]
    while True:
        height, width = -(-height // 2), -(-width // 2)
        if min(height, width) < 4:
            return sizes
        sizes.append((height, width))


@keras.saving.register_keras_serializable(package="kgan")
class DCGANGenerator(Network):
    """Latents to images: project, then stride-2 transposed convolutions with halving widths.

    The projection makes a base of 4x4 (its shorter side is up to 6 where the
    image's is not 4 times a power of two) with `8 * filters` channels; each
    following layer doubles the sides and halves the channels. BatchNormalization
    and ReLU after every layer but the last, which ends in tanh.

    Args:
        image_shape: (H, W, C); H and W multiples of 4 from 16 to 128, C from 1 to 8.
        latent_dim: length of a latent vector.
        filters: unit of width; the base has 8 times as many channels.
        num_classes: number of classes of a conditional generator, whose
            normalisation then scales and shifts by class; None for one without.
        attribute_ranges: (lowest, highest) value of each attribute of a conditional
            generator, whose normalisation then scales and shifts by them; None for one
            without.
        dtype: dtype policy of the layers; Keras's global one when None. The
            output is float32 under any policy.

    Input: float32 (B, latent_dim), with classes [that, int (B,) labels], with k attributes
    [that, float (B, k) labels]. Output: float32 (B, H, W, C) in [-1, 1].

    Raises:
        InputError: an argument that the network cannot be built with.

    Reference:
        Radford et al. 2015, section 3 and figure 1, https://arxiv.org/abs/1511.06434
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (64, 64, 3),
        latent_dim: int = 100,
        filters: int = 64,
        num_classes: int | None = None,
        attribute_ranges: Sequence[Sequence[float]] | None = None,
        dtype: DType = None,
        name: str | None = None,
    ) -> None:
        image_shape = check_image_shape(image_shape, **SIDES)
        check_positive(latent_dim=latent_dim, filters=filters)
        ranges = check_condition(num_classes, attribute_ranges)
        sizes = halving_sizes(image_shape)
        policy = network_dtype(dtype)

        # === Functional graph ===
        latents, labels, inputs = latent_inputs(latent_dim, num_classes, ranges)
        base_height, base_width = sizes[-1]
        width = 8 * filters
        x = layers.Dense(
            base_height * base_width * width,
            use_bias=False,  # the normalisation that follows would cancel it
            kernel_initializer=small_normal(),
            dtype=policy,
            name="project",
        )(latents)
        x = layers.Reshape((base_height, base_width, width), dtype=policy, name="base")(x)
        x = normalize(x, labels, num_classes, policy, "project_norm")
        x = layers.ReLU(dtype=policy, name="project_relu")(x)
        for index in range(len(sizes) - 2, -1, -1):
            target, source = sizes[index], sizes[index + 1]
            last = index == 0
            width = image_shape[2] if last else max(1, width // 2)
            stage = f"{target[0]}x{target[1]}"
            x = layers.Conv2DTranspose(
                width,
                5,
                strides=2,
                padding="same",
                # 1 gives twice the source, 0 the odd side one below that.
                output_padding=(target[0] - 2 * source[0] + 1, target[1] - 2 * source[1] + 1),
                use_bias=last,
                kernel_initializer=small_normal(),
                data_format="channels_last",
                dtype=policy,
                name="to_image" if last else f"up_{stage}",
            )(x)
            if not last:
                x = normalize(x, labels, num_classes, policy, f"norm_{stage}")
                x = layers.ReLU(dtype=policy, name=f"relu_{stage}")(x)
        images = layers.Activation("tanh", dtype="float32", name="images")(x)
        arguments = {
            "image_shape": image_shape,
            "latent_dim": latent_dim,
            "filters": filters,
            "num_classes": num_classes,
            "attribute_ranges": ranges,
        }
        super().__init__(inputs, images, arguments=arguments, policy=policy, name=name)


@keras.saving.register_keras_serializable(package="kgan")
class DCGANDiscriminator(Network):
    """Images to logits: stride-2 convolutions with doubling widths, LeakyReLU 0.2, one unit.

    The mirror of `DCGANGenerator`: the last convolution has `8 * filters`
    channels at the generator's base size. BatchNormalization everywhere except on
    the first layer; no hidden Dense layer and no pooling.

    Args:
        image_shape: (H, W, C); H and W multiples of 4 from 16 to 128, C from 1 to 8.
        filters: unit of width; the last convolution has 8 times as many channels.
        num_classes: number of classes of a conditional discriminator, which
            projects the label onto the features; None for one without.
        attribute_ranges: as for the generator; a linear map of the attributes is projected
            onto the features.
        minibatch_stddev: whether its last feature maps go through `MinibatchStdDev` first, so
            that it sees how much the images of a batch differ.
        dtype: dtype policy of the layers; Keras's global one when None. The
            logits are float32 under any policy.

    Input: float32 (B, H, W, C), with classes [that, int (B,) labels], with k attributes
    [that, float (B, k) labels]. Output: float32 (B, 1), logits.

    Raises:
        InputError: an argument that the network cannot be built with.

    Reference:
        Radford et al. 2015, section 3, https://arxiv.org/abs/1511.06434
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (64, 64, 3),
        filters: int = 64,
        num_classes: int | None = None,
        attribute_ranges: Sequence[Sequence[float]] | None = None,
        minibatch_stddev: bool = False,
        dtype: DType = None,
        name: str | None = None,
    ) -> None:
        image_shape = check_image_shape(image_shape, **SIDES)
        check_positive(filters=filters)
        ranges = check_condition(num_classes, attribute_ranges)
        stages = halving_sizes(image_shape)[1:]
        policy = network_dtype(dtype)

        # === Functional graph ===
        images, labels, inputs = image_inputs(image_shape, num_classes, ranges)
        x = images
        for index, (height, width) in enumerate(stages):
            stage = f"{height}x{width}"
            x = layers.Conv2D(
                max(1, 8 * filters // 2 ** (len(stages) - 1 - index)),
                5,
                strides=2,
                padding="same",
                use_bias=index == 0,
                kernel_initializer=small_normal(),
                data_format="channels_last",
                dtype=policy,
                name=f"down_{stage}",
            )(x)
            if index:
                x = batch_normalization(policy, f"norm_{stage}")(x)
            x = layers.LeakyReLU(0.2, dtype=policy, name=f"leaky_relu_{stage}")(x)
        last = x
        if minibatch_stddev:
            last = MinibatchStdDev(dtype=policy, name="minibatch_stddev")(x)
        flat = layers.Flatten(data_format="channels_last", dtype=policy, name="features")(last)
        logits = layers.Dense(
            1,
            kernel_initializer=small_normal(),
            dtype="float32",
            name="logits" if labels is None else "realness",
        )(flat)
        if labels is not None:
            logits = project_labels(logits, x, labels, num_classes)
        arguments = {
            "image_shape": image_shape,
            "filters": filters,
            "num_classes": num_classes,
            "attribute_ranges": ranges,
            "minibatch_stddev": minibatch_stddev,
        }
        super().__init__(inputs, logits, arguments=arguments, policy=policy, name=name)
