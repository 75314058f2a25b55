"""An encoder for a trained generator: learned from pictures that it draws, and kept beside it."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kgan.attributes import Attributes
from kgan.errors import InputError
from kgan.explore.encoder_defaults import ENCODER_FILE, ENCODER_STEPS
from kgan.explore.picture import UNWRITABLE
from kgan.explore.subject import Subject, as_subject
from kgan.explore.untrained import initialized_by
from kgan.files import printable, whole_file, writing
from kgan.labels import Condition
from kgan.latents import check_seed
from kgan.models.latent_encoder import LatentEncoder
from kgan.models.networks import check_positive
from kgan.models.rebuild import float32_copy
from kgan.models.stored_networks import read_network

BATCH = 64
RATE = 1e-3  # of Adam, the first step; it falls to 0 along half a cosine
FACTS = {"generator": str, "steps": int, "batch_size": int, "seed": int, "latent_error": float}
# What a later calibration may set anew is no part of what an encoder was trained for.
MEASURED = ("moving_mean", "moving_variance")


def train_encoder(model: Any, *, steps: int = ENCODER_STEPS, seed: int = 0) -> LatentEncoder:
    """Trains an encoder on pairs that the generator draws: its image, and the latent it is of.

    What it learns from never repeats. It minimises the mean squared difference of latents; of a
    model of classes or attributes each image has random ones, which the encoder is not told.

    Args:
        model: a `Subject` or a `kgan.GAN`.
        steps: training steps, of 64 pairs each.
        seed: int >= 0, of its first weights and of the pairs.

    Returns:
        A `kgan.models.LatentEncoder`; `training` says how it was trained and the mean squared
        difference over the last tenth of the steps ("latent_error", 1 where it knows nothing of
        normal latents, 1/3 of uniform ones).

    Raises:
        InputError: no GAN at hand, or images that an encoder cannot take.
    """
    check_positive(steps=steps)
    check_seed(seed)
    gan = as_subject(model).require_gan()
    with initialized_by(seed):
        encoder = LatentEncoder(
            gan.image_shape,
            gan.latent_dim,
            latent_distribution=gan.latent_distribution,
            dtype="float32",
            name="encoder",
        )
    rates = keras.optimizers.schedules.CosineDecay(RATE, steps)
    optimizer = keras.optimizers.Adam(rates)
    optimizer.build(encoder.trainable_variables)
    drawn = _pairs(gan, seed)

    @tf.function
    def train(step: tf.Tensor) -> tf.Tensor:
        images, latents = drawn(step)
        with tf.GradientTape() as tape:
            error = tf.reduce_mean((encoder(images, training=True) - latents) ** 2)
        gradients = tape.gradient(error, encoder.trainable_variables)
        optimizer.apply(gradients, encoder.trainable_variables)
        return error

    errors = [train(tf.constant(step)) for step in range(steps)]
    encoder.training = {
        "generator": fingerprint(gan.inference_generator),
        "steps": steps,
        "batch_size": BATCH,
        "seed": seed,
        "latent_error": round(float(np.mean(errors[-max(1, steps // 10) :])), 5),
    }
    return encoder


def encoder_beside(
    subject: Subject, steps: int | None = None, seed: int = 0, told: Callable[[str], None] = print
) -> LatentEncoder:
    """The encoder that is kept beside a model; where there is none that fits, a new one, kept.

    Args:
        subject: the model; one in memory keeps nothing.
        steps: what one was to be trained for; None for any number, of a new one the usual.
        seed: of a new one.
        told: is given a line before one is trained, and one of where it comes from.

    Raises:
        InputError: as for `train_encoder` and `read_encoder`, or it cannot be kept there.
    """
    gan = subject.require_gan()
    file = None if subject.place is None else subject.place / f"{subject.prefix}{ENCODER_FILE}"
    kept = None if file is None else read_encoder(file, gan)
    if kept is not None and steps in (None, kept.training["steps"]):
        told(f"the encoder kept in {printable(file, None)}, {_in_words(kept)}")
        return kept
    steps = ENCODER_STEPS if steps is None else steps
    check_positive(steps=steps)
    with contextlib.ExitStack() as stack:
        if file is not None:  # that it can be kept is known before it is trained
            stack.enter_context(writing(UNWRITABLE, file))
            temporary = stack.enter_context(whole_file(file))
        told(f"training an encoder for {steps:,} steps")
        encoder = train_encoder(subject, steps=steps, seed=seed)
        if file is not None:
            encoder.save(temporary)
    where = "" if file is None else f", kept in {printable(file, None)}"
    told(f"a new encoder{where}, {_in_words(encoder)}")
    return encoder


def read_encoder(path: Path, gan: Any) -> LatentEncoder | None:
    """The encoder in a file; None where there is no such file, or it is of other weights.

    Args:
        path: an `encoder.keras`.
        gan: the `kgan.GAN` whose images it is to encode.

    Raises:
        InputError: the file holds something else.
    """
    if not os.path.lexists(path):
        return None
    encoder = read_network(path) if path.is_file() else None
    if not isinstance(encoder, LatentEncoder) or not _says_all(encoder):
        raise InputError(
            "Not an encoder that kgan explore project wrote: move it elsewhere. "
            f"Received: {printable(path)}"
        )
    of_it = encoder.training["generator"] == fingerprint(gan.inference_generator)
    return encoder if of_it else None


def _says_all(encoder: LatentEncoder) -> bool:
    """Whether an encoder says of its training what `train_encoder` has it say."""
    facts = encoder.training or {}
    return all(isinstance(facts.get(name), kind) for name, kind in FACTS.items())


def fingerprint(generator: keras.Model) -> str:
    """The SHA-256, in hexadecimal, of a generator's weights but for measured statistics."""
    found = hashlib.sha256()
    for weight in generator.weights:
        if weight.path.rpartition("/")[2] not in MEASURED:
            found.update(np.ascontiguousarray(weight.numpy(), np.float32).tobytes())
    return found.hexdigest()


def _in_words(encoder: LatentEncoder) -> str:
    facts = encoder.training
    return (
        f"{facts['steps']:,} steps of {facts['batch_size']} pictures drawn, seed {facts['seed']}, "
        f"mean squared error of a latent's numbers {facts['latent_error']:.3f}"
    )


def _pairs(gan: Any, seed: int) -> Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
    """A function of a step: (images in the model's range, their latents), others each step."""
    network = float32_copy(gan.inference_generator)
    shape = (BATCH, gan.latent_dim)

    def drawn(step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        place = tf.stack([tf.constant(seed, tf.int64), tf.cast(step, tf.int64)])
        if gan.latent_distribution == "uniform":
            latents = tf.random.stateless_uniform(shape, place, -1.0, 1.0)
        else:
            latents = tf.random.stateless_normal(shape, place)
        labels = _labels(gan.condition, place)
        inputs = latents if labels is None else [latents, labels]
        return network(inputs, training=False), latents

    return drawn


def _labels(condition: Condition | None, place: tf.Tensor) -> tf.Tensor | None:
    """Random classes or rows of attributes; None for a model without."""
    if condition is None:
        return None
    rows = condition.rows if isinstance(condition, Attributes) else None
    count = condition if rows is None else len(rows)
    chosen = tf.random.stateless_uniform((BATCH,), place, 0, count, tf.int32)
    return chosen if rows is None else tf.gather(tf.constant(rows, tf.float32), chosen)
