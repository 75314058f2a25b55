"""What a run is made from: its config, and the model, data and callbacks that follow from it."""

import contextlib
import dataclasses
import json
import math
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from kgan import data as kgan_data
from kgan.errors import InputError
from kgan.images import to_uint8
from kgan.layers import DiffAugment
from kgan.models import AutoencoderPreset, get_preset
from kgan.training.autoencoder import Autoencoder
from kgan.callbacks import Curves, LatentWalk, ReconstructionStrip, RunDoctor, SampleGrid
from kgan.training.gan import GAN
from kgan.runs.load import CONFIG_FILE

ADA_TARGET = 0.6  # Karras et al. 2020
PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")
SHOWN_PICTURES = 32  # of a reconstruction strip
DOCTORS_PICTURES = 1000


@dataclasses.dataclass
class RunConfig:
    """What a run is made from; `config.json` holds it with every default resolved.

    Attributes:
        data: None for the embedded set, a path, or "tfds:NAME".
        split, manual_dir, download_dir: of a TFDS set, as for `kgan.data.from_tfds`.
        preset: name of the preset.
        size: (H, W) or (H, W, C); None for the data's own.
        latent_dim, filters, batch_size, ema_half_life_images: None for the
            preset's; a half-life of 0 for no average.
        conditional: train on the data's classes.
        precision: one of `PRECISIONS`, the dtype policy of the networks' layers.
        diffaugment: policy of `kgan.layers.DiffAugment`; None for none.
        ada: let the strength of that adapt.
        fit: "crop" or "pad", how pictures of another shape are fitted.
        background: (R, G, B) under transparent pictures and around padded ones.
        augment: names of augmentations; None for the data's default.
        strict: a picture that cannot be decoded is an error.
        seed: seed of weights, latents, data order and samples.
        source: the data in words; the run fills it in.
    """

    data: str | None = None
    split: str | None = None
    manual_dir: str | None = None
    download_dir: str | None = None
    preset: str = "dcgan"
    size: tuple | None = None
    latent_dim: int | None = None
    filters: int | None = None
    batch_size: int | None = None
    ema_half_life_images: float | None = None
    conditional: bool = False
    precision: str = "float32"
    diffaugment: str | None = None
    ada: bool = False
    fit: str = "crop"
    background: tuple = (255, 255, 255)
    augment: list | None = None
    strict: bool = False
    seed: int = 0
    source: str | None = None


def new_model(config, source):
    """The model that a config asks for, of the shape of the source's pictures."""
    networks = {
        "image_shape": source.image_shape,
        "latent_dim": config.latent_dim,
        "filters": config.filters,
    }
    if isinstance(get_preset(config.preset), AutoencoderPreset):
        for name in ("conditional", "ema_half_life_images", "diffaugment", "ada"):
            if getattr(config, name):
                raise InputError(f"{name} is a GAN's. Received: the preset {config.preset}")
        return Autoencoder.from_preset(config.preset, **networks)
    names = None
    if config.conditional:
        names = source.class_names
        if names is None:
            raise InputError(
                "These pictures have no classes: they come from two or more subfolders, from "
                "`labels` or `y_train` beside an array, or from a TFDS `label`. "
                f"Received: {source.description}"
            )
    return GAN.from_preset(
        config.preset,
        **networks,
        num_classes=len(names) if names else None,
        class_names=names,
        ema_half_life_images=config.ema_half_life_images,
        seed=config.seed,
    )


@contextlib.contextmanager
def computing_in(precision):
    """A context in which layers are made under that dtype policy.

    Raises:
        InputError: none of `PRECISIONS`.
    """
    if precision not in PRECISIONS:
        raise InputError(
            f"precision must be one of {', '.join(PRECISIONS)}. Received: {precision!r}"
        )
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def compile_model(model, config):
    """Compiles a new model with its preset's training and the config's changes to it."""
    augment = config.diffaugment or (DiffAugment.EVERYTHING if config.ada else None)
    if augment is None:
        return model.compile()
    target = ADA_TARGET if config.ada else None
    model.compile(diff_augment=DiffAugment(augment, target, value_range=model.value_range))


def open_source(config):
    """The source of pictures that a config names."""
    return kgan_data.open_source(
        config.data,
        image_shape=tuple(config.size) if config.size else None,
        fit=config.fit,
        background=tuple(config.background),
        strict=config.strict,
        labels=config.conditional,
        split=config.split,
        manual_dir=config.manual_dir,
        download_dir=config.download_dir,
    )


def make_batches(source, config, model):
    """The pipeline that a run trains on, from where the model's training stands."""
    return kgan_data.batches(
        source,
        batch_size=config.batch_size,
        value_range=model.value_range,
        labels=config.conditional,
        augment=config.augment,
        cache="auto",
        shuffle=True,
        seed=config.seed,
        first_batch=int(model.batches_seen.numpy()),
    )


def sheets(model, source, config, directory, log_dir):
    """The callbacks that show how the model learns."""
    if isinstance(model, GAN):
        return [
            SampleGrid(directory, seed=config.seed, log_dir=log_dir),
            LatentWalk(directory, seed=config.seed),
        ]
    pictures = kgan_data.first_images(source, SHOWN_PICTURES)
    return [ReconstructionStrip(directory, pictures, log_dir=log_dir)]


def watchers(model, batches, config, log_dir):
    """The callbacks that follow the figures of training: curves and, of a GAN, the doctor.

    The doctor has the first pictures that the run trains on.
    """
    watching = [Curves(log_dir)]
    if isinstance(model, GAN):
        pictures, labels = _first_trained_on(batches, config, model.value_range)
        if len(pictures) > 1:
            labels = labels if config.conditional else None
            watching.append(RunDoctor(pictures, labels, log_dir=log_dir))
    return watching


def _first_trained_on(batches, config, value_range):
    """About 1,000 pictures, uint8, and their labels; fewer where no more can be read."""
    pictures, labels = [], []
    try:
        for batch in batches.take(math.ceil(DOCTORS_PICTURES / config.batch_size)):
            images, classes = batch if config.conditional else (batch, [])
            pictures.extend(to_uint8(images, value_range))
            labels.extend(np.asarray(classes))
    except (tf.errors.OpError, UnicodeDecodeError, InputError):
        pass  # training meets it in its own time, and tells of it
    return np.array(pictures), np.array(labels)


def pictures_of(config, data, n):
    """Up to n pictures to show, uint8, from the run's own data or from other `data`."""
    if data is not None:
        config = dataclasses.replace(
            config, data=data, split=None, manual_dir=None, download_dir=None
        )
    return kgan_data.first_images(open_source(config), n)


def read_config(directory):
    """The `RunConfig` of a run.

    Raises:
        InputError: it is no run.
    """
    try:
        return RunConfig(**json.loads((Path(directory) / CONFIG_FILE).read_text()))
    except (OSError, ValueError, TypeError):
        raise InputError(f"Not a run: no readable {CONFIG_FILE} in {directory}") from None
