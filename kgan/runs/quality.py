"""What a run keeps apart to measure its images by, and the callback that measures them."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kgan.attributes import Attributes
from kgan.callbacks import Evaluate
from kgan.channels import ALPHA
from kgan.data import Source
from kgan.data.array_labels import are_numbers
from kgan.data.choosing import pick, share_of, without
from kgan.errors import InputError
from kgan.files import printable
from kgan.metrics.features import Features
from kgan.metrics.real_images import Reference
from kgan.metrics.resize import check_measurable
from kgan.models import AutoencoderPreset, get_preset
from kgan.runs.directory import BEST_FILE, LOGS
from kgan.runs.options import RunOptions
from kgan.runs.own_judge import BIASED

LOG = logging.getLogger("kgan")
SHARE = 0.1
LEAST_IMAGES = 500  # a set from which a part is held out without being asked for
SHOWN_IMAGES = 1000  # on each side of an evaluation during training


class RealImages(NamedTuple):
    """What evaluations during a training compare with.

    Attributes:
        reference: images held out; those trained on where none are.
        training: images trained on, where others are held out.
    """

    reference: Reference
    training: Reference | None = None


def resolved(options: RunOptions, source: Source) -> RunOptions:
    """The options with how often and by what images they evaluate as it came out.

    Raises:
        InputError: an autoencoder, or images whose channels make no picture: neither has such
            figures.
    """
    asked = options.evaluate_every is not None
    check_kind(options)
    if asked:
        check_measurable(source.image_shape[2])
    if options.hold_out is not None:
        return options
    share = SHARE if asked and source.usable >= LEAST_IMAGES else 0.0
    return dataclasses.replace(options, hold_out=share)


def check_kind(options: RunOptions) -> None:
    """Checks that what is to be evaluated in training is a GAN.

    Raises:
        InputError: it is an autoencoder.
    """
    preset = get_preset(options.preset)
    if isinstance(preset, AutoencoderPreset) and options.evaluate_every is not None:
        raise InputError(
            "--evaluate-every and --early-stop apply to GANs only. "
            f"Received: the preset {options.preset}"
        )


def held_out(source: Source, options: RunOptions) -> np.ndarray:
    """Indices of the images that a run is not trained on; the same for the same images."""
    return share_of(source, options.hold_out or 0.0, options.seed)


def to_train_on(source: Source, options: RunOptions) -> Source:
    """The source without what is held out."""
    held = held_out(source, options)
    return without(source, held) if len(held) else source


def parts(source: Source, options: RunOptions) -> tuple[np.ndarray, np.ndarray]:
    """(indices of the images held out, of those trained on), each in a random order."""
    mixed = np.random.default_rng(options.seed).permutation(source.usable)
    is_held = np.isin(mixed, held_out(source, options))
    return mixed[is_held], mixed[~is_held]


def real_images(source: Source, options: RunOptions) -> RealImages | None:
    """The images that evaluations compare with; None where the options ask for none.

    Args:
        source: all of the run's data.
        options: the run's, resolved.

    Raises:
        InputError: the network whose features are compared is not installed, too few images, or
            such whose channels make no picture.
    """
    if options.evaluate_every is None:
        return None
    check_measurable(source.image_shape[2])
    network = Features.efficientnet_lite0()
    judge = get_preset(options.preset).networks["discriminator"]
    if getattr(judge, "features_sha256", None) == network.sha256:
        LOG.warning("%s: these figures find its best state, not how good it is", BIASED)
    held, trained = parts(source, options)
    if not len(held):
        n = min(SHOWN_IMAGES, len(trained) // 2)
        return RealImages(
            _reference(source, trained[:n], trained[n : 2 * n], "all", options, network)
        )
    n = min(SHOWN_IMAGES, len(held), len(trained))
    return RealImages(
        _reference(source, held[:n], trained[:n], "held out", options, network),
        _reference(source, trained[:n], held[:0], "trained on", options, network),
    )


def _reference(
    source: Source,
    indices: np.ndarray,
    others: np.ndarray,
    split: str,
    options: RunOptions,
    network: Features,
) -> Reference:
    known = source.attributes or source.class_names if options.conditional else None
    facts = {"network": network, "split": split, "seed": options.seed}
    return reference(source, indices, others, known, **facts)


def reference(
    source: Source,
    indices: np.ndarray,
    others: np.ndarray,
    known: Sequence[str] | Attributes | None,
    **facts: Any,
) -> Reference:
    """Some images of a source to compare with, and others for the floors.

    Args:
        source: all of the data.
        indices, others: which images; no others for no floors.
        known: the names of the model's classes, by whose numbers the images are labelled, or its
            attributes; None for a model without.
        **facts: the network, the split and the seed, as `Reference` takes them.

    Raises:
        InputError: images that cannot be decoded, too few, of classes the model lacks, or
            without an attribute that it knows.
    """
    images, labels = pick(source, indices)
    other_images, other_labels = pick(source, others) if len(others) else (None, None)
    return Reference(
        images,
        as_counted(labels, source, known),
        other_images,
        as_counted(other_labels, source, known),
        data=source.description + (", over white" if source.image_shape[2] == ALPHA else ""),
        cached=True,
        **facts,
    )


def as_counted(
    labels: np.ndarray | None, source: Source, known: Sequence[str] | Attributes | None
) -> np.ndarray | None:
    """Labels by a model's own numbers, where both have names; None where it takes no labels.

    Raises:
        InputError: the data have a class, or lack an attribute, that the model has not or has.
    """
    if labels is None or known is None:
        return None
    if isinstance(known, Attributes):
        return _in_order(labels, source, known)
    theirs, own = list(source.class_names or ()), list(known)
    if theirs in ([], own, [str(label) for label in range(len(theirs))]) or not own:
        return labels
    unknown = [name for name in theirs if name not in own]
    if unknown == theirs and len(theirs) == len(own) and are_numbers(own):
        return labels  # of a run that was begun before array files could name their classes
    if unknown:
        raise InputError(
            f"The data must have the model's classes, {', '.join(map(printable, own))}. "
            f"Received: {', '.join(map(printable, unknown))}"
        )
    return np.array([own.index(name) for name in theirs])[labels]


def _in_order(labels: np.ndarray, source: Source, known: Attributes) -> np.ndarray:
    """A source's attributes in the order of a model's."""
    theirs = list(source.attributes.names if source.attributes else ())
    lacking = [name for name in known.names if name not in theirs]
    if lacking:
        raise InputError(
            f"The data must have the model's attributes, {', '.join(map(printable, known.names))}. "
            f"Received: {source.description}, without {printable(lacking[0])}"
        )
    return labels[:, [theirs.index(name) for name in known.names]]


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
