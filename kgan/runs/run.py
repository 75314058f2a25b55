"""A whole training run on disk: `runs/NAME/` with config, samples, logs, history and the model."""

import contextlib
import dataclasses
import json
import logging
import shutil
import time
from pathlib import Path

import keras
import tensorflow as tf

from kgan.errors import FullDisk, InputError, NotFinite
from kgan.models import get_preset
from kgan.callbacks import CSVHistory, ProgressLine, RollBack, StopAfter, StopOnInterrupt
from kgan.runs.full_disk import full_disk
from kgan.runs.load import CHECKPOINT_FILE, MODEL_FILE, has_model, load_model
from kgan.runs.run_checkpoint import RunCheckpoint, remember_skipped
from kgan.runs.build import (
    compile_model,
    computing_in,
    make_batches,
    new_model,
    open_source,
    read_config,
    sheets,
    watchers,
)
from kgan.runs.directory import (
    HISTORY_FILE,
    SAMPLES,
    SKIPPED_FILE,
    HeldRun,
    make_directory,
)
from kgan.training.distribution import check_divides, has_workers, is_chief, telling_of_lost_workers

LOG = logging.getLogger("kgan")
DEFAULT_EPOCHS = 25
CHECKPOINT_SECONDS = 60
SEEDS = 2**32  # what numpy and Keras take


def new_run(config, directory, strategy=None, checkpoint_seconds=CHECKPOINT_SECONDS, **length):
    """Trains a new GAN or autoencoder into `directory`.

    Args:
        config: a `RunConfig`.
        directory: the run's directory; it must not exist.
        strategy: a tf.distribute strategy, as `make_strategy` makes it; None for the one in
            scope. Of several workers each calls this, with a directory that all see;
            the chief alone writes files.
        checkpoint_seconds: the time between two checkpoints; killed, a run loses less.
        **length: `epochs`, `steps` or `minutes`, one of them; 25 epochs when none is given.

    Returns:
        A `RunResult`.

    Raises:
        InputError: anything in the config or the data that cannot be used, a
            directory that exists or cannot be made, or a full disk.
    """
    directory = Path(directory)
    strategy = strategy or tf.distribute.get_strategy()
    if is_chief(strategy) and directory.exists():
        raise InputError(
            f"This run exists; choose another name or resume it. Received: {directory}"
        )
    if not 0 <= config.seed < SEEDS:
        raise InputError(f"A training seed is from 0 to {SEEDS - 1}. Received: {config.seed}")
    with telling_of_lost_workers(strategy, directory):
        return _new_run(config, directory, strategy, checkpoint_seconds, length)


def _new_run(config, directory, strategy, checkpoint_seconds, length):
    chief = is_chief(strategy)
    source, model = _begin(config, strategy)
    preset = get_preset(config.preset)
    config = dataclasses.replace(
        config,
        data=_from_anywhere(config.data),
        manual_dir=_from_anywhere(config.manual_dir),
        download_dir=_from_anywhere(config.download_dir),
        size=source.image_shape,
        latent_dim=config.latent_dim or preset.latent_dim,
        filters=config.filters or preset.filters,
        batch_size=config.batch_size or preset.batch_size,
        ema_half_life_images=getattr(model, "ema_half_life_images", None) or 0,
        augment=config.augment if config.augment is not None else source.default_augment,
        source=source.description,
    )
    check_divides(strategy, config.batch_size)
    batches = make_batches(source, config, model)
    if chief:
        make_directory(directory, json.dumps(dataclasses.asdict(config), indent=2) + "\n")
    with HeldRun(directory) if chief else contextlib.nullcontext():
        try:
            return _train(model, source, batches, config, directory, checkpoint_seconds, **length)
        except (FullDisk, NotFinite):  # there is something to look at
            raise
        except InputError:
            if chief and not int(model.batches_seen.numpy()):
                shutil.rmtree(directory)
            raise


def resume_run(directory, strategy=None, checkpoint_seconds=CHECKPOINT_SECONDS, **length):
    """Trains the model of a run further, as if it had never stopped.

    A run that was killed goes on from its last checkpoint, before the first
    one from its beginning.

    Args:
        directory: the run's directory.
        strategy, checkpoint_seconds: as for `new_run`; it need not be the one it began with.
        **length: as for `new_run`, from here on; of `epochs` the one that was
            begun is the first.

    Returns:
        A `RunResult`.

    Raises:
        InputError: it is no run, another process trains it, its data are no
            longer there, or a full disk.
    """
    directory = Path(directory)
    config = read_config(directory)
    strategy = strategy or tf.distribute.get_strategy()
    check_divides(strategy, config.batch_size)
    held = HeldRun(directory) if is_chief(strategy) else contextlib.nullcontext()
    with telling_of_lost_workers(strategy, directory), held:
        if has_model(directory):
            with strategy.scope():
                model = load_model(directory)
            keras.utils.set_random_seed(config.seed)
            source = open_source(config)
        else:
            source, model = _begin(config, strategy)
        if source.description != config.source:
            LOG.warning("the data have changed: %s, before %s", source.description, config.source)
        if config.conditional and source.class_names != model.class_names:
            raise InputError(
                "The data's classes are no longer those of the run, "
                f"{', '.join(model.class_names)}. "
                f"Received: {', '.join(source.class_names or ['none'])}"
            )
        remember_skipped(source, directory / SKIPPED_FILE)
        batches = make_batches(source, config, model)
        return _train(model, source, batches, config, directory, checkpoint_seconds, **length)


