"""One adversarial step: the two objectives, and what a `GAN` does around them.

The objectives are pure functions of images. Each step changes the variables of one network and
of no other: weights, normalisation statistics and random seeds alike (Goodfellow et al. 2014,
algorithm 1, https://arxiv.org/abs/1406.2661).
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import keras
import tensorflow as tf

from kgan.layers import draws
from kgan.losses import AdversarialLoss, lecam_penalty
from kgan.losses.penalties import gradient_penalty, logits_and_squared_gradient
from kgan.training import fused_operations, recomputation, replicas, schedules
from kgan.training.judging import (
    Judge,
    Learner,
    constant,
    judges_of,
    learns_beside,
    with_labels,
)
from kgan.training.kept_fakes import KeptFakes
from kgan.training.lecam_anchors import Anchors
from kgan.training.step_figures import record_discriminator

if TYPE_CHECKING:
    from kgan.training.gan import GAN

# What each of the discriminator's updates learns from, by `d_update`.
TURNS = {"joint": (("real", "fake"),), "sequential": (("fake",), ("real",))}


class Judged(NamedTuple):
    """What a discriminator's objective comes to.

    Attributes:
        loss: all of it.
        penalty: the part of it that is not adversarial: penalties, and the discriminator's own.
        real_logits, fake_logits: float32 tensors (B, 1).
    """

    loss: tf.Tensor
    penalty: tf.Tensor
    real_logits: tf.Tensor
    fake_logits: tf.Tensor


def discriminator_objective(
    judges: Sequence[Judge],
    real_images: tf.Tensor,
    fake_images: tf.Tensor,
    loss: AdversarialLoss,
    learn_from: Sequence[str] = ("real", "fake"),
    mix: tf.Tensor | None = None,
    anchors: Anchors | None = None,
    gammas: tuple[Any, Any] | None = None,
    learn_real: Learner | None = None,
) -> Judged:
    """The discriminator's loss on real and fake images, penalties included.

    Real and fake images go through separately: one mixed batch would be normalised as one.

    Args:
        judges: the discriminator for real images, fake ones and those between, as functions.
        real_images, fake_images: float tensors (B, H, W, C) in the model's range.
        loss: the loss and the weights of its penalties.
        learn_from: "real", "fake" or both; the other logits are constants.
        mix: float tensor (B,) from U(0, 1) for the gradient penalty; None where it has none.
        anchors: those of LeCam regularisation; None where the loss has none.
        gammas: weights of R1 and R2, numbers or scalar tensors; None for the loss's own.
        learn_real: the judge of real images of a discriminator that learns something beside from
            them, with the loss of that; None for most.
    """
    r1_gamma, r2_gamma = gammas or (loss.r1_gamma, loss.r2_gamma)
    judge_real, judge_fake, judge_between = judges
    own_losses: list[tf.Tensor] = []
    if learn_real is not None and "real" in learn_from:

        def judge_real(images: tf.Tensor) -> tf.Tensor:
            logits, own_loss = learn_real(images)
            own_losses.append(own_loss)
            return logits

    def judged(judge: Judge, images: tf.Tensor, kind: str, gamma: Any) -> tuple:
        if kind not in learn_from:
            return constant(judge, images), 0.0
        if not (tf.is_tensor(gamma) or gamma):
            return judge(images), 0.0
        logits, squares = logits_and_squared_gradient(judge, images)
        return logits, 0.5 * gamma * tf.reduce_mean(squares)

    real_logits, penalty = judged(judge_real, real_images, "real", r1_gamma)
    fake_logits, fake_penalty = judged(judge_fake, fake_images, "fake", r2_gamma)
    penalty += fake_penalty + sum(own_losses)
    if mix is not None and "real" in learn_from:
        with keras.StatelessScope():  # images between real and fake leave no statistics
            steepness = gradient_penalty(judge_between, real_images, fake_images, mix)
        penalty += loss.gradient_penalty * tf.reduce_mean(steepness)
    if anchors is not None:
        weight = loss.lecam * anchors.known
        if "real" in learn_from:
            penalty += weight * lecam_penalty(real_logits, anchors.fake)
        if "fake" in learn_from:
            penalty += weight * lecam_penalty(fake_logits, anchors.real)
    total = loss.discriminator_loss(real_logits, fake_logits) + penalty
    return Judged(total, penalty, real_logits, fake_logits)


def generator_objective(
    judges: Sequence[Judge], real_images: tf.Tensor, fake_images: tf.Tensor, loss: AdversarialLoss
) -> tuple[tf.Tensor, tf.Tensor]:
    """The generator's loss through a discriminator, and the logits of its images.

    The arguments are those of `discriminator_objective`; of the judges it takes the first two.
    """
    judge_real, judge_fake, *_ = judges
    real_logits = constant(judge_real, real_images) if loss.pairs_real else None
    fake_logits = judge_fake(fake_images)
    return loss.generator_loss(fake_logits, real_logits), fake_logits


def take_step(gan: GAN, real_images: tf.Tensor, labels: tf.Tensor | None = None) -> None:
    """Updates the discriminator and, after each `d_steps`-th batch, the generator.

    Args:
        gan: a compiled `GAN`.
        real_images: float tensor (B, H, W, C) in the model's range.
        labels: tensor (B,) or (B, k), their classes or attributes, which the fakes take over; None
            without.
    """
    # A gradient penalty takes the second derivative of the discriminator.
    twice = gan.discriminator if schedules.takes_gradients(gan) else None
    images = schedules.begin_step(gan, real_images)
    networks = (gan.generator, gan.discriminator)
    again = recomputation.of_blocks(*networks) if gan.remat else contextlib.nullcontext()
    with fused_operations.batch_normalization(*networks, but=twice), again:
        kept = None
        if not gan.redraw_latents:
            kept = KeptFakes(gan, gan.draw_latents(_size_of(real_images)), labels)
        discriminator_step(gan, real_images, labels, kept)
        gan.batches_seen.assign_add(1)
        replicas.every(
            gan.d_steps, gan.batches_seen, lambda: generator_step(gan, real_images, labels, kept)
        )
        gan.images_seen.assign_add(images)


def discriminator_step(
    gan: GAN,
    real_images: tf.Tensor,
    labels: tf.Tensor | None = None,
    kept: KeptFakes | None = None,
) -> None:
    """Updates the discriminator from one batch of real images and one of fakes.

    Args:
        gan, real_images, labels: as for `take_step`.
        kept: as many fakes with those labels; None to make them here.
    """
    real_images, labels = _share_of(gan.d_share, real_images, labels)
    batch_size = _size_of(real_images)
    loss = gan.adversarial_loss
    # Drawn out here: inside an update, a seed that is not the network's own would not move on.
    latents = gan.draw_latents(batch_size) if kept is None else None
    mix = draws.shares(gan.seed_generator, batch_size) if loss.gradient_penalty else None
    anchors = None if gan.lecam_anchors is None else gan.lecam_anchors.values()
    judges = judges_of(gan, labels, 3)
    gammas = schedules.gammas(gan)
    learn_real = judges[0].learn if learns_beside(gan.discriminator) else None

    def objective(learn_from: Sequence[str]) -> tuple:
        if kept is None:
            # Without the stop, the way back through the generator would be traced too.
            fake_images = tf.stop_gradient(
                gan.generator(with_labels(latents, labels), training=True)
            )
        else:
            fake_images = kept.images[:batch_size]
        judged = discriminator_objective(
            judges, real_images, fake_images, loss, learn_from, mix, anchors, gammas, learn_real
        )
        logits = tf.concat([judged.real_logits, judged.fake_logits], axis=0)
        return judged.loss, logits, judged

    penalty = 0.0
    turns = TURNS[gan.d_update]
    for turn in turns:
        update = gan.updates.apply(
            "discriminator" if turn is turns[0] else "discriminator_second",
            gan.discriminator,
            gan.d_optimizer,
            functools.partial(objective, turn),
            real_images,
            regularize=turn is turns[-1],  # once per batch
            beta_2=schedules.value(gan, "beta_2"),
        )
        penalty += tf.where(update.taken, update.extra.penalty, 0.0)
    record_discriminator(gan, batch_size, update, penalty)


def _size_of(images: tf.Tensor) -> int | tf.Tensor:
    return images.shape[0] or tf.shape(images)[0]


def _share_of(
    share: float, real_images: tf.Tensor, labels: tf.Tensor | None
) -> tuple[tf.Tensor, tf.Tensor | None]:
    """The first of a batch, rounded down, at least one of it."""
    if share == 1.0:
        return real_images, labels
    whole = real_images.shape[0]
    if whole is None:
        count = tf.maximum(
            1, tf.cast(share * tf.cast(tf.shape(real_images)[0], tf.float32), "int32")
        )
    else:
        count = max(1, int(share * whole))
    return real_images[:count], None if labels is None else labels[:count]


def generator_step(
    gan: GAN,
    real_images: tf.Tensor,
    labels: tf.Tensor | None = None,
    kept: KeptFakes | None = None,
) -> None:
    """Updates the generator through the frozen discriminator, and its average where it has one.

    The discriminator normalises the fakes by their own statistics, as in training; what it would
    write of them is dropped. The arguments are those of `discriminator_step`.
    """
    latents = gan.draw_latents(_size_of(real_images)) if kept is None else None
    judges = judges_of(gan, labels, 2)

    def objective() -> tuple:
        if kept is None:
            fake_images = gan.generator(with_labels(latents, labels), training=True)
        else:
            fake_images = kept.images_to_learn_from()
        loss, logits = generator_objective(judges, real_images, fake_images, gan.adversarial_loss)
        return loss, logits, None

    update = gan.updates.apply(
        "generator",
        gan.generator,
        gan.g_optimizer,
        objective,
        real_images,
        beta_2=schedules.value(gan, "beta_2"),
    )
    gan.updates.record(update.taken, g_loss=update.loss)
    if gan.average is not None:
        gan.average.follow(gan, tf.shape(real_images)[0])
