"""Differentiable augmentation of real and fake images inside the train step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from kgan.channels import ALPHA, PICTURES
from kgan.errors import InputError
from kgan.layers import colour_augment, geometric_augment
from kgan.layers.draws import PerImage
from kgan.tensors import Tensor, means

SHIFT_SHARE = 1 / 8
CUTOUT_SHARE = 1 / 2


def jitter_colour(
    images: Tensor, brightness: Tensor, saturation: Tensor, contrast: Tensor
) -> Tensor:
    """Changes the brightness, then the saturation, then the contrast of each image.

    Args:
        images: float tensor (B, H, W, C) in [-1, 1]; of four channels the last, alpha, stays.
            Channels that make no picture have no saturation.
        brightness: tensor (B,), added.
        saturation: tensor (B,), multiplies each pixel's distance from its grey.
        contrast: tensor (B,), multiplies each pixel's distance from the image's mean.

    Returns:
        Tensor of the same shape; values may leave [-1, 1].

    Reference:
        Zhao et al. 2020, section 3.2, https://arxiv.org/abs/2006.10738
    """
    if images.shape[-1] == ALPHA:
        colours = jitter_colour(images[..., :3], brightness, saturation, contrast)
        return ops.concatenate([colours, images[..., 3:]], axis=-1)
    images += _each(brightness, images)
    if images.shape[-1] in PICTURES:
        grey = means(images, (3,))
        images = grey + _each(saturation, images) * (images - grey)
    mean = means(images, (1, 2, 3))
    return mean + _each(contrast, images) * (images - mean)


def shift(images: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Moves each image by whole pixels; uncovered pixels become 0, mid grey.

    Args:
        images: float tensor (B, H, W, C) in [-1, 1].
        down, right: int tensors (B,); negative values move up and to the left.

    Returns:
        Tensor of the same shape.

    Reference:
        Zhao et al. 2020, section 3.2, https://arxiv.org/abs/2006.10738
    """
    rows = _moving(down, ops.shape(images)[1], images.dtype)
    columns = _moving(right, ops.shape(images)[2], images.dtype)
    # Products with 0/1 matrices compile and differentiate everywhere, any number of times.
    return ops.einsum("bij,bjkc,blk->bilc", rows, images, columns)


def _moving(steps: Tensor, size: Tensor, dtype: Any) -> Tensor:
    """0/1 matrices (B, size, size) that move a line by `steps` pixels."""
    places = ops.arange(size)
    source = places[None, :, None] - ops.cast(steps, "int32")[:, None, None]
    return ops.cast(source == places[None, None, :], dtype)


