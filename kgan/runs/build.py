"""From a run's options to its model and data."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
from collections.abc import Iterator
from typing import Any, Literal

import keras
import tensorflow as tf

from kgan import data as kgan_data
from kgan.data import Source
from kgan.errors import InputError
from kgan.layers import DiffAugment
from kgan.losses import LOSSES, AdversarialLoss
from kgan.models import AutoencoderPreset, Preset, get_preset
from kgan.models.presets import check_trains
from kgan.option_fields import spelling
from kgan.runs import scheduling
from kgan.runs.options import RunOptions
from kgan.runs.step_form import SHORTEST
from kgan.training import GAN, Autoencoder
from kgan.training.compiling import NO_AUGMENTATION, fit_for

ADA_TARGET = 0.6  # Karras et al. 2020
GANS_ONLY = (
    "attributes",
    "conditional",
    "latents",
    "ema_half_life_images",
    "diffaugment",
    "ada",
    "loss",
    "g_learning_rate",
    "d_learning_rate",
    "d_steps",
    "d_update",
    "d_share",
    "reuse_fakes",
    "r1_gamma",
    "r2_gamma",
    "label_smoothing",
    "lecam",
    "minibatch_stddev",
    "freeze_d",
    "schedule",
    "remat",
)


def new_model(options: RunOptions, source: Source) -> GAN | Autoencoder:
    """The compiled model that the options ask for, of the shape of the source's images.

    Raises:
        InputError: options that do not go together, or a model that cannot be made.
    """
    with _computing_in(options.precision):
        if isinstance(get_preset(options.preset), AutoencoderPreset):
            return _new_autoencoder(options, source)
        return _new_gan(options, source)


def _new_autoencoder(options: RunOptions, source: Source) -> Autoencoder:
    for name in GANS_ONLY:
        if getattr(options, name):
            raise InputError(
                f"{spelling(name)} applies to GANs only. Received: the preset {options.preset}"
            )
    networks: dict[str, Any] = {"latent_dim": options.latent_dim, "filters": options.filters}
    check_trains(options.preset, image_shape=source.image_shape, **networks)
    model = Autoencoder.from_preset(options.preset, image_shape=source.image_shape, **networks)
    preset = get_preset(options.preset, AutoencoderPreset)
    optimizer = _with_rate(preset.optimizer, options.learning_rate)
    model.compile(optimizer, jit_compile=jit_compile(options))
    return model


def _new_gan(options: RunOptions, source: Source) -> GAN:
    class_names = source.class_names if options.conditional else None
    attributes = source.attributes if options.conditional else None
    if options.conditional and class_names is None and attributes is None:
        raise InputError(
            "These pictures have no classes: they come from two or more subfolders, from "
            "`labels` or `y_train` beside an array, or from a TFDS `label`. "
            f"Received: {source.description}"
        )
    networks: dict[str, Any] = {"latent_dim": options.latent_dim, "filters": options.filters}
    networks["image_shape"] = source.image_shape
    num_classes = None if class_names is None else len(class_names)
    schedules = scheduling.schedules_of(options, source.image_shape)
    first = scheduling.first_values(schedules)
    ranges = None if attributes is None else attributes.ranges
    check_trains(options.preset, num_classes=num_classes, attribute_ranges=ranges, **networks)
    model = GAN.from_preset(
        options.preset,
        **networks,
        latent_distribution=options.latents,
        class_names=class_names,
        attributes=attributes,
        minibatch_stddev=options.minibatch_stddev,
        ema_half_life_images=first.get("ema_half_life_images", options.ema_half_life_images),
        seed=options.seed,
    )
    if options.freeze_d is not None:
        model.freeze_discriminator(options.freeze_d)
    preset = get_preset(options.preset)
    turns = {name: getattr(options, name) for name in ("d_steps", "d_update", "d_share")}
    model.compile(
        _loss(options, source.image_shape, first),
        *(_with_rate(getattr(preset, f"{role}_optimizer"), _rate(options, role)) for role in "gd"),
        redraw_latents=not options.reuse_fakes,
        diff_augment=_diff_augment(options, model, first.get("augment_probability")),
        schedules=schedules,
        remat=options.remat,
        jit_compile=jit_compile(options),
        **{name: value for name, value in turns.items() if value is not None},
    )
    return model


def jit_compile(options: RunOptions) -> bool | Literal["auto"]:
    """Keras's `jit_compile` of a run.

    Keras's "auto" is XLA on a GPU, where its first step took 23 to 89 seconds (docs/speed.md): in a
    run of a few minutes that is not made up for.
    """
    if options.jit_compile != "auto":
        return options.jit_compile == "on"
    short = options.minutes is not None and 60 * options.minutes < SHORTEST
    return False if short else "auto"


def _rate(options: RunOptions, role: str) -> float | None:
    return getattr(options, f"{role}_learning_rate") or options.learning_rate


def _with_rate(optimizer: dict[str, Any], rate: float | None) -> dict[str, Any]:
    """A preset's optimizer config, with another learning rate where one is given."""
    if rate is None:
        return optimizer
    return optimizer | {"config": optimizer["config"] | {"learning_rate": rate}}


