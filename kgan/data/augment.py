"""Augmentation of batches on tf.data; it changes what the generator learns to draw."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from kgan.channels import ALPHA
from kgan.data import transforms
from kgan.errors import InputError

Range = tuple[float, float]
Uniform = Callable[[Any, Any], tf.Tensor]  # (least, most) -> one number per image


@dataclasses.dataclass(frozen=True)
class Kind:
    """What an augmentation does, and the strengths it takes.

    Attributes:
        change: maps images, strength, a source of uniform random numbers and
            the value range to changed images.
        strength: the default; None where there is nothing to set.
        low, high: least and largest strength.
        meaning: what the strength means, as messages say it.
        probability: the default share of images that are changed.
    """

    change: Callable
    strength: float | None = None
    low: float = 0.0
    high: float = 1.0
    meaning: str = ""
    probability: float = 1.0


def _flip(images: tf.Tensor, strength: Any, uniform: Uniform, value_range: Range) -> tf.Tensor:
    return tf.reverse(images, [2])


def _crop(images: tf.Tensor, strength: Any, uniform: Uniform, value_range: Range) -> tf.Tensor:
    share = uniform(strength, 1.0)
    top, left = uniform(0.0, 1.0) * (1.0 - share), uniform(0.0, 1.0) * (1.0 - share)
    boxes = tf.stack([top, left, top + share, left + share], axis=1)
    count, size = tf.shape(images)[0], tf.shape(images)[1:3]
    return tf.image.crop_and_resize(images, boxes, tf.range(count), size)


def _rotate(images: tf.Tensor, strength: Any, uniform: Uniform, value_range: Range) -> tf.Tensor:
    return transforms.rotate(images, uniform(-strength, strength), fill=None)


def _translate(images: tf.Tensor, strength: Any, uniform: Uniform, value_range: Range) -> tf.Tensor:
    height, width = tf.unstack(tf.cast(tf.shape(images)[1:3], tf.float32))
    down, right = uniform(-strength, strength) * height, uniform(-strength, strength) * width
    return transforms.translate(images, down, right, fill=None)


def _zoom(images: tf.Tensor, strength: Any, uniform: Uniform, value_range: Range) -> tf.Tensor:
    return transforms.zoom(images, uniform(1.0 - strength, 1.0 + strength), fill=None)


def _shear(images: tf.Tensor, strength: Any, uniform: Uniform, value_range: Range) -> tf.Tensor:
    return transforms.shear(images, 0.0, uniform(-strength, strength), fill=None)


def _colours(images: tf.Tensor, change: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
    """Images whose channels are changed, but for alpha."""
    if images.shape[-1] != ALPHA:
        return change(images)
    return tf.concat([change(images[..., :3]), images[..., 3:]], axis=-1)


def _brightness(
    images: tf.Tensor, strength: Any, uniform: Uniform, value_range: Range
) -> tf.Tensor:
    low, high = value_range
    added = _each(uniform(-strength, strength)) * (high - low)
    return _colours(images, lambda colours: colours + added)


def _contrast(images: tf.Tensor, strength: Any, uniform: Uniform, value_range: Range) -> tf.Tensor:
    factor = _each(uniform(1.0 - strength, 1.0 + strength))

    def change(colours: tf.Tensor) -> tf.Tensor:
        middle = tf.reduce_mean(colours, axis=(1, 2, 3), keepdims=True)
        return middle + factor * (colours - middle)

    return _colours(images, change)


def _saturation(
    images: tf.Tensor, strength: Any, uniform: Uniform, value_range: Range
) -> tf.Tensor:
    factor = _each(uniform(1.0 - strength, 1.0 + strength))

    def change(colours: tf.Tensor) -> tf.Tensor:
        grey = tf.reduce_mean(colours, axis=3, keepdims=True)
        return grey + factor * (colours - grey)

    return _colours(images, change) if _has_colours(images) else images


def _hue(images: tf.Tensor, strength: Any, uniform: Uniform, value_range: Range) -> tf.Tensor:
    low, high = value_range
    turns = uniform(-strength, strength)

    def change(colours: tf.Tensor) -> tf.Tensor:
        turned = tf.map_fn(
            lambda pair: tf.image.adjust_hue(pair[0], pair[1]),
            ((colours - low) / (high - low), turns),
            fn_output_signature=tf.float32,
        )
        return turned * (high - low) + low

    return _colours(images, change) if _has_colours(images) else images


def _has_colours(images: tf.Tensor) -> bool:
    return images.shape[-1] in (3, ALPHA)


def _cutout(images: tf.Tensor, strength: Any, uniform: Uniform, value_range: Range) -> tf.Tensor:
    height, width = tf.unstack(tf.cast(tf.shape(images)[1:3], tf.float32))
    tall, wide = strength * height, strength * width
    # The centre can be anywhere, so that edges are covered as often as the rest.
    top, left = uniform(0.0, 1.0) * height - tall / 2, uniform(0.0, 1.0) * width - wide / 2
    grey = (value_range[0] + value_range[1]) / 2
    return transforms.cutout(images, tf.round(top), tf.round(left), tall, wide, grey)


def _each(numbers: tf.Tensor) -> tf.Tensor:
    """Numbers (B,) as factors of images (B, H, W, C)."""
    return numbers[:, None, None, None]


SIDES = "share of height and width"
AUGMENTATIONS = {
    "flip": Kind(_flip, probability=0.5),
    "crop": Kind(_crop, 0.9, 0.1, 1.0, f"least {SIDES} that is kept"),
    "rotate": Kind(_rotate, 10.0, 0.0, 180.0, "most degrees either way"),
    "translate": Kind(_translate, 0.1, 0.0, 1.0, f"most {SIDES} either way"),
    "zoom": Kind(_zoom, 0.1, 0.0, 0.9, "most that the size changes by, either way"),
    "shear": Kind(_shear, 0.1, 0.0, 1.0, "most pixels from row to row, either way"),
    "brightness": Kind(_brightness, 0.1, 0.0, 1.0, "most share of the range, either way"),
    "contrast": Kind(_contrast, 0.2, 0.0, 1.0, "most change of the factor, either way"),
    "saturation": Kind(_saturation, 0.2, 0.0, 1.0, "most change of the factor, either way"),
    "hue": Kind(_hue, 0.05, 0.0, 0.5, "most turn of the colour circle, either way"),
    "cutout": Kind(_cutout, 0.25, 0.0, 1.0, f"{SIDES} of the grey rectangle"),
}
# "all" stands for what makes pictures that could be of the same set: another frame, exposure or
# colour of the light. The others leave a trace, a mirrored edge or a rectangle, or a slant.
ALL = "all"
SAFE = ("flip", "crop", "brightness", "contrast", "saturation", "hue")


class Augmentation:
    """One random change of images, each image by its own amount.

    Args:
        name: a key of `AUGMENTATIONS`.
        strength: how much at most; None for the default. See `AUGMENTATIONS`.
        probability: share of the images that are changed; None for the default.

    Raises:
        InputError: an unknown name, or a number outside its range.
    """

    def __init__(
        self, name: str, strength: float | None = None, probability: float | None = None
    ) -> None:
        if name not in AUGMENTATIONS:
            raise InputError(
                f"Unknown augmentation. Known: {', '.join(AUGMENTATIONS)}, and {ALL} without "
                f"numbers. Received: {name!r}"
            )
        self.kind = kind = AUGMENTATIONS[name]
        if strength is not None and kind.strength is None:
            raise InputError(f"{name} has no strength. Received: {strength!r}")
        self.name = name
        self.strength = kind.strength if strength is None else strength
        self.probability = kind.probability if probability is None else probability
        if self.strength is not None and not kind.low <= self.strength <= kind.high:
            raise InputError(
                f"The strength of {name} ({kind.meaning}) must be from {kind.low:g} to "
                f"{kind.high:g}. Received: {strength!r}"
            )
        if not 0.0 <= self.probability <= 1.0:
            raise InputError(f"A probability must be from 0 to 1. Received: {probability!r}")

    def __call__(
        self,
        images: tf.Tensor,
        seed: tf.Tensor,
        value_range: Range = (-1.0, 1.0),
        part: tuple[int, int] | None = None,
    ) -> tf.Tensor:
        """Changes images; the same seed changes them in the same way.

        Args:
            images: float32 tensor (B, H, W, C), or one image (H, W, C).
            seed: int64 tensor (2,).
            value_range: (low, high) that stands for black and white; what
                would lie outside is clipped.
            part: (which row of its batch the first image is, how many the batch has), where
                they are a part of one: they are changed as they are in the whole.

        Returns:
            Tensor of the same shape.
        """
        images = tf.convert_to_tensor(images)
        if images.shape.rank == 3:
            return self(images[tf.newaxis], seed, value_range)[0]
        count = tf.shape(images)[0]
        first, total = part or (0, count)
        draws = iter(range(100))

        def uniform(low: Any, high: Any) -> tf.Tensor:
            # Each draw has its own seed: the amounts must not be correlated.
            own = tf.random.experimental.stateless_fold_in(seed, next(draws))
            return tf.random.stateless_uniform([total], own, low, high)[first : first + count]

        chosen = uniform(0.0, 1.0) < self.probability
        changed = self.kind.change(images, self.strength, uniform, value_range)
        changed = tf.clip_by_value(changed, *value_range)
        return tf.ensure_shape(tf.where(chosen[:, None, None, None], changed, images), images.shape)


AnyAugmentation = str | Augmentation | Callable[[tf.Tensor], tf.Tensor]


def parse(text: str) -> Augmentation:
    """The augmentation that "NAME", "NAME=STRENGTH" or "NAME=STRENGTH:PROBABILITY" means.

    Raises:
        InputError: another form, an unknown name, or a number outside its range.
    """
    name, *rest = text.split("=")
    numbers = rest[0].split(":") if rest else [""]
    try:
        strength, *probability = [float(n) if n else None for n in numbers]
        if len(rest) > 1 or len(probability) > 1:
            raise ValueError
    except (TypeError, ValueError):
        raise InputError(
            f"An augmentation is NAME, NAME=STRENGTH or NAME=STRENGTH:PROBABILITY. Received: {text}"
        ) from None
    return Augmentation(name, strength, *probability)


def expanded(augment: Any, may_mirror: Callable[[], bool]) -> Any:
    """Puts the names of `SAFE` in the place of "all".

    Args:
        augment: what `check` takes, with "all" among it or not.
        may_mirror: tells whether left and right do not matter in the pictures; asked
            only where "flip" hangs on it.

    Returns:
        Likewise, without "all". What is listed itself, with a strength of its own
        perhaps, is not added again.
    """
    if not isinstance(augment, (list, tuple)) or not any(_is_all(item) for item in augment):
        return augment
    listed = {
        item.name if isinstance(item, Augmentation) else item.split("=")[0]
        for item in augment
        if isinstance(item, (Augmentation, str))
    }
    safe = [name for name in SAFE if name not in listed and (name != "flip" or may_mirror())]
    first = next(place for place, item in enumerate(augment) if _is_all(item))
    rest = [item for item in augment[first:] if not _is_all(item)]
    return [*augment[:first], *safe, *rest]


def _is_all(item: Any) -> bool:
    return isinstance(item, str) and item == ALL


def check(augment: Sequence[AnyAugmentation]) -> list[Callable[..., tf.Tensor]]:
    """Returns the augmentations as functions of (images, seed, value_range, part).

    Args:
        augment: list of texts that `parse` takes, of `Augmentation`s, and of
            callables of a float batch (B, H, W, C).

    Raises:
        InputError: not a list, or something else in it.
    """
    if not isinstance(augment, (list, tuple)):
        raise InputError(f'augment must be a list, such as ["flip"]. Received: {augment!r}')
    chosen: list[Callable[..., tf.Tensor]] = []
    for item in augment:
        if isinstance(item, Augmentation):
            chosen.append(item)
        elif callable(item):
            function = tf.function(item)  # whatever Python it has, `if` and `for` included
            chosen.append(lambda images, *_, function=function: function(images))
        elif isinstance(item, str):
            chosen.append(parse(item))
        else:
            raise InputError(
                f"An augmentation must be a name ({', '.join(AUGMENTATIONS)}), {ALL} or a "
                "callable. "
                f"Received: {item!r}"
            )
    return chosen
