"""FastGAN: few images, one GPU, up to 512 px (Liu et al. 2021)."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import layers, ops

from kgan.errors import InputError
from kgan.layers import draws
from kgan.models.fastgan_blocks import SLOPE, conv, decoder, excite, gated, grow, judged, shrink
from kgan.models.networks import (
    DType,
    ImageShape,
    Network,
    check_doubling_shape,
    check_positive,
    network_dtype,
    small_normal,
)
from kgan.tensors import Tensor

SIDES = {"smallest": 32, "largest": 512}
SMALLEST_WIDTH = 8  # below, maps of 512 px would have less than two channels
# Shorter side of the maps -> channels in units of `filters`.
GENERATOR_WIDTHS = {4: 16, 8: 8, 16: 4, 32: 2, 64: 2, 128: 1, 256: 0.5, 512: 0.25}
DISCRIMINATOR_WIDTHS = {8: 8, 16: 4, 32: 2, 64: 1, 128: 0.5, 256: 0.25}
LARGEST_JUDGED = 256  # maps of the discriminator
DOUBLE_CONVS = (8, 32, 128, 512)  # sides at which the generator has two convolutions, not one
EXCITED_BY = 16  # the side of the maps that excite is so many times smaller
QUARTERS = 4
LARGEST_DECODED = 128


def check_sizes(image_shape: Any, filters: Any) -> tuple[ImageShape, int, tuple[int, int]]:
    """`check_doubling_shape` of a checked shape, and a checked width.

    Raises:
        InputError: a shape or width that the networks cannot be built with.
    """
    sizes = check_doubling_shape(image_shape, **SIDES)
    check_positive(filters=filters)
    if filters < SMALLEST_WIDTH:
        raise InputError(
            f"filters of fastgan must be at least {SMALLEST_WIDTH}. Received: {filters}"
        )
    return sizes


@keras.saving.register_keras_serializable(package="kgan")
class FastGANGenerator(Network):
    """Latents to images: gated convolutions, and gates from maps a sixteenth of the side.

    The base has 16 `filters` channels; at the sides 8, 16, 32, 64, 128, 256 and 512 it is 8, 4,
    2, 2, 1, 1/2 and 1/4 of `filters`. Each doubling repeats pixels; every second one has two 3x3
    convolutions, the others one, each with batch normalisation and a gated linear unit. From 64
    on skip-layer excitation multiplies each channel by a gate from the maps of 4, 8, 16 and 32.
    The published code adds noise to the maps; here an image is a function of its latent alone.
    One image is made, of the full size, and weights start from N(0, 0.02).

    Args:
        image_shape: (H, W, C); the shorter of H and W is 32, 64, 128, 256 or 512, the longer, at
            most 512, a multiple of a quarter of it; C from 1 to 8. At 32 nothing is excited.
        latent_dim: length of a latent vector.
        filters: unit of width, at least 8; the published code's networks have 64.
        dtype: dtype policy of the layers; Keras's global one when None. The
            output is float32 under any policy.

    Input: float32 (B, latent_dim). Output: float32 (B, H, W, C) in [-1, 1].

    Raises:
        InputError: an argument that the network cannot be built with.

    Reference:
        Liu et al. 2021, section 3.1 and figure 3, https://arxiv.org/abs/2101.04775
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (256, 256, 3),
        latent_dim: int = 256,
        filters: int = 64,
        dtype: DType = None,
        name: str | None = None,
    ) -> None:
        image_shape, doublings, base = check_sizes(image_shape, filters)
        check_positive(latent_dim=latent_dim)
        policy = network_dtype(dtype)

        # === Functional graph ===
        latents = keras.Input((latent_dim,), dtype="float32", name="latents")
        width = 2 * filters * GENERATOR_WIDTHS[4]
        x = layers.Dense(
            base[0] * base[1] * width,
            use_bias=False,
            kernel_initializer=small_normal(),
            dtype=policy,
            name="project",
        )(latents)
        x = layers.Reshape((*base, width), dtype=policy, name="base")(x)
        maps = {4: gated(x, policy, "base")}
        for side in (4 * 2**step for step in range(1, doublings + 1)):
            x = grow(
                maps[side // 2],
                int(filters * GENERATOR_WIDTHS[side]),
                policy,
                f"grow_{side}",
                convs=2 if side in DOUBLE_CONVS else 1,
            )
            low = maps.get(side // EXCITED_BY)
            maps[side] = x if low is None else excite(low, x, policy, f"skip_{side}")
        x = conv(maps[side], image_shape[2], 3, policy, "to_image")
        images = layers.Activation("tanh", dtype="float32", name="images")(x)
        arguments = {"image_shape": image_shape, "latent_dim": latent_dim, "filters": filters}
        super().__init__(latents, images, arguments=arguments, policy=policy, name=name)


@keras.saving.register_keras_serializable(package="kgan")
class FastGANDiscriminator(Network):
    """Images to logits, and decoders that learn to give real images back from its features.

    Residual halvings down to maps of side 8, every convolution with spectral normalisation; at
    the sides 256, 128, 64, 32, 16 and 8 they have 1/4, 1/2, 1, 2, 4 and 8 times `filters`
    channels. A 1x1 and a 4x4 convolution make a map of logits (5x5 of a square image), whose
    mean is the image's logit: the losses judge an image, not its places, as those of all kgan's
    discriminators do; the published code takes the hinge loss of each place.

    In training two decoders learn with it, on real images alone: one gives the whole image back
    from the maps of side 8, one a quarter of it from that quarter of the maps of side 16. They
    make it describe all of what it sees, which few images do not teach by themselves. The paper
    compares by a trained network (LPIPS); here it is the mean absolute difference.

    Args:
        image_shape: as for `FastGANGenerator`.
        filters: unit of width, at least 8; the published code's networks have 64.
        dtype: dtype policy of the layers; Keras's global one when None. The
            logits are float32 under any policy.

    Input: float32 (B, H, W, C). Output: float32 (B, 1), logits.

    Raises:
        InputError: an argument that the network cannot be built with.

    Reference:
        Liu et al. 2021, section 3.2 and figure 4, https://arxiv.org/abs/2101.04775
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (256, 256, 3),
        filters: int = 64,
        dtype: DType = None,
        name: str | None = None,
    ) -> None:
        image_shape, doublings, _ = check_sizes(image_shape, filters)
        policy = network_dtype(dtype)
        side = 4 * 2**doublings

        # === Functional graph ===
        images = keras.Input(image_shape, dtype="float32", name="images")
        halves = side > LARGEST_JUDGED
        side = min(side, LARGEST_JUDGED)
        x = conv(
            images,
            int(filters * DISCRIMINATOR_WIDTHS[side]),
            4 if halves else 3,
            policy,
            "from_image",
            strides=2 if halves else 1,
            spectral=True,
        )
        maps = {side: layers.LeakyReLU(SLOPE, dtype=policy, name="from_image_leaky_relu")(x)}
        while side > 8:
            side //= 2
            width = int(filters * DISCRIMINATOR_WIDTHS[side])
            maps[side] = shrink(maps[2 * side], width, policy, f"shrink_{side}")
        x = judged(maps[8], 16 * filters, 1, policy, "judge")
        x = conv(x, 1, 4, "float32", "logit_map", padding="valid", spectral=True)
        x = layers.GlobalAveragePooling2D(
            data_format="channels_last", dtype="float32", name="mean"
        )(x)
        logits = layers.Activation("linear", dtype="float32", name="logits")(x)
        arguments = {"image_shape": image_shape, "filters": filters}
        super().__init__(images, logits, arguments=arguments, policy=policy, name=name)

        # === What it learns beside ===
        detail, whole = maps[16], maps[8]
        most = (LARGEST_DECODED // 8).bit_length() - 1
        sizes = (filters, image_shape[2], policy)
        self.decode_whole = decoder(whole, min(doublings - 1, most), *sizes, "decode_whole")
        self.decode_part = decoder(
            _quarters(detail)[0], min(doublings - 2, most), *sizes, "decode_part"
        )
        # A function, as Keras would save the layers of a model a second time.
        seen = keras.Model(images, [logits, detail, whole])
        self._seen: Callable[[], keras.Model] = lambda: seen

    def also_run(self) -> list[keras.Model]:
        """The models that it runs and that are not among its layers."""
        return [self._seen()]

    def logits_and_own_loss(
        self, images: Tensor, seed: Tensor, training: bool = True
    ) -> tuple[Tensor, Tensor]:
        """The logits, and how far the decoders' images are from those that they are of.

        Args:
            images: float tensor (B, H, W, C), in [-1, 1].
            seed: int tensor (2,), from which the quarter is drawn, one for the batch.
            training: as for any Keras layer.

        Returns:
            (float32 (B, 1), float32 scalar >= 0): the sum of two means of absolute differences,
            at most 128 px on the shorter side each.
        """
        logits, detail, whole = self._seen()(images, training=training)
        drawn = draws.below(seed, QUARTERS)
        part, image_part = (ops.stack(_quarters(x))[drawn] for x in (detail, images))
        loss = _difference(self.decode_whole(whole, training=training), images)
        return logits, loss + _difference(self.decode_part(part, training=training), image_part)


def _quarters(x: Any) -> list[Any]:
    """Top left, top right, bottom left, bottom right of maps (B, H, W, C)."""
    rows, columns = x.shape[1] // 2, x.shape[2] // 2
    halves = (x[:, :rows], x[:, rows:])
    return [part for half in halves for part in (half[:, :, :columns], half[:, :, columns:])]


def _difference(decoded: Tensor, images: Tensor) -> Tensor:
    """The mean absolute difference from the images averaged down to the decoded ones' size."""
    step = images.shape[1] // decoded.shape[1]
    images = ops.cast(images, "float32")
    if step > 1:
        images = ops.average_pool(images, step, step, "valid", "channels_last")
    return ops.mean(ops.abs(decoded - images))
