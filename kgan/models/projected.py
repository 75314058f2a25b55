"""Projected GAN's discriminator: four judges of a frozen network's features (Sauer et al. 2021)."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import keras
from keras import layers

from kgan.errors import InputError
from kgan.models.fastgan_blocks import SLOPE, conv
from kgan.models.lite0_features import lite0_maps
from kgan.models.networks import (
    LARGEST_SIDE,
    DType,
    Network,
    batch_normalization,
    check_image_shape,
    check_positive,
    enlarged,
    network_dtype,
)
from kgan.pretrained.lite0_weights import SHA256, load_weights

SIDES = {"multiple": 4, "smallest": 16, "largest": LARGEST_SIDE}
SEEN = 128  # smaller images are enlarged to so much, on the shorter side
JUDGED = 8  # side of the maps that a judge's last convolution takes
# Side of a judge's maps -> channels in units of `filters`, from its second maps on.
JUDGE_WIDTHS = {8: 8, 16: 4, 32: 2, 64: 1, 128: 1}


@keras.saving.register_keras_serializable(package="kgan")
class ProjectedDiscriminator(Network):
    """Images to logits of four judges, who see random mixtures of a trained network's features.

    EfficientNet-lite0, trained on photographs and frozen, gives maps of a quarter to a 32nd of
    the side. Frozen random 1x1 convolutions mix their channels (1, 2, 4 and 8 times `filters`);
    from the smallest maps up, each is doubled, mixed by another frozen random convolution and
    added to the next larger one. On each of the four mixtures a judge of its own learns: 4x4
    convolutions that halve down to maps of 8, with spectral and batch normalisation and
    LeakyReLU 0.2, then one to a map of logits, 5x5 of a square image. The loss takes each logit
    by itself; where an image is judged as a whole, their mean counts.

    Images whose shorter side is below 128 are enlarged to 128 or a little more by a whole factor;
    the published code enlarges to 224. Making one needs `kgan[metrics]`, which has the weights;
    a saved one brings its own.

    Args:
        image_shape: (H, W, C); H and W multiples of 4 from 16 to 256, C 1 or 3.
        filters: unit of width; the published code has 64.
        value_range: (low, high) of the images.
        dtype: dtype policy of the layers; Keras's global one when None. The
            logits are float32 under any policy.
        pretrained: False for zeros in the place of the trained network's weights, where those of
            a file come after.

    Input: float32 (B, H, W, C). Output: float32 (B, N), logits, N 100 for a square image.

    Raises:
        InputError: an argument that the network cannot be built with, or no weights.

    Reference:
        Sauer et al. 2021, section 3, https://arxiv.org/abs/2111.01007
    """

    gives_several_logits: ClassVar = True
    features_sha256: ClassVar = SHA256  # of the weights that it sees with

    def __init__(
        self,
        image_shape: Sequence[int] = (64, 64, 3),
        filters: int = 64,
        value_range: Sequence[float] = (-1.0, 1.0),
        dtype: DType = None,
        name: str | None = None,
        pretrained: bool = True,
    ) -> None:
        image_shape = check_image_shape(image_shape, **SIDES)
        check_positive(filters=filters)
        if image_shape[2] not in (1, 3):
            raise InputError(
                "The projected discriminator sees grey or colour images, of 1 or 3 channels. "
                f"Received: {image_shape[2]}"
            )
        low, high = map(float, value_range)
        if not low < high:
            raise InputError(f"value_range must be (low, high). Received: {value_range!r}")
        policy = network_dtype(dtype)

        # === Functional graph ===
        images = keras.Input(image_shape, dtype="float32", name="images")
        x = images
        if image_shape[-1] == 1:
            x = layers.Concatenate(dtype=policy, name="grey_as_colour")([x, x, x])
        factor = -(-SEEN // min(image_shape[:2]))
        if factor > 1:
            x = enlarged(x, factor, "enlarge")
        maps = lite0_maps(x, (low, high), load_weights() if pretrained else None, policy)
        mixed = _mixed(maps, filters, policy)
        logit_maps = [_judge(x, filters, policy, f"judge_{index}") for index, x in enumerate(mixed)]
        flat = [
            layers.Flatten("channels_last", dtype="float32", name=f"judge_{index}_flat")(logits)
            for index, logits in enumerate(logit_maps)
        ]
        logits = layers.Concatenate(dtype="float32", name="logits")(flat)
        arguments = {
            "image_shape": image_shape,
            "filters": filters,
            "value_range": [low, high],  # as JSON gives it back
        }
        super().__init__(images, logits, arguments=arguments, policy=policy, name=name)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**config, pretrained=False)


def _mixed(
    maps: Sequence[keras.KerasTensor], filters: int, policy: keras.DTypePolicy
) -> list[keras.KerasTensor]:
    """Random mixtures across channels and across scales, the largest maps first.

    Reference:
        Sauer et al. 2021, section 3.2: cross-channel and cross-scale mixing.
    """
    widths = [filters * 2**index for index in range(len(maps))]
    across_channels = [
        _random_conv(x, width, policy, f"mix_channels_{index}")
        for index, (x, width) in enumerate(zip(maps, widths, strict=True))
    ]
    mixed: list[keras.KerasTensor] = []
    for index in reversed(range(len(maps))):
        x = across_channels[index]
        if mixed:
            x = layers.Add(dtype=policy, name=f"add_scales_{index}")(
                [x, _cut(mixed[0], x, policy, f"cut_{index}")]
            )
        x = enlarged(x, 2, f"enlarge_{index}")
        mixed.insert(0, _random_conv(x, widths[max(index - 1, 0)], policy, f"mix_scales_{index}"))
    return mixed


def _random_conv(
    x: keras.KerasTensor, channels: int, policy: keras.DTypePolicy, name: str
) -> keras.KerasTensor:
    """A 1x1 convolution that is drawn once (He et al. 2015) and never trained."""
    return layers.Conv2D(
        channels,
        1,
        use_bias=False,
        kernel_initializer=keras.initializers.HeNormal(),
        data_format="channels_last",
        dtype=policy,
        trainable=False,
        name=name,
    )(x)


def _cut(
    x: keras.KerasTensor, like: keras.KerasTensor, policy: keras.DTypePolicy, name: str
) -> keras.KerasTensor:
    """`x` without the rows and columns that it has more: an odd side is rounded up when halved."""
    rows, columns = (x.shape[axis] - like.shape[axis] for axis in (1, 2))
    if not rows and not columns:
        return x
    return layers.Cropping2D(
        ((0, rows), (0, columns)), data_format="channels_last", dtype=policy, name=name
    )(x)


def _judge(
    x: keras.KerasTensor, filters: int, policy: keras.DTypePolicy, name: str
) -> keras.KerasTensor:
    """A discriminator of one mixture: halvings, then a map of logits."""
    while min(x.shape[1:3]) >= 2 * JUDGED:
        half = min(x.shape[1:3]) // 2
        side = max(JUDGED, 2 ** (half.bit_length() - 1))  # the power of two not above it
        place = f"{name}_shrink_{side}"
        x = conv(x, filters * JUDGE_WIDTHS[side], 4, policy, place, strides=2, spectral=True)
        x = batch_normalization(policy, f"{place}_norm")(x)
        x = layers.LeakyReLU(SLOPE, dtype=policy, name=f"{place}_leaky_relu")(x)
    return conv(x, 1, 4, "float32", f"{name}_logits", padding="valid", spectral=True)
