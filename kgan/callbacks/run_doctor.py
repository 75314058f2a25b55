"""`RunDoctor`: watches a GAN in training for the ways GANs fail, and says so."""

from __future__ import annotations

import collections
import logging
import os
from collections.abc import Mapping
from typing import ClassVar

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from kgan import latents as latent_law
from kgan.callbacks.board import Board
from kgan.callbacks.doctor_measures import Gallery, separation
from kgan.callbacks.doctor_verdicts import BATCH, STUCK_FOR, Check, diagnose
from kgan.callbacks.measure_quality import Evaluate
from kgan.callbacks.periodic import Logs, Periodic
from kgan.callbacks.quality_verdicts import diagnose_quality
from kgan.errors import InputError
from kgan.images import from_uint8, to_uint8
from kgan.telling import doing
from kgan.training.gan import GAN

LOG = logging.getLogger("kgan")
WELL_AFTER = 5  # checks in a row without an illness until it counts as over


class RunDoctor(Periodic):
    """Warns, in plain words, when a `GAN` in training falls ill.

    It knows a generator overwhelmed by its discriminator, mode collapse,
    memorisation and oscillation. Each is reported once, through the log of "kgan",
    when it has lasted several checks, and again when it is over, with options of `kgan train`
    to try. It looks at 64 fakes of the same latents each time, in training mode, and changes
    nothing about the training: no weight, statistic, seed or optimizer.

    Copies are sought among `images` alone. Where these are a sample of what the model
    trains on, only copies of the sample are seen: with a thousand of ten
    thousand images, a tenth. An alarm can be trusted, silence proves little.

    It looks after each interval and, in a fit that was at least that long, at its end. Its interval
    counts steps alone: an illness is five or six checks in a row, so that at 20 steps it is told
    80 to 100 steps after it has come. The bounds were set on checks 20 steps apart; some were
    seen to hold up to 100. Fewer than 20 give false alarms.

    Args:
        images: uint8 array (N, H, W, C), N at least 2, real images drawn at
            random from those the model trains on; some hundred to 2,000.
        labels: int array (N,), their classes, or float (N, k), their attributes, for a
            conditional GAN.
        every_steps: steps between two checks; 20 when None.
        log_dir: directory of TensorBoard events for the figures of every
            check (`doctor/...`, see `kgan.callbacks.doctor_verdicts.Check`) and for what
            is reported; None for none.
        quality: the `Evaluate` of the same fit, whose figures show a loss of variety and
            overfitting too; None without.

    Attributes:
        ills: dict of illness -> what was said of it, those that are not over.
        logits: (of real images, of fakes) at its last look, float32 arrays (64,); None before.

    Raises:
        InputError: arrays of another kind, `every_steps` below 1; in `fit`, a model that is not a
            `GAN`, images of another shape, labels that the model does not take, or missing ones.
    """

    at_begin: ClassVar[bool] = False  # nothing has gone wrong yet, and it holds up the first step
    default_every_steps: ClassVar[int] = 20

    def __init__(
        self,
        images: npt.ArrayLike,
        labels: npt.ArrayLike | None = None,
        every_steps: int | None = None,
        log_dir: str | os.PathLike[str] | None = None,
        quality: Evaluate | None = None,
    ) -> None:
        super().__init__(every_steps)
        self.quality = quality
        self.gallery = Gallery(images, labels)
        self.board = Board(log_dir)
        self.logits: tuple[np.ndarray, np.ndarray] | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        self._check_model()
        self.ills: dict[str, str] = {}
        self._well_for: collections.Counter[str] = collections.Counter()
        self._checks: collections.deque[Check] = collections.deque(maxlen=STUCK_FOR)
        self.logits = None
        self._mean: np.ndarray | None = None
        self._move: np.ndarray | None = None
        self._examine = tf.function(examine)
        gan, batch = self.model, self.gallery.batch
        self._reals = tf.constant(from_uint8(self.gallery.images[batch], gan.value_range))
        latents = latent_law.from_seeds(range(BATCH), gan.latent_dim, gan.latent_distribution)
        self._latents = tf.constant(latents)
        labels = self.gallery.labels
        self._labels = None if labels is None else tf.constant(labels[batch])
        low, high = gan.value_range
        self._spread = self.gallery.spread * (high - low) / 255.0
        super().on_train_begin(logs)

    def on_train_end(self, logs: Logs = None) -> None:
        if self._checks:  # one alone, of a run that ended before its first, tells nothing
            super().on_train_end(logs)

    def _check_model(self) -> None:
        if not isinstance(self.model, GAN):
            raise InputError(f"A RunDoctor watches a kgan.GAN. Received: {self.model!r}")
        shape = self.gallery.images.shape[1:]
        if shape != tuple(self.model.image_shape):
            raise InputError(
                "The RunDoctor's images must have the model's shape "
                f"{tuple(self.model.image_shape)}. Received: {shape}"
            )
        classes, labels = self.model.num_classes, self.gallery.labels
        if self.model.attributes is not None:
            k = len(self.model.attributes.names)
            if labels is None or labels.shape[1:] != (k,) or not np.isfinite(labels).all():
                received = "none" if labels is None else f"{labels.dtype} {labels.shape}"
                raise InputError(
                    f"A RunDoctor needs labels of {k} finite numbers for this model. "
                    f"Received: {received}"
                )
            return
        of_classes = labels is not None and labels.ndim == 1
        if (classes is None) != (labels is None) or of_classes != (labels is not None):
            need = "no labels" if classes is None else f"labels from 0 to {classes - 1}"
            received = "none" if labels is None else f"{len(labels)}"
            if not of_classes and labels is not None:
                received += ", of several numbers each"
            raise InputError(f"A RunDoctor needs {need} for this model. Received: {received}")
        if classes is None or labels is None:
            return
        if not (labels.min() >= 0 and labels.max() < classes):
            raise InputError(
                f"A label is a whole number from 0 to {classes - 1}. Received: "
                f"{labels[(labels < 0) | (labels >= classes)][0]}"
            )

    def act(self) -> None:
        with doing("the run doctor looks"):  # which traces its own step at first
            check = self.check()
        self._checks.append(check)
        figures = {
            f"doctor/{name}": getattr(check, name)
            for name in Check.__dataclass_fields__
            if name != "step" and np.isfinite(getattr(check, name))
        }
        self.board.scalars(check.step, figures)
        seen = [] if self.quality is None else self.quality.found
        self._report(check.step, diagnose_quality(seen) | diagnose(self._checks))

    def check(self) -> Check:
        """Looks at the model as it is now."""
        tensors = self._examine(self.model, self._latents, self._labels, self._reals)
        fakes, real_logits, fake_logits, slopes = (tensor.numpy() for tensor in tensors)
        self.logits = real_logits, fake_logits
        fakes = to_uint8(fakes, self.model.value_range)
        figures, mean = self.gallery.compare(fakes)
        move = None if self._mean is None else mean - self._mean
        check = Check(
            step=self.step,
            separation=separation(real_logits, fake_logits),
            pull=float(np.median(slopes)) * self._spread,
            swing=float("nan") if move is None else float(np.linalg.norm(move)),
            turn=_cosine(self._move, move),
            **figures,
        )
        self._mean, self._move = mean, move
        return check

    def _report(self, step: int, verdicts: Mapping[str, str]) -> None:
        for illness, words in verdicts.items():
            if illness not in self.ills:
                self._say(step, illness, words)
                self.ills[illness] = words
            self._well_for[illness] = 0
        for illness in [name for name in self.ills if name not in verdicts]:
            self._well_for[illness] += 1
            if self._well_for[illness] == WELL_AFTER:
                self._say(step, illness, f"{illness} is over at step {step}.")
                del self.ills[illness]

    def _say(self, step: int, illness: str, words: str) -> None:
        LOG.warning("run doctor: %s", words)
        self.board.text(step, f"doctor/{illness}", words)