def _loss(
    options: RunOptions, image_shape: tuple[int, ...], first: dict[str, float]
) -> AdversarialLoss:
    """The loss that was asked for, with the preset's settings where it is the preset's."""
    preset = get_preset(options.preset, Preset)
    name = options.loss or preset.loss
    settings = preset.losses_options(image_shape) if name == preset.loss else {}
    for setting in ("r1_gamma", "r2_gamma", "label_smoothing", "lecam"):
        value = first.get(setting, getattr(options, setting))
        if value is not None:
            settings[setting] = value
    smoothing = [key for key, loss in LOSSES.items() if _takes(loss, "label_smoothing")]
    if "label_smoothing" in settings and name not in smoothing:
        raise InputError(
            f"--label-smoothing applies to the losses {' and '.join(smoothing)} only. "
            f"Received: the loss {name}"
        )
    return LOSSES[name](**settings)


def _takes(loss: type[AdversarialLoss], argument: str) -> bool:
    return argument in inspect.signature(loss).parameters


def _diff_augment(
    options: RunOptions, model: GAN, probability: float | None
) -> DiffAugment | str | None:
    """What `GAN.compile` takes: a layer, a policy, "none", or None for the preset's.

    `probability` is the first that a schedule gives, None without one.
    """
    policy = options.diffaugment
    if policy == NO_AUGMENTATION and options.ada:
        raise InputError("--ada adapts an augmentation. Received: --ada and --diffaugment none")
    if policy == NO_AUGMENTATION or (not options.ada and probability is None):
        return policy
    own = get_preset(options.preset, Preset).diff_augment or DiffAugment.ADA
    return DiffAugment(
        policy or fit_for(model, own),
        ADA_TARGET if options.ada else None,
        value_range=model.value_range,
        probability=1.0 if probability is None else probability,
    )


@contextlib.contextmanager
def _computing_in(precision: str) -> Iterator[None]:
    """Context manager: layers are made under that dtype policy."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def open_source(options: RunOptions) -> Source:
    """The source of images that the options name."""
    return kgan_data.open_source(
        options.data,
        image_shape=options.size,
        fit=options.fit,
        background=options.background,
        strict=options.strict,
        labels=options.conditional or options.balance,
        attributes=options.attributes,
        split=options.split,
        manual_dir=options.manual_dir,
        download_dir=options.download_dir,
        label_column=options.label_column,
        feature=options.feature,
    )


def make_batches(
    source: Source,
    options: RunOptions,
    model: GAN | Autoencoder,
    strategy: tf.distribute.Strategy | None = None,
) -> tf.data.Dataset:
    """The pipeline that a run trains on, from where the model's training stands."""
    return kgan_data.batches(
        source,
        batch_size=options.images_per_step,
        value_range=model.value_range,
        labels=options.conditional,
        augment=options.augment or (),
        cache="auto",
        shuffle=True,
        seed=options.seed,
        balance=options.balance,
        first_batch=int(model.batches_seen.numpy()),
        strategy=strategy,
    )


def source_of(options: RunOptions, data: str | None) -> Source:
    """The run's own data, or other `data`, fitted as the run's."""
    if data is not None:
        options = with_other_data(options, data)
    return open_source(options)


def with_other_data(options: RunOptions, data: str) -> RunOptions:
    """The options for other data than the run's, without those that say how its own are read."""
    return dataclasses.replace(
        options,
        data=data,
        attributes=None,
        split=None,
        manual_dir=None,
        download_dir=None,
        label_column=None,
        feature=None,
    )
