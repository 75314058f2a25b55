"""Batch normalisation's statistics for inference, measured instead of averaged over training.

In training a layer normalises by its batch; in inference by moving statistics
that follow a generator which changes every step, some ten steps behind. After
a short training pictures came out grey though training showed clothes.
"""

import contextlib

import keras
import numpy as np
import tensorflow as tf

from kgan import labels as label_law
from kgan import latents as latent_law
from kgan.models.rebuild import all_layers

PICTURES = 512  # twice as many came no nearer to training's pictures and cost twice the time
BATCH_SIZE = 128  # a training batch's size: what fits there fits here


def set_statistics(network, measured_like, inputs):
    """Sets the statistics of a network's batch normalisation to those of the given inputs.

    Every batch goes through the network with its normalisation by batch
    statistics, as in training, and all else as in inference: no dropout, and
    the spectral norms that inference will use. A layer's mean and variance
    become those of all the values it met. Nothing else changes.

    Set are keras.layers.BatchNormalization, also inside other layers, where
    training normalises by the batch: not frozen layers, not those called with
    training=False, no renormalisation and no layer with a call of its own.

    It computes in the network's own precision. Under a 16-bit policy that is
    not the float32 of `generate` and exports; it changes their pictures by one
    grey level in about one pixel of a hundred.

    Args:
        network: the generator whose statistics are to be set.
        measured_like: the generator in training, of the same layers; the
            network itself where there is no averaged one.
        inputs: list of batches of the network's inputs, all of one size.
    """
    pairs = [
        (layer, trained)
        for layer, trained in zip(all_layers(network), all_layers(measured_like), strict=True)
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
    for layer, moments in measured:
        means, variances = np.float64(moments).swapaxes(0, 1)
        layer.moving_mean.assign(means.mean(0))
        layer.moving_variance.assign(variances.mean(0) + means.var(0))


def _is_normalization(layer):
    kind = keras.layers.BatchNormalization
    return isinstance(layer, kind) and type(layer).call is kind.call and not layer.renorm


def _first(batch, n):
    return [one[:n] for one in batch] if isinstance(batch, list) else batch[:n]


@contextlib.contextmanager
def _normalizing_by_the_batch(layer):
    """Gives the list that the (mean, variance) of every batch the layer meets are put in."""
    seen = []

    def call(inputs, training=None, mask=None):
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


class Calibrated:
    """The part of `GAN` that keeps inference showing what training does.

    `calibrated_at` is `batches_seen` when the statistics were last set. It is
    saved, so that a loaded model makes the pictures that it made before, and it
    starts at 0: networks that come trained from elsewhere keep their own
    statistics until they are trained on.
    """

    def calibrate(self):
        """Sets the statistics that pictures are made with, if training has gone on since.

        `generate`, `predict`, `evaluate`, a call, exports and the end of `fit`
        do it; only who calls the generator itself between steps needs to. Saving
        does not, as checkpoints come often: what was saved in between is
        calibrated when it is loaded and used, and makes the same pictures, for
        the statistics depend on the weights alone. Training never reads them.
        """
        batches_seen = self.batches_seen.numpy()
        if self.calibrated_at.numpy() != batches_seen:
            seeds = np.arange(PICTURES).reshape(-1, BATCH_SIZE)
            batches = [
                latent_law.from_seeds(some, self.latent_dim, self.latent_distribution)
                for some in seeds
            ]
            if self.num_classes is not None:
                classes = [label_law.from_seeds(some, self.num_classes) for some in seeds]
                batches = [list(pair) for pair in zip(batches, classes, strict=True)]
            set_statistics(self.inference_generator, self.generator, batches)
            self.calibrated_at.assign(batches_seen)

    def __call__(self, *args, **kwargs):
        # In a graph, such as that of predict, it is too late: those calibrate before.
        if tf.executing_eagerly() and not kwargs.get("training"):
            self.calibrate()
        return super().__call__(*args, **kwargs)

    def fit(self, *args, **kwargs):
        history = super().fit(*args, **kwargs)
        self.calibrate()
        return history

    fit.__doc__ = keras.Model.fit.__doc__

    # Keras calls these two, outside any graph, at the start of all that predicts or evaluates.
    def make_predict_function(self, *args, **kwargs):
        self.calibrate()
        return super().make_predict_function(*args, **kwargs)

    def make_test_function(self, *args, **kwargs):
        self.calibrate()
        return super().make_test_function(*args, **kwargs)
