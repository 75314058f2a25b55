"""Activation maximisation: the inputs within their range that excite a unit most."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kgan.explore.guided_backpropagation import activating, has_rectifier, is_rectifier
from kgan.explore.inner_layers import as_maps, calling, outputs_caught

STEPS = 192
JITTER = 2  # pixels
SMOOTHNESS = 0.02  # the total variation's gradient beside the unit's, by root mean squares
FREE = 0.25  # of the steps, the last: without jitter, smoothness and with smaller steps
RATE = 0.05  # of half the range, a step
START = 0.1  # standard deviation of the noise that it starts from, of half the range


def maximising_images(
    network: keras.Model,
    layer: Any,
    units: Sequence[int],
    value_range: Sequence[float],
    *,
    steps: int = STEPS,
    jitter: int = JITTER,
    smoothness: float = SMOOTHNESS,
    seed: int = 0,
) -> np.ndarray:
    """For each unit an image that excites it most, at the middle of its map.

    Gradient ascent (Adam) from grey with a little noise; each step is cut back into the range.
    What is maximised is the value before a rectifier that the layer is or ends in: that grows
    with it and has a gradient where the unit is silent. The last quarter of the steps is without
    jitter and smoothness.

    Args:
        network: a Keras network whose first input is images (B, H, W, C); others are zeros.
        layer: one of its layers.
        units: channels of its output, N of them.
        value_range: (low, high) of a pixel.
        steps: gradient steps.
        jitter: pixels that the image is shifted by at most, at random, in each step.
        smoothness: strength of the term against total variation, 0 for none.
        seed: int >= 0, of the noise and the shifts.

    Returns:
        float32 array (N, H, W, C) in `value_range`.

    Reference:
        Erhan et al. 2009; Mahendran and Vedaldi 2016, section 5.2, for the range, the jitter and
        the total variation, https://arxiv.org/abs/1512.02017
    """
    low, high = map(float, value_range)
    half, middle = (high - low) / 2, (high + low) / 2
    rng = np.random.default_rng(seed)
    shape = (len(units), *network.inputs[0].shape[1:])
    # One start for all: units differ by what excites them, not by their noise.
    noise = rng.normal(0, START, (1, *shape[1:])).astype(np.float32)
    images = tf.Variable(np.broadcast_to(middle + half * noise, shape))
    others = _zeros(network, len(units))
    channels = tf.constant(list(units), tf.int32)

    def objective(shifted: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(_at_middle(watch.run(shifted, others), channels))

    with _Watch(network, layer) as watch:

        @tf.function
        def gradient(shift: tf.Tensor, smooth: tf.Tensor) -> tf.Tensor:
            with tf.GradientTape() as tape:
                value = objective(tf.roll(images, shift, (1, 2)))
            exciting = _unit_size(_or_zeros(tape.gradient(value, images), images))
            with tf.GradientTape() as tape:
                variation = tf.reduce_sum(tf.image.total_variation(images))
            return exciting - smooth * _unit_size(tape.gradient(variation, images))

        adam = Adam()
        free = round(steps * (1 - FREE))
        for step in range(steps):
            shift = rng.integers(-jitter, jitter + 1, 2) if step < free else np.zeros(2)
            smooth = smoothness if step < free else 0.0
            found = gradient(tf.constant(shift, tf.int32), tf.constant(smooth, tf.float32))
            rate = RATE * half * (1.0 if step < free else (steps - step) / (steps - free))
            moved = images + rate * adam.direction(found)
            images.assign(tf.clip_by_value(moved, low, high))
    return images.numpy()


def maximising_latents(
    network: keras.Model,
    layer: Any,
    units: Sequence[int],
    distribution: str,
    inputs: Sequence[np.ndarray],
    *,
    steps: int = STEPS,
) -> np.ndarray:
    """For each unit of a generator's layer a latent that excites it most, on mean over its map.

    Normal latents keep the length that they start with, uniform ones stay within -1 and 1: the
    generator has seen no others.

    Args:
        network: a generator, latents (B, latent_dim) and perhaps labels to images.
        layer, units, steps: as for `maximising_images`.
        distribution: "normal" or "uniform".
        inputs: what it starts from, latents (N, latent_dim) first.

    Returns:
        float32 array (N, latent_dim).
    """
    latents = tf.Variable(np.asarray(inputs[0], np.float32))
    others = [tf.constant(each) for each in inputs[1:]]
    length = tf.norm(latents, axis=1, keepdims=True)
    channels = tf.constant(list(units), tf.int32)
    with _Watch(network, layer) as watch:

        @tf.function
        def gradient() -> tf.Tensor:
            with tf.GradientTape() as tape:
                maps = as_maps(watch.run(tf.convert_to_tensor(latents), others))
                means = tf.reduce_mean(maps, (1, 2))
                value = tf.reduce_sum(tf.gather(means, channels, batch_dims=1, axis=1))
            return _or_zeros(tape.gradient(value, latents), latents)

        adam = Adam()
        for step in range(steps):
            rate = 2 * RATE * (1 - step / steps)
            if distribution == "uniform":
                moved = latents + rate * adam.direction(gradient())
                latents.assign(tf.clip_by_value(moved, -1.0, 1.0))
            else:
                along = latents / length
                found = gradient()
                # What points outwards is lost: Adam would turn the rest by it.
                found -= along * tf.reduce_sum(along * found, 1, keepdims=True)
                moved = latents + rate * adam.direction(found)
                latents.assign(moved * length / tf.norm(moved, axis=1, keepdims=True))
    return latents.numpy()


class Adam:
    """Adam's direction, the step without its rate (Kingma and Ba 2014, algorithm 1)."""

    def __init__(self, beta_1: float = 0.9, beta_2: float = 0.999) -> None:
        self.betas = beta_1, beta_2
        self.steps = 0
        self.mean: Any = 0.0
        self.square: Any = 0.0

    def direction(self, gradient: tf.Tensor) -> tf.Tensor:
        """The next one, about 1 for each number of the gradient."""
        beta_1, beta_2 = self.betas
        self.steps += 1
        self.mean = beta_1 * self.mean + (1 - beta_1) * gradient
        self.square = beta_2 * self.square + (1 - beta_2) * gradient**2
        mean = self.mean / (1 - beta_1**self.steps)
        return mean / (tf.sqrt(self.square / (1 - beta_2**self.steps)) + 1e-8)