def _begin(config, strategy):
    """The source and the untrained model of a run, the same each time."""
    keras.utils.set_random_seed(config.seed)
    source = open_source(config)
    with strategy.scope(), computing_in(config.precision):
        model = new_model(config, source)
        compile_model(model, config)
    return source, model


def _from_anywhere(data):
    """The same data or folder, named so that a run can be resumed from another directory."""
    return data if data is None or data.startswith("tfds:") else str(Path(data).resolve())


@dataclasses.dataclass(frozen=True)
class RunResult:
    """What a training run did.

    Attributes:
        directory: the run's directory.
        steps: steps taken now.
        images_per_second: mean rate after the first step.
        skipped: pictures that could not be decoded, path -> reason.
        interrupted: it was stopped by Ctrl-C.
    """

    directory: Path
    steps: int
    images_per_second: float
    skipped: dict
    interrupted: bool


def _train(
    model,
    source,
    batches,
    config,
    directory,
    checkpoint_seconds,
    epochs=None,
    steps=None,
    minutes=None,
):
    if epochs is None and steps is None and minutes is None:
        epochs = DEFAULT_EPOCHS
    epoch_steps = source.good // config.batch_size  # before anything else is read of it
    epochs_done, epoch_begun = divmod(int(model.batches_seen.numpy()), epoch_steps)
    if epochs:
        steps = epochs * epoch_steps - epoch_begun
    stop = StopAfter(steps, minutes * 60 if minutes else None)
    interrupt = StopOnInterrupt()
    progress = ProgressLine(
        config.batch_size,
        first_epoch=epochs_done,
        epochs=epochs,
        epoch_steps=epoch_steps,
        epoch_begun=epoch_begun,
        stop=stop,
    )
    checkpoint = RunCheckpoint(
        directory / CHECKPOINT_FILE, source, directory / SKIPPED_FILE, checkpoint_seconds
    )
    chief = is_chief(model.distribute_strategy)
    logs = directory / "logs"
    callbacks = [
        *sheets(model, source, config, directory / SAMPLES, logs),
        *watchers(model, batches, config, logs),
        CSVHistory(directory / HISTORY_FILE),
        checkpoint,
        RollBack(checkpoint.path),
        stop,
        interrupt,
        progress,
    ]
    with interrupt:  # till the model is saved
        try:
            model.fit(
                batches,
                initial_epoch=epochs_done,
                steps_per_epoch=epoch_steps,
                epochs=epochs_done + 10**9,  # `stop` ends it
                callbacks=callbacks,
                shuffle=False,  # the pipeline has done it
                verbose=0,
            )
            interrupted = interrupt.interrupted
            if chief:
                checkpoint.finish(directory / MODEL_FILE)
        except Exception as problem:
            full = full_disk(problem, directory)
            if full is not None:
                raise full from problem
            if has_workers(model.distribute_strategy) and isinstance(problem, tf.errors.OpError):
                raise  # not saved: the step under way may have been half done
            if chief and progress.steps_taken:
                checkpoint.finish(directory / MODEL_FILE)
            if source.error is not None:
                raise source.error from None  # raised while decoding; tf has wrapped it
            if isinstance(problem, tf.errors.DataLossError):
                saved = "; what was trained so far is saved" if progress.steps_taken else ""
                raise InputError(
                    f"The data are damaged{saved}. Received: "
                    f"{source.damaged()} ({problem.message.splitlines()[0]})"
                ) from problem
            raise
    return RunResult(
        directory=directory,
        steps=progress.steps_taken,
        images_per_second=progress.images_per_second(),
        skipped=source.skipped,
        interrupted=interrupted,
    )


def default_name(preset, data):
    """A run's name from preset, data and time, such as dcgan-photos-20260131-120000."""
    stem = "fashion" if data is None else Path(data.removeprefix("tfds:")).stem
    words = "".join(c if c.isalnum() or c in "-_" else "-" for c in stem).strip("-") or "data"
    return f"{preset}-{words}-{time.strftime('%Y%m%d-%H%M%S')}"
