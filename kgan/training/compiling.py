"""What `GAN.compile` makes of its arguments."""

from __future__ import annotations

import logging
import numbers
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import keras

from kgan.errors import InputError
from kgan.layers import DiffAugment
from kgan.layers.diff_augment import without_turns
from kgan.losses import LOSSES, AdversarialLoss, get_loss
from kgan.models.networks import check_positive
from kgan.models.presets import Preset, adam, get_preset
from kgan.training import adversarial_step, guarded_update
from kgan.training.blocks import graphs_of
from kgan.training.cosine import Cosine, checked
from kgan.training.judging import learns_beside
from kgan.training.lecam_anchors import LeCamAnchors
from kgan.training.network_checks import check_trainable, computes_in_float16
from kgan.training.network_probes import check_gives_logits
from kgan.training.schedules import check_fits, have_penalty

if TYPE_CHECKING:
    from kgan.training.gan import GAN


LOG = logging.getLogger("kgan")
NO_AUGMENTATION = "none"  # as `diff_augment`, where the preset has one


class Choices(NamedTuple):
    """What a GAN trains on, as `compile` was told or as its preset has it."""

    loss: AdversarialLoss
    d_steps: int
    d_update: str
    d_share: float
    redraw_latents: bool
    diff_augment: DiffAugment | None
    schedules: dict[str, Cosine]
    remat: bool

    def to_compile(self) -> dict[str, Any]:
        """The arguments of `compile` that come out as these, whatever the preset has."""
        return self._asdict() | {"diff_augment": self.diff_augment or NO_AUGMENTATION}


INSTEAD = {
    "optimizer": "g_optimizer= and d_optimizer=, one for each network",
    "metrics": "callbacks=[kgan.callbacks...] in fit; the losses and logits are logged anyway",
    "loss_weights": "a kgan.losses.AdversarialLoss, which has its weights",
}
INSTEAD["weighted_metrics"] = INSTEAD["metrics"]


def check_of_keras(arguments: Mapping[str, Any]) -> None:
    """Raises an InputError for arguments of keras.Model.compile that a GAN does not take.

    Raises:
        TypeError: an argument that Keras has not either.
    """
    for name, value in arguments.items():
        if name not in INSTEAD:
            raise TypeError(f"GAN.compile() got an unexpected keyword argument {name!r}")
        if value is not None:
            raise InputError(
                f"GAN.compile takes no {name}: use {INSTEAD[name]}. Received: {name}={value!r}"
            )


def check_learns(gan: GAN) -> None:
    """Raises an InputError where a network has nothing to train, or gives what no loss takes."""
    for role in gan.roles:
        check_trainable(role, getattr(gan, role))
    if gan.preset is None:
        check_gives_logits(gan.discriminator)


def ready_choices(
    gan: GAN,
    loss: Any,
    d_steps: int,
    d_update: str | None,
    d_share: float | None,
    redraw_latents: bool,
    diff_augment: Any,
    schedules: Any,
    remat: bool,
) -> Choices:
    """The checked `Choices`; for the arguments see `GAN.compile`."""
    preset = get_preset(gan.preset, Preset) if gan.preset else None
    if d_update is None:
        d_update = preset.d_update if preset else "joint"
    if d_share is None:
        d_share = preset.d_share if preset else 1.0
    follow = checked(schedules)
    augment = ready_diff_augment(diff_augment, preset, gan, follow)
    check_fits(gan, follow, augment)
    choices = Choices(
        ready_loss(loss, gan),
        *check_turns(d_steps, d_update),
        check_share(d_share),
        check_redraws(redraw_latents),
        augment,
        follow,
        check_remat(remat, gan),
    )
    gan.updates.shown = optional_figures(gan, choices)
    return choices


def ready_loss(loss: Any, gan: GAN) -> AdversarialLoss:
    """The loss that was asked for, with the preset's options where it is the preset's loss."""
    preset = get_preset(gan.preset, Preset) if gan.preset else None
    if preset and loss in (None, preset.loss):
        return LOSSES[preset.loss](**preset.losses_options(gan.image_shape))
    return get_loss(loss or "bce")


def check_turns(d_steps: int, d_update: str) -> tuple[int, str]:
    """Returns `d_steps` and `d_update`, or raises an InputError."""
    check_positive(d_steps=d_steps)
    if d_update not in adversarial_step.TURNS:
        raise InputError(
            f"d_update must be one of {', '.join(adversarial_step.TURNS)}. Received: {d_update!r}"
        )
    return d_steps, d_update


