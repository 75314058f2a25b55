"""Batch normalisation's statistics for inference, measured instead of averaged over training.

In training a layer normalises by its batch; in inference by moving statistics
that follow a generator which changes every step, some ten steps behind. After
a short training, images came out grey though training showed clothes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from kgan import labels as label_law
from kgan import latents as latent_law
from kgan.models.rebuild import all_layers
from kgan.models.same_layers import body_of, weights_in_place
from kgan.telling import doing

if TYPE_CHECKING:
    from kgan.training.gan import GAN

IMAGES = 512  # twice as many came no nearer to training's images and cost twice the time
BATCH_SIZE = 128  # a training batch's size: what fits there fits here


def set_statistics(network: keras.Model, measured_like: keras.Model, inputs: list[Any]) -> None:
    """Sets the statistics of a network's batch normalisation to those of the given inputs.

    Every batch goes through the network with its normalisation by batch
    statistics, as in training, and all else as in inference: no dropout, and
    the spectral norms that inference will use. A layer's mean and variance
    become those of all the values it met. Nothing else changes.

    Set are keras.layers.BatchNormalization, also inside other layers, where
    training normalises by the batch: not frozen layers, not those called with
    training=False, no renormalisation and no layer with a call of its own.

    It computes in the network's own precision. Under a 16-bit policy that is
    not the float32 of `generate` and exports; it changes their images by one
    grey level in about one pixel of a hundred.

    Args:
        network: the generator whose statistics are to be set.
        measured_like: the generator in training, of the same layers; the
            network itself where there is no averaged one.
        inputs: list of batches of the network's inputs, all of one size.
    """
    pairs = [
        (layer, trained)
        for layer, trained in zip(
            all_layers(body_of(network)), all_layers(measured_like), strict=True
        )
        if _is_normalization(layer)
    ]
    if not pairs:
        return
    with keras.StatelessScope() as scope:
        measured_like(_first(inputs[0], 2), training=True)
    with contextlib.ExitStack() as stack:
        measured = [
            (layer, stack.enter_context(_normalizing_by_the_batch(layer)))
            for layer, trained in pairs
            if scope.get_current_value(trained.moving_mean) is not None
        ]
        for batch in inputs:
            with keras.StatelessScope():  # for a layer that writes something in inference too
                network(batch, training=False)
    with weights_in_place(network):
        for layer, moments in measured:
            means, variances = np.asarray(moments, np.float64).swapaxes(0, 1)
            layer.moving_mean.assign(means.mean(0))
            layer.moving_variance.assign(variances.mean(0) + means.var(0))


def _is_normalization(layer: keras.layers.Layer) -> bool:
    kind = keras.layers.BatchNormalization
    return isinstance(layer, kind) and type(layer).call is kind.call and not layer.renorm


def _first(batch: Any, n: int) -> Any:
    return [array[:n] for array in batch] if isinstance(batch, list) else batch[:n]


@contextlib.contextmanager
def _normalizing_by_the_batch(layer: keras.layers.Layer) -> Iterator[list[tuple]]:
    """Gives the list that the (mean, variance) of every batch the layer meets are put in."""
    seen: list[tuple] = []

    def call(inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        inputs = keras.ops.cast(inputs, keras.backend.result_type(inputs.dtype, "float32"))
        rank = len(inputs.shape)
        axes = [axis for axis in range(rank) if axis != layer.axis % rank]
        mean, variance = keras.ops.moments(inputs, axes)
        seen.append((mean.numpy(), variance.numpy()))
        outputs = keras.ops.batch_normalization(
            inputs, mean, variance, layer.axis, layer.beta, layer.gamma, layer.epsilon
        )
        return keras.ops.cast(outputs, layer.compute_dtype)

    layer.call = call  # hides the class's own
    try:
        yield seen
    finally:
        del layer.call


def is_due(gan: GAN) -> bool:
    """Whether `calibrate` would draw images: training has gone on, and there are statistics."""
    return gan.calibrated_at.numpy() != gan.batches_seen.numpy() and any(
        _is_normalization(layer) for layer in all_layers(body_of(gan.inference_generator))
    )


def calibrate(gan: GAN) -> None:
    """Sets the statistics that a GAN's images are made with, if training has gone on since.

    `calibrated_at` is `batches_seen` when they were last set. It is saved, so that a loaded
    model makes the images that it made before, and it starts at 0: networks that come
    trained from elsewhere keep their own statistics until they are trained on.

    Args:
        gan: a `GAN`.
    """
    batches_seen = gan.batches_seen.numpy()
    if gan.calibrated_at.numpy() == batches_seen:
        return
    seeds = np.arange(IMAGES).reshape(-1, BATCH_SIZE)
    batches: list[Any] = [
        latent_law.from_seeds(some, gan.latent_dim, gan.latent_distribution) for some in seeds
    ]
    if gan.condition is not None:
        labels = [label_law.from_seeds(some.tolist(), gan.condition) for some in seeds]
        batches = [list(pair) for pair in zip(batches, labels, strict=True)]
    with doing("calibrating"):
        set_statistics(gan.inference_generator, gan.generator, batches)
    gan.calibrated_at.assign(batches_seen)
