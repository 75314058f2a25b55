"""DCGANs that leave out one rule of the paper's, or take another: what is each of them for?"""

from __future__ import annotations

import dataclasses
import functools
import time
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

import kgan
from kgan.layers import SpectralNormalization

BATCH, LATENTS, FILTERS = 64, 100, 64
HIDDEN = 512  # units of a Dense layer that is kept, as wide as the last convolution
SEEDS = 10_000  # first of the images that are measured


@dataclasses.dataclass(frozen=True)
class Rules:
    """What a DCGAN of 28x28x1 is made by; the defaults are the paper's.

    Attributes:
        rectifier: of the discriminator, "leaky" or "plain".
        smaller: how the discriminator halves its maps, "strides" or "pooling" (max).
        hidden: whether both networks keep a hidden Dense layer.
        norm: of the discriminator, "batch", "spectral" or "none".
        mixed: whether the discriminator is given real and fake images as one batch.
    """

    rectifier: str = "leaky"
    smaller: str = "strides"
    hidden: bool = False
    norm: str = "batch"
    mixed: bool = False


# Arm -> its rules.
RULES = {
    "as in the paper": Rules(),
    "real and fake in one batch": Rules(mixed=True),
    "ReLU in D": Rules(rectifier="plain"),
    "max pooling in D": Rules(smaller="pooling"),
    "a Dense layer kept in G and D": Rules(hidden=True),
    "spectral norm in D": Rules(norm="spectral"),
    "no norm in D": Rules(norm="none"),
}


def discriminator(rules: Rules, filters: int) -> keras.Model:
    """kgan's for the paper's rules: three convolutions of 5x5, from 28x28 to 4x4."""
    spectral = rules.norm == "spectral"
    wrapped = SpectralNormalization if spectral else lambda layer: layer
    strided = rules.smaller == "strides"
    start = functools.partial(keras.initializers.RandomNormal, stddev=0.02)

    def rectified(x: Any) -> Any:
        return layers.LeakyReLU(0.2)(x) if rules.rectifier == "leaky" else layers.ReLU()(x)

    images = keras.Input((28, 28, 1))
    x = images
    for index, width in enumerate((2 * filters, 4 * filters, 8 * filters)):
        normed = rules.norm == "batch" and index > 0
        convolution = layers.Conv2D(
            width,
            5,
            strides=2 if strided else 1,
            padding="same",
            use_bias=not normed,
            kernel_initializer=start(),
        )
        x = wrapped(convolution)(x)
        if normed:
            x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
        x = rectified(x)
        if not strided:
            x = layers.MaxPooling2D(2, padding="same")(x)
    x = layers.Flatten()(x)
    if rules.hidden:
        x = rectified(wrapped(layers.Dense(HIDDEN * filters // FILTERS))(x))
    return keras.Model(images, wrapped(layers.Dense(1, kernel_initializer=start()))(x))


def generator(rules: Rules, filters: int) -> keras.Model:
    """kgan's; a Dense layer that is kept comes before its projection."""
    if not rules.hidden:
        return kgan.models.DCGANGenerator((28, 28, 1), LATENTS, filters)
    hidden = HIDDEN * filters // FILTERS
    latents = keras.Input((LATENTS,))
    x = layers.ReLU()(layers.Dense(hidden)(latents))
    return keras.Model(latents, kgan.models.DCGANGenerator((28, 28, 1), hidden, filters)(x))


class OneBatch(kgan.GAN):
    """Gives its discriminator real and fake images as one batch, which is normalised as one."""

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        real = keras.utils.unpack_x_y_sample_weight(data)[0]
        loss, count = self.adversarial_loss, tf.shape(real)[0]
        latents, others = self.draw_latents(count), self.draw_latents(count)

        def judged(drawn_from: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            fake = self.generator(drawn_from, training=True)
            logits = self.discriminator(tf.concat([real, fake], 0), training=True)
            return logits, logits[:count], logits[count:]

        def discriminator_objective() -> tuple[tf.Tensor, tf.Tensor, None]:
            logits, of_real, of_fake = judged(latents)
            return loss.discriminator_loss(of_real, of_fake), logits, None

        def generator_objective() -> tuple[tf.Tensor, tf.Tensor, None]:
            _, _, of_fake = judged(others)
            return loss.generator_loss(of_fake), of_fake, None

        d_update = self.updates.apply(
            "discriminator", self.discriminator, self.d_optimizer, discriminator_objective, real
        )
        g_update = self.updates.apply(
            "generator", self.generator, self.g_optimizer, generator_objective, real
        )
        self.batches_seen.assign_add(1)  # as images are made by new statistics then
        return {"d_loss": d_update.loss, "g_loss": g_update.loss}


class Until(keras.callbacks.Callback):
    """Ends a fit after so many seconds of the processor's."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.end = time.process_time() + seconds

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if time.process_time() >= self.end:
            self.model.stop_training = True


class RuledDCGAN:
    """A DCGAN by some rules.

    Args:
        rules: what it is made by.
        divisor: what its widths are divided by.
        pictures: float32 (N, 28, 28, 1), from -1 to 1.
        seed: of weights, latents and order.
    """

    def __init__(self, rules: Rules, divisor: int, pictures: np.ndarray, seed: int) -> None:
        keras.utils.set_random_seed(seed)
        networks = (make(rules, FILTERS // divisor) for make in (generator, discriminator))
        kind = OneBatch if rules.mixed else kgan.GAN
        self.gan = kind(*networks, seed=seed)
        self.gan.compile()  # the paper's loss and rates
        self.batches = kgan.data.from_arrays(
            pictures, batch_size=BATCH, array_range=(-1.0, 1.0), seed=seed, first_batch=0
        )

    def train(self, seconds: float) -> int:
        """Trains for so many seconds of the processor's; the steps."""
        before = int(self.gan.batches_seen)
        self.gan.fit(
            self.batches,
            steps_per_epoch=10**9,
            shuffle=False,  # as it comes
            callbacks=[Until(seconds)],
            verbose=0,
        )
        return int(self.gan.batches_seen) - before

    def draw(self, n: int) -> np.ndarray:
        """Images, uint8 (n, 28, 28, 1)."""
        return self.gan.generate(n, seed=SEEDS)


PEERS = {arm: functools.partial(RuledDCGAN, rules) for arm, rules in RULES.items()}