def examine(
    gan: GAN, latents: tf.Tensor, labels: tf.Tensor | None, real_images: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """One forward pass of both networks in training mode, and the slope for the fakes.

    Everything the layers would write (statistics, seeds) is dropped.

    Args:
        gan: a compiled `GAN`.
        latents: float tensor (B, latent_dim).
        labels: tensor (B,) or (B, k), of fakes and real images alike; None without labels.
        real_images: float tensor (B, H, W, C) in the model's range.

    Returns:
        (fakes float32 (B, H, W, C), real logits (B,), fake logits (B,), norm (B,) of
        the gradient of the generator's loss of each fake by that fake), float32.
    """
    loss = gan.adversarial_loss

    def judge(images: tf.Tensor) -> tf.Tensor:
        if gan.diff_augment is not None:  # as the discriminator is used to seeing them
            images = gan.diff_augment(images, tf.constant([0, 0]))
        inputs = images if labels is None else [images, labels]
        return tf.cast(gan.discriminator(inputs, training=True), tf.float32)

    with keras.StatelessScope():
        inputs = latents if labels is None else [latents, labels]
        fakes = gan.generator(inputs, training=True)
        real_logits = tf.stop_gradient(judge(real_images))
        with tf.GradientTape() as tape:
            tape.watch(fakes)
            fake_logits = judge(fakes)
            mean = loss.generator_loss(fake_logits, real_logits if loss.pairs_real else None)
            # The sum: a fake's part of the mean might be too small for float16.
            total = mean * tf.cast(tf.shape(fakes)[0], tf.float32)
        slopes = tf.cast(tape.gradient(total, fakes), tf.float32)
    norms = tf.sqrt(tf.reduce_sum(tf.square(slopes), axis=(1, 2, 3)))
    means = (tf.reduce_mean(logits, axis=1) for logits in (real_logits, fake_logits))
    return tf.cast(fakes, tf.float32), *means, norms


def _cosine(before: np.ndarray | None, now: np.ndarray | None) -> float:
    """Cosine of the angle between two moves; NaN without both, 0 where a length is 0."""
    if before is None or now is None:
        return float("nan")
    lengths = float(np.linalg.norm(before) * np.linalg.norm(now))
    return float(before @ now) / lengths if lengths else 0.0
