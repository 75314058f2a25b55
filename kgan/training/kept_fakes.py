"""Fakes that both halves of a step judge: the generator runs forward once, and learns later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from kgan.training import replicas
from kgan.training.judging import with_labels

if TYPE_CHECKING:
    from kgan.training.gan import GAN


class KeptFakes:
    """One batch of a generator's images in training mode, with the way back to its weights.

    Made where a step begins, outside of any update: what the generator's layers would write
    (normalisation statistics, seeds) is kept aside until `images_to_learn_from` is called.

    Args:
        gan: a compiled `GAN`.
        latents: float tensor (B, latent_dim).
        labels: tensor (B,) or (B, k), the fakes' classes or attributes; None without.

    Attributes:
        images: float tensor (B, H, W, C), constants.
    """

    def __init__(self, gan: GAN, latents: tf.Tensor, labels: tf.Tensor | None) -> None:
        generator = gan.generator
        # The way back through a synchronized normalisation ends where the replicas branch off to
        # the generator's update: there the same images are made a second time.
        self._made_again = gan.d_steps > 1 and replicas.leave_to_branch()
        self._weights = [v.value for v in generator.trainable_variables]
        self._written: list[Any] = []  # the variables that its layers wrote

        def make() -> tf.Tensor:
            return generator(with_labels(latents, labels), training=True)

        self._make = make

        def forward() -> tuple:
            with keras.StatelessScope() as scope:
                images = make()
            self._written = [
                v for v in generator.variables if scope.get_current_value(v) is not None
            ]
            return images, [scope.get_current_value(v) for v in self._written]

        if gan.updates.compile_alone:
            # As the updates are: a forward pass by XLA has a backward pass by XLA.
            forward = tf.function(forward, jit_compile=True, autograph=False)
        with tf.GradientTape() as self._tape:
            images, self._state = forward()
        self._images = images
        self.images = tf.stop_gradient(images)

    def images_to_learn_from(self) -> tf.Tensor:
        """The same images, through which gradients reach the generator's weights; once.

        To be called within the generator's update, to which it hands what the layers wrote.
        """
        if self._made_again:
            return self._make()
        for variable, value in zip(self._written, self._state, strict=True):
            variable.assign(value)

        @tf.custom_gradient
        def images_of(*weights: tf.Tensor) -> tuple:
            def gradient(upstream: tf.Tensor) -> list:
                return self._tape.gradient(self._images, self._weights, upstream)

            return tf.identity(self._images), gradient

        return images_of(*self._weights)
