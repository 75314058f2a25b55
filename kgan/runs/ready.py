"""A run's data and model, as they begin or as they were at the last checkpoint."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from kgan.callbacks.trackers import library
from kgan.data import Source, augment
from kgan.data.array_labels import are_numbers
from kgan.data.array_source import ArraySource
from kgan.data.workers import Workers
from kgan.errors import InputError
from kgan.files import printable
from kgan.models import get_preset
from kgan.runs import build, goal, image_size, quality, recipe, resolving, width
from kgan.runs.load import has_model, load_model
from kgan.runs.options import RunOptions
from kgan.runs.run_checkpoint import remember_skipped
from kgan.runs.start_from import take_weights
from kgan.telling import doing
from kgan.training import GAN, Autoencoder
from kgan.training.distribution import check_divides, has_workers, is_chief
from kgan.training.fast_precision import fast_precision
from kgan.training.footprint import check_step

LOG = logging.getLogger("kgan")


class Ready(NamedTuple):
    """What a run trains, on what, and what it is measured by."""

    source: Source
    model: GAN | Autoencoder
    batches: tf.data.Dataset
    real: quality.RealImages | None


def begin(
    options: RunOptions, strategy: tf.distribute.Strategy, choose_width: bool
) -> tuple[Ready, RunOptions]:
    """The data and the model before the first step, the same each time; and what was resolved.

    Args:
        options: a new run's.
        strategy: the strategy to train in.
        choose_width: whether its width and batch size are chosen here; see `width.chosen`.

    Raises:
        InputError: options or data that cannot be used.
    """
    # Before the data are opened and networks timed, which takes a while.
    augment.check(augment.expanded(options.augment or [], lambda: True))
    if options.track is not None:
        library(options.track)
    whole, source, model, options = _begun(options, strategy, choose_width)
    return _ready(whole, source, model, options, strategy), options


def _begun(
    options: RunOptions, strategy: tf.distribute.Strategy, choose_width: bool = False
) -> tuple[Source, Source, GAN | Autoencoder, RunOptions]:
    """(all of the data, those to train on, the model, what was resolved)."""
    keras.utils.set_random_seed(options.seed)
    whole = _opened(options, strategy)
    options = quality.resolved(options, whole)
    if options.precision == "auto":
        options = dataclasses.replace(options, precision=fast_precision(strategy))
    source = quality.to_train_on(whole, options)
    options = recipe.with_recipe(options, source, has_workers(strategy))
    with strategy.scope():
        try:
            if choose_width:
                options = width.chosen(options, source, strategy)
            model = build.new_model(options, source)
        except InputError:
            other = image_size.next_size(options, source.image_shape)
            if other is None:
                raise
            return _begun(other, strategy, choose_width)
        options = _batch_within_the_set(options, source, strategy.num_replicas_in_sync)
        if options.start_from is not None:
            take_weights(model, options.start_from)
    options = resolving.resolved(options, model, source)
    check_divides(strategy, options.images_per_step)
    if options.start_from is not None and options.hold_out:
        LOG.warning(
            "the weights that this run starts from may know some of the pictures that it holds out"
        )
    return whole, source, model, options


def _opened(options: RunOptions, strategy: tf.distribute.Strategy) -> Source:
    """All of the data, the same at every worker."""
    with doing("opening the data"):
        whole = build.open_source(options)
    Workers(strategy).check_same(whole)
    return whole


def _ready(
    whole: Source,
    source: Source,
    model: GAN | Autoencoder,
    options: RunOptions,
    strategy: tf.distribute.Strategy,
) -> Ready:
    check_step(model, options.images_per_step, strategy.num_replicas_in_sync)
    real = None
    if is_chief(strategy) and options.evaluate_every is not None:
        with doing("reading pictures to measure by"):
            real = quality.real_images(whole, options)
    return Ready(source, model, build.make_batches(source, options, model, strategy), real)


def _batch_within_the_set(options: RunOptions, source: Source, replicas: int) -> RunOptions:
    """The options, with a batch that is larger than the set lowered to it."""
    asked = options.batch_size or get_preset(options.preset).batch_size
    if source.good < 2 * asked:  # how many there are shows only when they are decoded
        with doing("counting the pictures"):
            for _ in source.read(source.examples()):
                pass
    batch_size = source.good // replicas * replicas
    if batch_size >= asked or source.good < 2:  # one picture is no set
        return options
    LOG.warning("batches of %d pictures, not %d: the set has %d", batch_size, asked, source.good)
    return dataclasses.replace(options, batch_size=batch_size)


def load(
    directory: Path, options: RunOptions, changes: dict[str, Any], strategy: tf.distribute.Strategy
) -> Ready:
    """The data and the model of a run's last checkpoint; before the first one, of its beginning.

    Args:
        directory: the run's directory.
        options: its options, changes included.
        changes: those that were just changed.
        strategy: the strategy to load them in.

    Raises:
        InputError: data or a model that cannot be loaded, or data of other classes.
    """
    quality.check_kind(options)
    # A run of a version that held nothing out was trained on everything.
    options = dataclasses.replace(options, hold_out=options.hold_out or 0.0)
    if has_model(directory):
        with doing("loading the model"), strategy.scope():
            model = load_model(directory, best=False)
        if not model.compiled:
            raise InputError(
                "The model of this run was saved without being compiled, so that it cannot be "
                f"trained further. Received: {directory}"
            )
        resolving.set_learning_rates(model, changes)
        keras.utils.set_random_seed(options.seed)
        whole = _opened(options, strategy)
        if options.conditional:
            _name_as_before(whole, model)
        source = quality.to_train_on(whole, options)
    else:
        whole, source, model, _ = _begun(options, strategy)
    if options.conditional:
        _check_labels(source, model)
    if source.description != options.source:
        LOG.warning(
            "the data have changed: %s, before %s",
            printable(source.description, None),
            printable(options.source, None),
        )
    elif goal.read_data(directory) not in (None, source.fingerprint()):
        LOG.warning(
            "the data have changed since this run was last trained (%s): it trains on, but not as "
            "if it had never stopped",
            printable(source.description, None),
        )
    remember_skipped(source, directory)
    return _ready(whole, source, model, options, strategy)


def _name_as_before(source: Source, model: Any) -> None:
    """Names an array file's classes as the run does that was begun before files could name them."""
    theirs, own = source.class_names, model.class_names
    if isinstance(source, ArraySource) and theirs and own and are_numbers(own):
        if len(theirs) == len(own):
            source.class_names = own


def _check_labels(source: Source, model: Any) -> None:
    """Raises an InputError where the data have other classes or attributes than the model."""
    own, theirs = (
        list(one.class_names or (one.attributes.names if one.attributes else ["none"]))
        for one in (model, source)
    )
    if theirs != own:
        what = "attributes" if model.attributes else "classes"
        raise InputError(
            f"The data's {what} are no longer those of the run, {', '.join(own)}. "
            f"Received: {', '.join(theirs)}"
        )
