"""What a run keeps apart to measure its images by, and the callback that measures them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kgan.callbacks import Evaluate
from kgan.data import Source
from kgan.data.choosing import draw_indices, pick, without
from kgan.errors import InputError
from kgan.metrics.features import Features
from kgan.metrics.real_images import Reference
from kgan.models import AutoencoderPreset, get_preset
from kgan.runs.directory import BEST_FILE, LOGS
from kgan.runs.options import RunOptions

SHARE = 0.1
LEAST_IMAGES = 500  # a set from which a part is held out without being asked for
SHOWN_IMAGES = 1000  # on each side of an evaluation during training
SPLITS = ("all", "held out")


class RealImages(NamedTuple):
    """What evaluations during a training compare with.

    Attributes:
        reference: images held out; those trained on where none are.
        training: images trained on, where others are held out.
    """

    reference: Reference
    training: Reference | None


def resolved(options: RunOptions, source: Source) -> RunOptions:
    """The options with how often and by what images they evaluate as it came out.

    Raises:
        InputError: an autoencoder, which has no such figures.
    """
    asked = options.evaluate_every is not None
    preset = get_preset(options.preset)
    if isinstance(preset, AutoencoderPreset) and asked:
        raise InputError(
            "--evaluate-every and --early-stop apply to GANs only. "
            f"Received: the preset {options.preset}"
        )
    if options.hold_out is not None:
        return options
    share = SHARE if asked and source.usable >= LEAST_IMAGES else 0.0
    return dataclasses.replace(options, hold_out=share)


def held_out(source: Source, options: RunOptions) -> np.ndarray:
    """Indices of the images that a run is not trained on; the same each time."""
    return draw_indices(source, round((options.hold_out or 0.0) * source.usable), options.seed)


def to_train_on(source: Source, options: RunOptions) -> Source:
    """The source without what is held out."""
    held = held_out(source, options)
    return without(source, held) if len(held) else source


def real_images(source: Source, options: RunOptions) -> RealImages | None:
    """The images that evaluations compare with; None where the options ask for none.

    Args:
        source: all of the run's data.
        options: the run's, resolved.

    Raises:
        InputError: the network whose features are compared is not installed.
    """
    if options.evaluate_every is None:
        return None
    network = Features.efficientnet_lite0()
    held = held_out(source, options)
    mixed = np.random.default_rng(options.seed).permutation(source.usable)
    parts = [held, mixed[~np.isin(mixed, held)]] if len(held) else [mixed]
    references = []
    for part, split in zip(parts, reversed(SPLITS[: len(parts)]), strict=True):
        images, labels = pick(source, part[: 2 * SHOWN_IMAGES])
        references.append(
            Reference(
                images,
                labels if options.conditional else None,
                n=SHOWN_IMAGES,
                network=network,
                data=source.description,
                split=split,
                seed=options.seed,
                cached=True,
            )
        )
    return RealImages(references[0], references[1] if len(references) > 1 else None)


def evaluator(real: RealImages, options: RunOptions, directory: Path) -> Evaluate:
    """The callback that measures a run's images and keeps its best state."""
    assert options.evaluate_every is not None  # or there would be no real images
    return Evaluate(
        real.reference,
        options.evaluate_every,
        training=real.training,
        seed=options.seed,
        best=directory / BEST_FILE,
        patience=options.early_stop,
        log_dir=directory / LOGS,
    )
