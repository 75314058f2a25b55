"""The callbacks of a run: what shows and judges how its model learns."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kgan import callbacks
from kgan import data as kgan_data
from kgan.callbacks import (
    Curves,
    CurvesPicture,
    LatentWalk,
    ReconstructionStrip,
    RunDoctor,
    SampleGrid,
    Track,
)
from kgan.data import Source
from kgan.errors import InputError
from kgan.images import to_uint8
from kgan.option_fields import parse_interval
from kgan.runs import goal, quality
from kgan.runs.directory import LOGS, SAMPLES, TRACKER_FILE
from kgan.runs.options import RunOptions
from kgan.telling import doing
from kgan.training import GAN, Autoencoder
from kgan.training.distribution import is_chief

SHOWN_IMAGES = 32  # of a reconstruction strip
DOCTORS_IMAGES = 1000


def progress_line(
    options: RunOptions, done: goal.Progress, stop: callbacks.StopAfter
) -> callbacks.ProgressLine:
    """How far a run is, which counts what was done before."""
    return callbacks.ProgressLine(
        options.images_per_step,
        epochs=options.epochs and options.epochs - done.epochs,
        first_epoch=done.epochs,
        epoch_steps=done.epoch_steps,
        epoch_begun=done.steps % done.epoch_steps,
        stop=stop,
        steps_done=done.steps,
    )


def watchers(
    model: GAN | Autoencoder,
    source: Source,
    batches: tf.data.Dataset,
    options: RunOptions,
    directory: Path,
    real: quality.RealImages | None,
) -> list[keras.callbacks.Callback]:
    """The callbacks that show and judge how the model learns."""
    samples, logs = directory / SAMPLES, directory / LOGS
    sheets = _sheets(model, source, options, directory)
    curves = [Curves(logs), *_tracker(options, directory)]
    if isinstance(model, Autoencoder):
        return [sheets, *curves, CurvesPicture(directory)]
    walk = LatentWalk(samples, seed=options.seed, keep=options.keep_samples)
    watching: list[keras.callbacks.Callback] = [sheets, walk.at_growing_intervals(), *curves]
    evaluator = None if real is None else quality.evaluator(real, options, directory)
    epoch = max(1, source.good // options.images_per_step)
    begun = int(model.batches_seen.numpy()) % epoch
    images: np.ndarray | tuple[()] = ()
    if is_chief(model.distribute_strategy):  # who alone has a doctor
        with doing("reading pictures for the run doctor"):
            images, labels = _first_trained_on(batches, options, model.value_range, epoch, begun)
    doctor = None
    if len(images) > 1:
        classes = labels if options.conditional else None
        # A check takes 64 fakes whatever the batch is: some 3% of a training's time at most.
        every = min(100, max(20, 20 * 128 // options.images_per_step))
        doctor = RunDoctor(images, classes, every, logs, evaluator)
        watching.append(doctor)
    watching.append(CurvesPicture(directory, doctor))
    return watching if evaluator is None else [evaluator, *watching]


def _tracker(options: RunOptions, directory: Path) -> list[Track]:
    """What sends figures to the tracker that was asked for, if any, under the run's name."""
    if options.track is None:
        return []
    values = dataclasses.asdict(options).items()
    config = {name: value for name, value in values if value is not None}
    return [Track(options.track, directory.name, config=config, kept=directory / TRACKER_FILE)]


def close(watchers: list[keras.callbacks.Callback]) -> None:
    """Ends what Keras ends after a normal end of a training alone."""
    for watcher in watchers:
        if isinstance(watcher, Track):
            watcher.close()


def _sheets(
    model: GAN | Autoencoder, source: Source, options: RunOptions, directory: Path
) -> SampleGrid | ReconstructionStrip:
    details: dict[str, Any] = {"log_dir": directory / LOGS, "keep": options.keep_samples}
    if options.sample_every is not None:
        details |= parse_interval(options.sample_every)
    sheets: SampleGrid | ReconstructionStrip
    if isinstance(model, Autoencoder):
        shown = kgan_data.first_images(source, SHOWN_IMAGES)
        sheets = ReconstructionStrip(directory / SAMPLES, shown, **details)
    else:
        sheets = SampleGrid(directory / SAMPLES, seed=options.seed, **details)
    return sheets if options.sample_every is not None else sheets.at_growing_intervals()


def _first_trained_on(
    batches: tf.data.Dataset,
    options: RunOptions,
    value_range: tuple[float, float],
    epoch: int,
    begun: int,
) -> tuple[np.ndarray, np.ndarray]:
    """About 1,000 images of one epoch, uint8, and their labels; fewer where no more can be read.

    None of them comes twice: beside its double, also one that was augmented otherwise, a real image
    has no distance to its nearest neighbour, and by that distance copies are known.

    Args:
        batches, options, value_range: the run's.
        epoch: batches of a whole epoch.
        begun: those of this epoch that were before `batches`.
    """
    count = min(epoch, math.ceil(DOCTORS_IMAGES / options.images_per_step))
    if begun + count > epoch:
        batches = batches.skip(epoch - begun)
    images: list[np.ndarray] = []
    labels: list[int] = []
    try:
        for batch in batches.take(count):
            real_images, classes = batch if options.conditional else (batch, [])
            images.extend(to_uint8(real_images, value_range))
            labels.extend(np.asarray(classes))
    except (tf.errors.OpError, UnicodeDecodeError, InputError):
        pass  # training meets it in its own time, and reports it
    first: dict[bytes, int] = {}  # of a set that holds some twice
    for index, image in enumerate(images):
        first.setdefault(hashlib.sha256(image.tobytes()).digest(), index)
    distinct = list(first.values())
    return (
        np.array([images[index] for index in distinct]),
        np.array([labels[index] for index in distinct if labels]),
    )
