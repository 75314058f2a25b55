"""Schedules: figures of a training that follow a cosine over the images seen.

What a step uses is worked out within it from `gan.images_seen`, which is saved with the model: a
training that is stopped and goes on has the same values as one that was not. Nothing is traced
anew from step to step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from kgan.errors import InputError
from kgan.layers import DiffAugment
from kgan.losses import AdversarialLoss
from kgan.models.presets import Preset, get_preset
from kgan.training import replicas
from kgan.training.cosine import RATES, Cosine, by_network, checked
from kgan.training.distribution import has_workers

if TYPE_CHECKING:
    from kgan.training.gan import GAN

GAMMAS = ("r1_gamma", "r2_gamma")
NETWORKS = ("generator", "discriminator")  # a subclass may have more, and their optimizers
UNTIL_STOPPED = 10**6  # so many epochs are no plan


def of_preset(gan: GAN, loss: Any, optimizers: bool, diff_augment: Any) -> dict[str, Cosine]:
    """The schedules of a GAN's preset, without those of what the user has set otherwise.

    Args:
        gan: a `GAN`.
        loss, diff_augment: what `compile` was given.
        optimizers: whether it was given one.
    """
    if gan.preset is None:
        return {}
    preset = get_preset(gan.preset, Preset)
    own = preset.schedules_at(gan.image_shape)
    if loss not in (None, preset.loss):
        own = {name: ends for name, ends in own.items() if name not in GAMMAS}
    if optimizers:
        own = {name: ends for name, ends in own.items() if name not in (*RATES, "beta_2")}
    if gan.ema_half_life_images != preset.ema_half_life_images:
        own.pop("ema_half_life_images", None)
    if diff_augment is not None or not gan.makes_pictures:
        own.pop("augment_probability", None)
    return checked(own)


def check_fits(gan: GAN, schedules: Mapping[str, Cosine], diff_augment: DiffAugment | None) -> None:
    """Raises an InputError where there is nothing that a schedule could drive."""
    if "ema_half_life_images" in schedules and gan.average is None:
        raise InputError(
            "A schedule of ema_half_life_images needs an averaged generator: give the GAN "
            "ema_half_life_images too. Received: a GAN without"
        )
    if "augment_probability" not in schedules:
        return
    if diff_augment is None:
        raise InputError(
            "A schedule of augment_probability needs diff_augment, what to apply. Received: None"
        )
    made = diff_augment.get_config()
    if made["target"] is not None or made["probability"] == 1.0:
        raise InputError(
            "A schedule of augment_probability needs a DiffAugment of a probability below 1 and "
            f"without a target. Received: target={made['target']}, "
            f"probability={made['probability']}"
        )


def begin_rates(gan: GAN) -> None:
    """Gives both optimizers the first values of their schedules, or those they are at.

    Raises:
        InputError: an optimizer that cannot follow.
    """
    for role in NETWORKS:
        optimizer = own_optimizer(gan, role)
        if "beta_2" in gan.schedules and not hasattr(optimizer, "beta_2"):
            raise InputError(
                "A schedule of beta_2 needs optimizers that have it, such as Adam. "
                f"Received: {type(optimizer).__name__} for the {role}"
            )
        rate = value(gan, *_names_of_rate(role))
        if rate is None:
            continue
        try:
            optimizer.learning_rate = float(rate)
        except (TypeError, AttributeError):
            raise InputError(
                "A schedule of the learning rate needs optimizers with a number for it. "
                f"Received: a Keras LearningRateSchedule for the {role}"
            ) from None


def without_rates(gan: GAN, roles: Iterable[str]) -> None:
    """Takes the learning rates of some networks out of a GAN's schedules: they stay as they are."""
    names = {_names_of_rate(role)[0] for role in roles}
    kept = {name: one for name, one in by_network(gan.schedules).items() if name not in names}
    if len(kept) < len(by_network(gan.schedules)):
        _change(gan, kept)


def lower_rates(gan: GAN, divisor: float) -> None:
    """Divides the schedules of a GAN's learning rates."""
    lower = {
        name: Cosine(one.start / divisor, one.end / divisor, one.images)
        for name, one in gan.schedules.items()
        if name in RATES
    }
    if lower:
        _change(gan, gan.schedules | lower)


def _change(gan: GAN, schedules: dict[str, Cosine]) -> None:
    gan.schedules = schedules
    gan._compile_arguments = gan._compile_arguments | {"schedules": schedules}
    if gan.train_function is not None:  # it has the old ones
        gan.make_train_function(force=True)


def own_optimizer(gan: GAN, role: str) -> keras.Optimizer:
    """A network's optimizer, without a loss scale's wrapper."""
    optimizer = getattr(gan, f"{role[0]}_optimizer")
    return getattr(optimizer, "inner_optimizer", optimizer)


def _names_of_rate(role: str) -> tuple[str, str]:
    return f"{role[0]}_learning_rate", "learning_rate"