class _Watch:
    """Context manager: runs a network, and gives what its layer gives before a last rectifier."""

    def __init__(self, network: keras.Model, layer: Any) -> None:
        self.network, self.layer = network, layer
        self.stack = contextlib.ExitStack()
        self.caught: dict[str, tf.Tensor] = {}

    def __enter__(self) -> _Watch:
        with contextlib.ExitStack() as stack:
            if is_rectifier(self.layer):
                stack.enter_context(calling(self.layer, lambda inputs, **_: inputs))
            elif has_rectifier(self.layer):
                stack.enter_context(activating(self.layer, lambda inputs: inputs))
            self.caught = stack.enter_context(outputs_caught([self.layer]))
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *problem: Any) -> None:
        self.stack.close()

    def run(self, first: tf.Tensor, others: Sequence[tf.Tensor]) -> tf.Tensor:
        self.network([first, *others] if others else first, training=False)
        return self.caught[self.layer.name]


def _zeros(network: keras.Model, count: int) -> list[tf.Tensor]:
    """Zeros for what a network takes beside images, as labels."""
    return [
        tf.zeros((count, *(side or 1 for side in each.shape[1:])), each.dtype)
        for each in network.inputs[1:]
    ]


def _at_middle(outputs: tf.Tensor, channels: tf.Tensor) -> tf.Tensor:
    maps = as_maps(outputs)
    shape = tf.shape(maps)
    middle = maps[:, shape[1] // 2, shape[2] // 2]
    return tf.gather(middle, channels, batch_dims=1, axis=1)


def _unit_size(gradient: tf.Tensor) -> tf.Tensor:
    """An image's gradient with a root mean square of 1."""
    size = tf.sqrt(tf.reduce_mean(gradient**2, (1, 2, 3), keepdims=True))
    return gradient / (size + 1e-12)


def _or_zeros(gradient: tf.Tensor | None, of: tf.Variable) -> tf.Tensor:
    return tf.zeros_like(of) if gradient is None else gradient
