"""`RunDoctor`: watches a GAN in training for the ways GANs die and says so."""

import collections
import logging

import keras
import numpy as np
import tensorflow as tf

from kgan import latents as latent_law
from kgan.callbacks.board import Board
from kgan.callbacks.doctor_measures import Gallery, separation
from kgan.callbacks.doctor_verdicts import BATCH, STUCK_FOR, Check, diagnose
from kgan.callbacks.every_steps import EverySteps
from kgan.errors import InputError
from kgan.images import from_uint8, to_uint8
from kgan.training.gan import GAN

LOG = logging.getLogger("kgan")
WELL_AFTER = 3  # checks without an illness until it is over


class RunDoctor(EverySteps):
    """Warns, in plain words, when a `GAN` in training falls ill.

    It knows a generator overwhelmed by its discriminator, mode collapse,
    memorisation and oscillation. Each is told once, through the log of "kgan",
    when it has lasted some checks, and again when it is over. It looks at 64
    fakes of the same latents each time, as training makes them, and changes nothing
    of the training: no weight, statistic, seed or optimizer.

    Copies are sought among `pictures` alone. Where they are a sample of what the model
    trains on, only copies of those are seen: of a thousand pictures in ten
    thousand, a tenth. An alarm is right, silence proves little.

    Args:
        pictures: uint8 array (N, H, W, C), N at least 2, real pictures drawn at
            random from those the model trains on; some hundred to 2,000.
        labels: int array (N,), their classes; of a conditional GAN.
        every_steps: steps between two checks.
        log_dir: directory of TensorBoard events for the figures of every
            check (`doctor/...`, see `kgan.callbacks.doctor_verdicts.Check`) and for what
            is said; None for none.

    Attributes:
        ills: dict of illness -> what was said of it, those that are not over.

    Raises:
        InputError: not such arrays, `every_steps` below 1; in `fit`, a model that is no
            `GAN`, pictures of another shape, or labels where there must be
            none or none where there must be.
    """

    def __init__(self, pictures, labels=None, every_steps=100, log_dir=None):
        super().__init__(every_steps)
        self.gallery = Gallery(pictures, labels)
        self.board = Board(log_dir)

    def on_train_begin(self, logs=None):
        self._check_model()
        self.ills = {}
        self._well_for = collections.Counter()
        self._checks = collections.deque(maxlen=STUCK_FOR)
        self._mean = self._move = None
        self._examine = tf.function(examine)
        gan, batch = self.model, self.gallery.batch
        self._reals = tf.constant(from_uint8(self.gallery.pictures[batch], gan.value_range))
        latents = latent_law.from_seeds(range(BATCH), gan.latent_dim, gan.latent_distribution)
        self._latents = tf.constant(latents)
        labels = self.gallery.labels
        self._labels = None if labels is None else tf.constant(labels[batch])
        low, high = gan.value_range
        self._spread = self.gallery.spread * (high - low) / 255.0
        super().on_train_begin(logs)

    def _check_model(self):
        if not isinstance(self.model, GAN):
            raise InputError(f"A RunDoctor watches a kgan.GAN. Received: {self.model!r}")
        shape = self.gallery.pictures.shape[1:]
        if shape != tuple(self.model.image_shape):
            raise InputError(
                f"The RunDoctor's pictures must be {tuple(self.model.image_shape)} as the model's "
                f"are. Received: {shape}"
            )
        classes, labels = self.model.num_classes, self.gallery.labels
        if (classes is None) != (labels is None):
            need = "no labels" if classes is None else f"labels from 0 to {classes - 1}"
            have = "none" if labels is None else f"{len(labels)}"
            raise InputError(f"A RunDoctor needs {need} for this model. Received: {have}")
        if classes is not None and not (labels.min() >= 0 and labels.max() < classes):
            raise InputError(
                f"A label is a whole number from 0 to {classes - 1}. Received: "
                f"{labels[(labels < 0) | (labels >= classes)][0]}"
            )

    def act(self):
        check = self.check()
        self._checks.append(check)
        figures = {
            f"doctor/{name}": getattr(check, name)
            for name in Check.__dataclass_fields__
            if name != "step" and np.isfinite(getattr(check, name))
        }
        self.board.scalars(check.step, figures)
        self._tell(check.step, diagnose(self._checks))

    def check(self):
        """Looks at the model as it is now.

        Returns:
            A `kgan.callbacks.doctor_verdicts.Check`.
        """
        found = self._examine(self.model, self._latents, self._labels, self._reals)
        fakes, real_logits, fake_logits, slopes = (tensor.numpy() for tensor in found)
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

    def _tell(self, step, found):
        for illness, words in found.items():
            if illness not in self.ills:
                LOG.warning("run doctor: %s", words)
                self.board.text(step, f"doctor/{illness}", words)
                self.ills[illness] = words
            self._well_for[illness] = 0
        for illness in [name for name in self.ills if name not in found]:
            self._well_for[illness] += 1
            if self._well_for[illness] == WELL_AFTER:
                words = f"{illness} is over at step {step}."
                LOG.warning("run doctor: %s", words)
                self.board.text(step, f"doctor/{illness}", words)
                del self.ills[illness]


def examine(gan, latents, labels, real_images):
    """One forward pass of both networks as training makes it, and the slope for the fakes.

    Everything the layers would write (statistics, seeds) is dropped.

    Args:
        gan: a compiled `GAN`.
        latents: float tensor (B, latent_dim).
        labels: int tensor (B,), of fakes and real images alike; None without classes.
        real_images: float tensor (B, H, W, C) in the model's range.

    Returns:
        (fakes float32 (B, H, W, C), real logits (B,), fake logits (B,), norm (B,) of
        the gradient of the generator's loss of each fake by that fake), float32.
    """
    loss = gan.adversarial_loss

    def judge(images):
        if gan.diff_augment is not None:  # as the discriminator is used to see them
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
    return tf.cast(fakes, tf.float32), real_logits[:, 0], fake_logits[:, 0], norms


def _cosine(one, other):
    if one is None or other is None:
        return float("nan")
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / lengths if lengths else 0.0
