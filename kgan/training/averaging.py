"""The averaged generator: an exponential moving average of the weights during training."""

from __future__ import annotations

import math
import numbers
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from kgan.errors import InputError
from kgan.layers import SpectralNormalization
from kgan.models.rebuild import all_layers, copy_network
from kgan.models.same_layers import weights_in_place
from kgan.training import replicas, schedules

if TYPE_CHECKING:
    from kgan.training.gan import GAN

# The average looks back over at most this share of the training so far, so that the
# random start is forgotten at once (Karras et al. 2020, the "ramp-up" of their code).
LONGEST_SHARE = 0.05
FOLLOWED = 2  # power iterations per update: with one, sigma lags a fast training by over 1 %


def check_half_life(images: Any) -> float | None:
    """Returns a half-life in images, None for none (None or 0).

    Raises:
        InputError: it is not a number from 0 up.
    """
    if images is not None and (
        not isinstance(images, numbers.Real) or not 0.0 <= float(images) < math.inf
    ):
        raise InputError(
            "ema_half_life_images must be a number of images from 0 up, or None. "
            f"Received: {images!r}"
        )
    return images or None  # type: ignore[return-value]  # a Real of any class, as it was given


class Average:
    """An averaged generator.

    Args:
        generator: the network to average; the average starts as it is now.
        half_life_images: real images after which an update counts half.
        begun_late: it began in training, and not with the model.

    Attributes:
        network: the averaged network, not trainable.
    """

    def __init__(self, generator: keras.Model, half_life_images: float, begun_late: bool) -> None:
        self.half_life_images = half_life_images
        self.begun_late = begun_late
        self.network = copy_network(generator)
        self.network.trainable = False

    def follow(self, gan: GAN, batch_size: int | tf.Tensor) -> None:
        """Moves the average by one update of the generator, with this many images per replica."""
        images = tf.cast(batch_size * replicas.count(), tf.float32)
        half_life = self.half_life_at(gan, images)
        update_average(self.network, gan.generator, half_life, images * gan.d_steps)

    def half_life_at(self, gan: GAN, more_images: float | tf.Tensor = 0.0) -> tf.Tensor:
        """The half-life in images after those seen and so many more, its ramp-up included."""
        seen = tf.cast(tf.convert_to_tensor(gan.images_seen), tf.float32) + more_images
        return ramped_up(schedules.half_life(gan, self.half_life_images), seen)


def ramped_up(half_life_images: float | tf.Tensor, images_seen: tf.Tensor) -> tf.Tensor:
    """A half-life of at most `LONGEST_SHARE` of the real images seen, both in images."""
    half_life = tf.cast(half_life_images, tf.float32)
    return tf.minimum(half_life, LONGEST_SHARE * images_seen)


def start_average(gan: GAN, half_life_images: float, begun_late: bool) -> None:
    """Begins an average of a GAN's generator as it is now; the same one again changes nothing.

    Args:
        gan: a `GAN`.
        half_life_images: real images after which an update counts half.
        begun_late: the model was made without it.

    Raises:
        InputError: no number above 0, or the model has an average with another half-life.
    """
    if not check_half_life(half_life_images):
        raise InputError(f"An average has a half-life above 0. Received: {half_life_images!r}")
    if gan.average is None:
        with gan.distribute_strategy.scope():
            gan.average = Average(gan.generator, half_life_images, begun_late)
        gan.ema_generator = gan.average.network
        if gan.train_function is not None:  # it knows no average
            gan.make_train_function(force=True)
    elif half_life_images != gan.average.half_life_images:
        raise InputError(
            f"The generator is averaged already, half-life {gan.average.half_life_images} "
            f"images. Received: {half_life_images!r}"
        )


def config_of(average: Average | None) -> dict[str, float | None]:
    """What a GAN's config says of its average."""
    if average is None:
        return {"ema_half_life_images": None}
    name = "average_begun" if average.begun_late else "ema_half_life_images"
    return {name: average.half_life_images}


def forget_average(gan: GAN) -> None:
    """Takes back a `start_average` before which the model had none."""
    gan.average = gan.ema_generator = None


def update_average(
    average: keras.Model,
    generator: keras.Model,
    half_life_images: float | tf.Tensor,
    images: tf.Tensor,
) -> None:
    """Moves the average towards the generator by one update.

    Weights and normalisation statistics are averaged with the factor
    0.5 ** (images / half_life_images); the singular vectors of spectral
    normalisation, of which a mean would mean nothing, follow the averaged kernel.

    Args:
        average: a copy of the generator, its average up to now.
        generator: the network in training.
        half_life_images: real images after which an update counts half.
        images: real images that this update stands for, a float tensor.

    Reference:
        Karras et al. 2018, section 4.1, https://arxiv.org/abs/1710.10196
    """
    decay = 0.5 ** (images / tf.maximum(tf.cast(half_life_images, tf.float32), 1e-8))
    vectors = {id(vector) for layer in _spectral(generator) for vector in (layer.u, layer.v)}
    for mean, current in zip(average.variables, generator.variables, strict=True):
        if not keras.backend.is_float_dtype(mean.dtype):
            mean.assign(current)
        elif id(current) not in vectors:
            share = tf.cast(1.0 - decay, mean.dtype)
            mean.assign(mean + share * (tf.convert_to_tensor(current) - mean))
    with weights_in_place(average) as network:
        for layer in _spectral(network):
            for _ in range(FOLLOWED):
                layer.follow()


def _spectral(network: keras.Model) -> list[SpectralNormalization]:
    return [layer for layer in all_layers(network) if isinstance(layer, SpectralNormalization)]
