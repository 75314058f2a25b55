"""The averaged generator: an exponential moving average of the weights while training goes on."""

import math
import numbers

import keras
import tensorflow as tf

from kgan.errors import InputError
from kgan.layers import SpectralNormalization
from kgan.models.rebuild import all_layers, copy_network

# The average looks back over at most this share of the training so far, so that the
# random start is forgotten at once (Karras et al. 2020, the "ramp-up" of their code).
LONGEST_SHARE = 0.05
FOLLOWED = 2  # power iterations an update: with one, sigma lags a fast training by over 1 %


def check_half_life(images):
    """Returns a half-life in images, None for none (None or 0).

    Raises:
        InputError: it is not a number from 0 up.
    """
    if images is not None and (not isinstance(images, numbers.Real) or not 0 <= images < math.inf):
        raise InputError(
            "ema_half_life_images must be a number of images from 0 up, or None. "
            f"Received: {images!r}"
        )
    return images or None


class Averaged:
    """The part of `GAN` that keeps an averaged generator, `ema_generator`, or None for none."""

    average_begun = None  # the half-life of an average that the model was not made with

    @property
    def inference_generator(self):
        """The generator that makes what users see: the averaged one where there is one."""
        return self.generator if self.ema_generator is None else self.ema_generator

    def start_average(self, half_life_images):
        """Begins an average of the generator as it is now; `fit` keeps it from here on.

        Args:
            half_life_images: as `ema_half_life_images` of the model.

        Raises:
            InputError: no number above 0, or the model has an average with another half-life.
        """
        if not check_half_life(half_life_images):
            raise InputError(f"An average has a half-life above 0. Received: {half_life_images!r}")
        if self.ema_generator is not None:
            if half_life_images != self.ema_half_life_images:
                raise InputError(
                    f"The generator is averaged already, half-life {self.ema_half_life_images} "
                    f"images. Received: {half_life_images!r}"
                )
            return
        self.average_begun = half_life_images
        self._average(half_life_images)
        if self.train_function is not None:  # it knows no average
            self.make_train_function(force=True)

    def forget_average(self):
        """Takes back a `start_average` before which the model had none."""
        self.average_begun = self.ema_half_life_images = self.ema_generator = None

    def _average(self, half_life_images):
        with self.distribute_strategy.scope():
            average = copy_network(self.generator)
        average.trainable = False
        self.ema_half_life_images = half_life_images
        self.ema_generator = average

    def get_config(self):
        config = super().get_config()
        if self.average_begun:
            config |= {"ema_half_life_images": None, "average_begun": self.average_begun}
        return config

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        begun = config.pop("average_begun", None)
        model = super().from_config(config, custom_objects)
        if begun:
            model.start_average(begun)
        return model


def update_average(average, generator, half_life_images, images, images_seen):
    """Moves the average towards the generator by one update.

    Weights and normalisation statistics are averaged with the factor
    0.5 ** (images / half_life_images); the singular vectors of spectral
    normalisation, of which a mean would mean nothing, follow the averaged kernel.

    Args:
        average: a copy of the generator, its average up to now.
        generator: the network in training.
        half_life_images: real images after which an update counts half.
        images: real images that this update stands for, a float tensor.
        images_seen: real images seen in all, a float tensor.

    Reference:
        Karras et al. 2018, section 4.1, https://arxiv.org/abs/1710.10196
    """
    half_life = tf.minimum(float(half_life_images), LONGEST_SHARE * images_seen)
    decay = 0.5 ** (images / tf.maximum(half_life, 1e-8))
    spectral = [layer for layer in all_layers(average) if isinstance(layer, SpectralNormalization)]
    vectors = {id(vector) for layer in spectral for vector in (layer.u, layer.v)}
    for mean, current in zip(average.variables, generator.variables, strict=True):
        if not keras.backend.is_float_dtype(mean.dtype):
            mean.assign(current)
        elif id(mean) not in vectors:
            share = tf.cast(1.0 - decay, mean.dtype)
            mean.assign(mean + share * (tf.convert_to_tensor(current) - mean))
    for layer in spectral:
        for _ in range(FOLLOWED):
            layer.follow()