def value(gan: GAN, *names: str) -> tf.Tensor | None:
    """What the first of these that has a schedule is now, a float32 scalar; None where none has."""
    for name in names:
        if name in gan.schedules:
            cosine = gan.schedules[name]
            begun = tf.convert_to_tensor(gan.schedule_begun)
            length = cosine.images or tf.convert_to_tensor(gan.schedule_images) - begun
            return cosine.at(tf.convert_to_tensor(gan.images_seen) - begun, length)
    return None


def gammas(gan: GAN) -> tuple[Any, Any]:
    """The weights of R1 and R2 now: the loss's own numbers, or tensors."""
    own = gan.adversarial_loss
    r1, r2 = (value(gan, name) for name in GAMMAS)
    return own.r1_gamma if r1 is None else r1, own.r2_gamma if r2 is None else r2


def have_penalty(loss: AdversarialLoss, schedules: Mapping[str, Cosine]) -> bool:
    """Whether the discriminator's loss has a penalty, now or later."""
    return loss.has_penalty or any(name in schedules for name in GAMMAS)


def takes_gradients(gan: GAN) -> bool:
    """Whether the discriminator's loss takes its gradient, now or later."""
    scheduled = any(name in gan.schedules for name in GAMMAS)
    return gan.adversarial_loss.has_gradient_penalty or scheduled


def half_life(gan: GAN, own: float) -> float | tf.Tensor:
    """The average's half-life in images now, before its ramp-up; `own` without a schedule."""
    cosine = gan.schedules.get("ema_half_life_images")
    if cosine is None:
        return own
    now = value(gan, "ema_half_life_images")
    if cosine.images is not None:
        return now
    # Without a known length the ramp-up alone shapes it: the first value would mean no average.
    known = tf.convert_to_tensor(gan.schedule_images) > 0
    return tf.where(known, now, max(cosine.start, cosine.end))


def begin_step(gan: GAN, real_images: tf.Tensor) -> tf.Tensor:
    """Sets what the step takes from variables; returns its real images on all replicas, int64."""
    images = tf.cast(tf.shape(real_images)[0], tf.int64)
    if replicas.count() > 1:  # a last batch may be divided unevenly
        share = replicas.mean([tf.cast(images, tf.float32)])[0]
        images = tf.cast(tf.round(share * replicas.count()), tf.int64)
    # A model of a version that counted its batches alone: they were as large, as far as we know.
    seen = tf.convert_to_tensor(gan.images_seen)
    before = tf.convert_to_tensor(gan.batches_seen) * images
    gan.images_seen.assign(tf.where(seen == 0, before, seen))
    begun = tf.convert_to_tensor(gan.schedule_begun)
    gan.schedule_begun.assign(tf.where(seen == 0, before, begun))
    if not gan.schedules:
        return images
    length, planned = tf.convert_to_tensor(gan.schedule_images), tf.identity(gan.planned_steps)
    plan = tf.convert_to_tensor(gan.images_seen) + planned * images
    gan.schedule_images.assign(tf.where((length > 0) | (planned == 0), length, plan))
    for role in NETWORKS:
        rate = value(gan, *_names_of_rate(role))
        if rate is not None:
            own_optimizer(gan, role).learning_rate = rate
    probability = value(gan, "augment_probability")
    if probability is not None:
        assert gan.diff_augment is not None  # `check_fits`
        gan.diff_augment.probability.assign(probability)
    return images


def figures(gan: GAN) -> dict[str, tf.Tensor]:
    """Name -> value of each schedule after the step, for the logs; a half-life ramped up."""
    now: dict[str, Any] = {name: value(gan, name) for name in gan.schedules}
    if "ema_half_life_images" in now:
        assert gan.average is not None  # `check_fits`
        now["ema_half_life_images"] = gan.average.half_life_at(gan)
    if has_workers(tf.distribute.get_strategy()):  # there Keras takes means over the first axis
        now = {name: figure[None] for name, figure in now.items()}
    return now


class FitLength(keras.callbacks.Callback):
    """Tells a GAN how long the fit is, over which schedules of no length of their own go.

    The first fit of a known length counts; what is trained later has the last values.
    """

    def on_train_begin(self, logs: Any = None) -> None:
        self._epochs: int | None = None  # still to come when the first one begins

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        gan = self.model
        if self._epochs is not None or not getattr(gan, "schedules", None):
            return
        self._epochs, self._seen = self.params["epochs"] - epoch, int(gan.images_seen.numpy())
        planned = (self.params.get("steps") or 0) * self._epochs
        gan.planned_steps.assign(planned if self._epochs < UNTIL_STOPPED else 0)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        gan = self.model
        known = not getattr(gan, "schedules", None) or int(gan.schedule_images.numpy())
        if not known and self._epochs and self._epochs < UNTIL_STOPPED:
            # The data's own length shows when they end.
            images = int(gan.images_seen.numpy()) - self._seen
            gan.schedule_images.assign(self._seen + images * self._epochs)

    def on_train_end(self, logs: Any = None) -> None:
        if getattr(self.model, "schedules", None):
            self.model.planned_steps.assign(0)