def cut_out(images: Tensor, middle_row: Tensor, middle_column: Tensor) -> Tensor:
    """Sets a rectangle with half the image's sides to 0, mid grey, clipped at the edges.

    Args:
        images: float tensor (B, H, W, C) in [-1, 1].
        middle_row, middle_column: int tensors (B,), the centre of the rectangle.

    Returns:
        Tensor of the same shape.

    Reference:
        Zhao et al. 2020, section 3.2, https://arxiv.org/abs/2006.10738
    """

    def covered(middle: Tensor, size: Tensor) -> Tensor:
        length = ops.cast(ops.round(CUTOUT_SHARE * ops.cast(size, "float32")), "int32")
        first = (ops.cast(middle, "int32") - length // 2)[:, None]
        places = ops.arange(size)[None]
        return (places >= first) & (places < first + length)

    rows = covered(middle_row, ops.shape(images)[1])
    columns = covered(middle_column, ops.shape(images)[2])
    kept = ~(rows[:, :, None] & columns[:, None, :])
    return images * ops.cast(kept, images.dtype)[..., None]


def _colour(images: Tensor, draw: PerImage) -> Tensor:
    return jitter_colour(
        images, draw.uniform(-0.5, 0.5), draw.uniform(0.0, 2.0), draw.uniform(0.5, 1.5)
    )


def _translation(images: Tensor, draw: PerImage) -> Tensor:
    def steps(axis: int) -> Tensor:
        most = ops.cast(ops.shape(images)[axis], "float32") * SHIFT_SHARE
        return ops.cast(ops.round(draw.uniform(-1.0, 1.0) * most), "int32")

    return shift(images, steps(1), steps(2))


def _cutout(images: Tensor, draw: PerImage) -> Tensor:
    def middle(axis: int) -> Tensor:
        size = ops.cast(ops.shape(images)[axis], "float32")
        return ops.cast(draw.uniform(0.0, 1.0) * size, "int32")

    return cut_out(images, middle(1), middle(2))


def _each(numbers: Tensor, images: Tensor) -> Tensor:
    return ops.cast(numbers, images.dtype)[:, None, None, None]


# Zhao et al.'s, each by itself; those of ADA's pipe are composed, the geometric and the colours.
KINDS = {"color": _colour, "translation": _translation, "cutout": _cutout}
COMPOSED = {
    geometric_augment.NAMES: geometric_augment.change_geometry,
    colour_augment.NAMES: colour_augment.change_colour,
}
NAMES = (*KINDS, *geometric_augment.NAMES, *colour_augment.NAMES)
# Pixel blitting, geometry and colour: what the paper recommends.
SETS = {"bgc": (*geometric_augment.NAMES, *colour_augment.NAMES)}
TURNS = ("flip", "rotate90")  # after which other attributes can be true of an image


def without_turns(policy: str) -> str:
    """A policy without mirror images and quarter turns; one that has none stays as it is."""
    words = policy.split(",")
    if not any(name in TURNS for word in words for name in SETS.get(word, (word,))):
        return policy
    names = [name for word in words for name in SETS.get(word, (word,))]
    return ",".join(name for name in names if name not in TURNS)


@keras.saving.register_keras_serializable(package="kgan")
class DiffAugment(keras.layers.Layer):
    """Randomly changes every image that the discriminator sees, real or fake.

    Gradients flow through it to the generator, which therefore does not learn to
    imitate the changes. With `target` its strength adapts: `probability`, the share of
    images that each change is applied to, starts at 0, rises while the discriminator is
    surer of real images than the target and falls while it is less sure, by at most 1
    in `adapt_images` real images.

    Changes whose outcomes are all equally likely ("flip", "rotate90", "rotation",
    "luma_flip" and "hue") do not leak into what is drawn as long as more images stay as they
    are; at a `probability` of 1 nothing tells a mirrored image from one that is not, and the
    generator may draw either. Up to 0.8 the paper saw no leak.

    Zhao et al.'s changes are "color", "translation" and "cutout", which is ADA's too. Changes of
    colour leave alpha, the last of four channels, as it is; of 2 and of 5 to 8 channels each is
    taken as grey. ADA's pipe, in images from -1 to 1, N a number of N(0, 1):

    - "flip" mirrors left and right, of every second image; "rotate90" turns by 0, 90, 180
      or 270 degrees; "integer_shift" moves by up to an eighth of the sides, by whole pixels;
    - "scale" enlarges by 2**(0.2 N); "rotation" turns by any angle, before the next and
      after it; "anisotropy" stretches by 2**(0.2 N) to the side and shrinks by as much in height;
      "fractional_shift" moves by N eighths of the sides. The mirror image lies beyond an edge;
    - "brightness" adds 0.2 N; "contrast" multiplies by 2**(0.5 N); "luma_flip" turns light into
      dark, of every second image; "hue" turns the colours by any angle about the grey
      axis; "saturation" multiplies the distance from it by 2**N. The last two leave grey images;
    - "bgc" is all of these twelve, the paper's choice.

    Args:
        policy: comma-separated changes, applied in this order; those of the pipe's geometry,
            and those of its colours, are composed in the paper's order into one change, at
            the place of the first.
        target: None for a `probability` that does not adapt; else the mean sign of the
            logits on real images to maintain, 0.6 in the paper.
        adapt_images: number of real images in which `probability` can go from 0 to 1.
        value_range: (low, high) of the images.
        probability: share of images, from 0 to 1, that each change is applied to at first,
            where there is no target. Below 1 the variable `probability` can be assigned; at
            1 every image is changed always.

    Called as `layer(images, seed)` with float images (B, H, W, C) and an int
    tensor (2,); the same seed changes them in the same way, however the batch
    is divided among the replicas of a strategy.

    Raises:
        InputError: a change is unknown, the target is outside -1 to 1, `adapt_images` is
            below 1, or the probability is outside 0 to 1 or given beside a target.

    Reference:
        Zhao et al. 2020, https://arxiv.org/abs/2006.10738; the adaptive
        strength: Karras et al. 2020, section 3, https://arxiv.org/abs/2006.06676, and
        the pipe: appendix B
    """

    EVERYTHING = "color,translation,cutout"  # of Zhao et al.'s
    ADA = "bgc"

    def __init__(
        self,
        policy: str = EVERYTHING,
        target: float | None = None,
        adapt_images: int = 500_000,
        value_range: Sequence[float] = (-1.0, 1.0),
        probability: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **kwargs)
        unknown = [name for name in policy.split(",") if name not in (*NAMES, *SETS)]
        if unknown:
            raise InputError(
                f"A DiffAugment policy lists some of {', '.join((*NAMES, *SETS))}. "
                f"Received: {policy!r}"
            )
        if target is not None and not -1.0 < target < 1.0:
            raise InputError(f"target must be between -1 and 1. Received: {target!r}")
        if not adapt_images >= 1:
            raise InputError(f"adapt_images must be at least 1. Received: {adapt_images!r}")
        if not 0.0 <= probability <= 1.0:
            raise InputError(f"probability must be from 0 to 1. Received: {probability!r}")
        if target is not None and probability != 1.0:
            raise InputError(
                "With a target the probability starts at 0 and adapts: give one of them. "
                f"Received: target={target!r}, probability={probability!r}"
            )
        self.policy = policy
        self.target = target
        self.adapt_images = adapt_images
        self.value_range = tuple(value_range)
        self.first_probability = probability
        self.probability = self.add_weight(
            name="probability",
            shape=(),
            initializer=keras.initializers.Constant(probability if target is None else 0.0),
            trainable=False,
            dtype="float32",
            autocast=False,  # compared with float32 draws, under a mixed policy too
        )
        self.built = True

    def call(self, images: Tensor, seed: Tensor) -> Tensor:
        low, high = self.value_range
        images = (images - low) * (2.0 / (high - low)) - 1.0
        draw = PerImage(seed, ops.shape(images)[0])
        always = self.target is None and self.first_probability == 1.0
        for change, names in _steps(self.policy):
            if names:
                images = change(images, names, draw, 1.0 if always else self.probability)
            elif always:
                images = change(images, draw)
            else:
                changed = change(images, draw)
                chosen = draw.uniform(0.0, 1.0) < self.probability
                images = ops.where(chosen[:, None, None, None], changed, images)
        return (images + 1.0) * ((high - low) / 2.0) + low

    def adapt(self, mean_sign: Tensor, count: int | Tensor) -> None:
        """Adapts `probability` after one batch, so that `mean_sign` moves towards the target.

        Args:
            mean_sign: scalar float tensor, the mean sign of the logits on the real images.
            count: number of real images in the batch.
        """
        if self.target is None:
            return
        direction = ops.sign(mean_sign - self.target)
        # Logits that are not finite belong to a step that will be skipped.
        direction = ops.where(ops.isfinite(direction), direction, 0.0)
        step = ops.cast(count, "float32") / self.adapt_images
        self.probability.assign(ops.clip(self.probability + direction * step, 0.0, 1.0))

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "policy": self.policy,
            "target": self.target,
            "adapt_images": self.adapt_images,
            "value_range": self.value_range,
            "probability": self.first_probability,
        }


def _steps(policy: str) -> list[tuple[Callable[..., Tensor], tuple[str, ...]]]:
    """What is done one after the other: a change, and the names that it composes, if it does."""
    names = [name for word in policy.split(",") for name in SETS.get(word, (word,))]
    steps: list[tuple[Callable[..., Tensor], tuple[str, ...]]] = []
    for name in names:
        if name in KINDS:
            steps.append((KINDS[name], ()))
            continue
        kind = next(each for each in COMPOSED if name in each)
        step = COMPOSED[kind], tuple(each for each in kind if each in names)
        if step not in steps:
            steps.append(step)
    return steps