def check_share(d_share: Any) -> float:
    """Returns `d_share`, or raises an InputError."""
    number = isinstance(d_share, numbers.Real) and not isinstance(d_share, bool)
    if not number or not 0 < d_share <= 1:
        raise InputError(f"d_share must be a number above 0, up to 1. Received: {d_share!r}")
    return float(d_share)


def check_redraws(redraw_latents: Any) -> bool:
    """Returns `redraw_latents`, or raises an InputError."""
    if not isinstance(redraw_latents, bool):
        raise InputError(f"redraw_latents must be True or False. Received: {redraw_latents!r}")
    return redraw_latents


def check_remat(remat: Any, gan: GAN) -> bool:
    """Returns `remat`, or raises an InputError."""
    if not isinstance(remat, bool):
        raise InputError(f"remat must be True or False. Received: {remat!r}")
    for role in gan.roles if remat else ():
        if not graphs_of(getattr(gan, role)):
            raise InputError(
                "remat=True recomputes the blocks of networks of Keras's functional API, without "
                f"masks. Received: a {role} of the class {type(getattr(gan, role)).__name__}"
            )
    return remat


def check_two_optimizers(g_optimizer: Any, d_optimizer: Any) -> None:
    """Raises an InputError where both are one object."""
    if isinstance(g_optimizer, keras.optimizers.Optimizer) and g_optimizer is d_optimizer:
        raise InputError(
            "g_optimizer and d_optimizer must be two optimizers: each keeps the state of one "
            f"network. Received the same object twice: {g_optimizer!r}"
        )


def ready_optimizer(optimizer: Any, gan: GAN, role: str) -> keras.Optimizer:
    """The optimizer of one network, built for it.

    Args:
        optimizer: what `compile` was given; None for the preset's.
        gan: the model.
        role: "generator" or "discriminator".
    """
    if optimizer is None:
        preset = get_preset(gan.preset) if gan.preset else None
        optimizer = getattr(preset, f"{role[0]}_optimizer") if preset else adam(2e-4, 0.5)
    scale = computes_in_float16(gan.generator, gan.discriminator)
    with gan.distribute_strategy.scope():
        return guarded_update.ready_optimizer(optimizer, getattr(gan, role), scale)


def ready_diff_augment(
    diff_augment: Any, preset: Preset | None, gan: GAN, schedules: Mapping[str, Cosine]
) -> DiffAugment | None:
    """The layer that was asked for, or one of a policy; for None the preset's, "none" for none.

    What a preset applies by a schedule is not applied without it; a schedule of the probability
    alone is of all there is. Nobody having named them, images with attributes are not mirrored
    or turned by right angles.
    """
    cosine = schedules.get("augment_probability")
    named = diff_augment is not None
    if diff_augment not in (None, NO_AUGMENTATION) and not gan.makes_pictures:
        raise InputError(
            f"diff_augment changes pictures (H, W, C). Received a GAN that makes {gan.image_shape}"
        )
    if diff_augment is None and preset is not None:
        if cosine is not None or "augment_probability" not in preset.schedules:
            diff_augment = preset.diff_augment
    if diff_augment is None and cosine is not None:
        diff_augment = DiffAugment.ADA
    if not named and diff_augment is not None:
        diff_augment = fit_for(gan, diff_augment)
    if diff_augment in (None, NO_AUGMENTATION):
        return None
    if isinstance(diff_augment, DiffAugment):
        return diff_augment
    with gan.distribute_strategy.scope():
        first = 1.0 if cosine is None else min(cosine.start, cosine.end)
        return DiffAugment(diff_augment, value_range=gan.value_range, probability=first)


def fit_for(gan: GAN, policy: str) -> str:
    """A policy of `DiffAugment` that nobody named, without what changes the images' attributes.

    The mirror image of a face turned left is turned right, and its label still says left.
    """
    fitting = policy if gan.attributes is None else without_turns(policy)
    if fitting != policy:
        LOG.warning(
            "the discriminator sees no picture mirrored or turned by 90 degrees: its attributes "
            "may be others then; where they are not, name diffaugment %s",
            policy,
        )
    return fitting


def ready_anchors(gan: GAN) -> LeCamAnchors | None:
    """What LeCam regularisation remembers, from the start; None where the loss has none."""
    if not gan.adversarial_loss.lecam:
        return None
    with gan.distribute_strategy.scope():
        return LeCamAnchors()


def optional_figures(gan: GAN, choices: Choices) -> set[str]:
    """Which figures a training has beside those that every training has."""
    augment = choices.diff_augment
    penalty = have_penalty(choices.loss, choices.schedules) or learns_beside(gan.discriminator)
    shown = {
        "penalty": penalty,
        "augment_probability": augment is not None and augment.target is not None,
    }
    return {name for name, there in shown.items() if there}
