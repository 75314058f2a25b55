"""`Cosine`: how one figure of a training changes, and the names of those that can."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from kgan.errors import InputError
from kgan.option_fields import SCHEDULABLE

RATES = ("learning_rate", "g_learning_rate", "d_learning_rate")


@keras.saving.register_keras_serializable(package="kgan")
class Cosine:
    """A value that goes from `start` to `end` along half a cosine, and stays there.

    Args:
        start: value at the first image.
        end: value after the last one.
        images: real images that it takes, 1 or more; None for the model's `schedule_images`.

    Raises:
        InputError: no finite numbers, or no number of images.

    Reference:
        Loshchilov and Hutter 2017, equation 5 without restarts, https://arxiv.org/abs/1608.03983
    """

    def __init__(self, start: float, end: float, images: int | None = None) -> None:
        for value in (start, end, 1 if images is None else images):
            number = isinstance(value, numbers.Real) and not isinstance(value, bool)
            if not number or not math.isfinite(value):
                raise InputError(
                    f"A Cosine goes from a number to a number. Received: {(start, end, images)!r}"
                )
        if images is not None and images < 1:
            raise InputError(f"A Cosine takes 1 image or more. Received: images={images!r}")
        self.start, self.end = float(start), float(end)
        self.images = None if images is None else int(images)

    def at(self, images_seen: Any, images: Any) -> tf.Tensor:
        """The value after so many of so many images, a float32 scalar; `start` where they are 0."""
        seen, images = (tf.cast(tf.convert_to_tensor(n), tf.float32) for n in (images_seen, images))
        share = tf.where(images > 0.0, tf.minimum(seen / tf.maximum(images, 1.0), 1.0), 0.0)
        return self.end + (self.start - self.end) * 0.5 * (1.0 + tf.cos(math.pi * share))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, for Keras's serialization."""
        return {"start": self.start, "end": self.end, "images": self.images}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Cosine:
        """The schedule that `get_config` describes."""
        return cls(**config)


def checked(schedules: Any) -> dict[str, Cosine]:
    """Schedules by name, from `Cosine`s or pairs (start, end).

    Raises:
        InputError: an unknown name, no `Cosine` or pair, or a value that the name cannot have.
    """
    if not isinstance(schedules, Mapping):
        raise InputError(
            "schedules must be a dict such as {'learning_rate': (2e-4, 5e-5)}, {} for none. "
            f"Received: {schedules!r}"
        )
    ready = {}
    for name, given in schedules.items():
        if name not in SCHEDULABLE:
            raise InputError(
                f"What can follow a schedule: {', '.join(SCHEDULABLE)}. Received: {name!r}"
            )
        pair = isinstance(given, (tuple, list)) and len(given) == 2
        if not pair and not isinstance(given, Cosine):
            raise InputError(
                f"The schedule of {name} must be (start, end) or a Cosine. Received: {given!r}"
            )
        cosine = given if isinstance(given, Cosine) else Cosine(*given)
        try:
            for value in (cosine.start, cosine.end):
                SCHEDULABLE[name](value)
        except ValueError:
            raise InputError(
                f"{name} cannot go there. Received: from {cosine.start:g} to {cosine.end:g}"
            ) from None
        ready[name] = cosine
    if "learning_rate" in ready and set(RATES[1:]) & set(ready):
        raise InputError(
            "learning_rate is that of both networks: give it, or g_learning_rate and "
            f"d_learning_rate. Received: {', '.join(name for name in RATES if name in ready)}"
        )
    return ready


def by_network(schedules: Mapping[str, Any]) -> dict[str, Any]:
    """The same schedules, those of both networks' learning rates as one for each."""
    both = {name: schedules["learning_rate"] for name in RATES[1:] if "learning_rate" in schedules}
    return both | {name: one for name, one in schedules.items() if name != "learning_rate"}
