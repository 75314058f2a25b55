"""A whole training run on disk: `runs/NAME/` with config, samples, logs, history and the model."""

import csv
import dataclasses
import json
import logging
import shutil
import time
from pathlib import Path

import keras
import tensorflow as tf

from kgan.errors import InputError
from kgan.images import whole_file
from kgan.models import get_preset
from kgan.training.callbacks import (
    Checkpoint,
    ProgressLine,
    StopAfter,
    StopOnInterrupt,
    save_whole,
)
from kgan.training.load import CHECKPOINT_FILE, CONFIG_FILE, MODEL_FILE, load_model
from kgan.training.run_config import (
    compile_model,
    make_batches,
    new_model,
    open_source,
    read_config,
    sheets,
    watchers,
)

LOG = logging.getLogger("kgan")
DEFAULT_EPOCHS = 25
SKIPPED_FILE = "skipped.json"
SEEDS = 2**32  # what numpy and Keras take


def new_run(config, directory, **length):
    """Trains a new GAN or autoencoder into `directory`.

    Args:
        config: a `RunConfig`.
        directory: the run's directory; it must not exist.
        **length: `epochs`, `steps` or `minutes`, one of them; 25 epochs when none is given.

    Returns:
        A `RunResult`.

    Raises:
        InputError: anything in the config or the data that cannot be used, or a
            directory that exists or cannot be made.
    """
    directory = Path(directory)
    if directory.exists():
        raise InputError(
            f"This run exists; choose another name or resume it. Received: {directory}"
        )
    if not 0 <= config.seed < SEEDS:
        raise InputError(f"A training seed is from 0 to {SEEDS - 1}. Received: {config.seed}")
    keras.utils.set_random_seed(config.seed)
    preset = get_preset(config.preset)
    source = open_source(config)
    model = new_model(config, source)
    compile_model(model, config)
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
    batches = make_batches(source, config, model)
    try:
        directory.mkdir(parents=True)
    except OSError as error:
        raise InputError(f"Cannot make the run there ({error.strerror}): {directory}") from None
    with whole_file(directory / CONFIG_FILE) as temporary:
        temporary.write_text(json.dumps(dataclasses.asdict(config), indent=2) + "\n")
    try:
        return _train(model, source, batches, config, directory, **length)
    except InputError:
        if not (directory / MODEL_FILE).exists():  # not a step was taken
            shutil.rmtree(directory)
        raise


def resume_run(directory, **length):
    """Trains the model of a run further, for as long again as `length` says.

    Args:
        directory: the run's directory.
        **length: as for `new_run`.

    Returns:
        A `RunResult`.

    Raises:
        InputError: it is no run, or its data are no longer there.
    """
    directory = Path(directory)
    config = read_config(directory)
    model = load_model(directory)
    keras.utils.set_random_seed(config.seed)
    source = open_source(config)
    if source.description != config.source:
        LOG.warning("the data have changed: %s, before %s", source.description, config.source)
    if config.conditional and source.class_names != model.class_names:
        raise InputError(
            f"The data's classes are no longer those of the run, {', '.join(model.class_names)}. "
            f"Received: {', '.join(source.class_names or ['none'])}"
        )
    _remember_skipped(source, directory / SKIPPED_FILE)
    batches = make_batches(source, config, model)
    return _train(model, source, batches, config, directory, **length)


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


def _train(model, source, batches, config, directory, epochs=None, steps=None, minutes=None):
    if epochs is None and steps is None and minutes is None:
        epochs = DEFAULT_EPOCHS
    epochs_done = _epochs_done(directory / "history.csv")
    epoch_steps = source.good // config.batch_size  # before anything else is read of it
    logs = directory / "logs"
    stop = StopAfter(steps, minutes * 60 if minutes else None)
    interrupt = StopOnInterrupt()
    progress = ProgressLine(
        config.batch_size,
        first_epoch=epochs_done,
        epochs=epochs,
        epoch_steps=epoch_steps,
        stop=stop,
    )
    skipped = directory / SKIPPED_FILE
    callbacks = [
        sheets(model, source, config, directory / "samples", logs),
        *watchers(model, batches, config, logs),
        keras.callbacks.CSVLogger(directory / "history.csv", append=True),
        keras.callbacks.TensorBoard(logs, write_graph=False),
        RunCheckpoint(directory / CHECKPOINT_FILE, source, skipped),
        stop,
        interrupt,
        progress,
    ]
    try:
        with interrupt:
            model.fit(
                batches,
                initial_epoch=epochs_done,
                steps_per_epoch=epoch_steps,
                # With another bound the epochs only need to be more than it can reach.
                epochs=epochs_done + (epochs or 10**9),
                callbacks=callbacks,
                shuffle=False,  # the pipeline has done it
                verbose=0,
            )
    except Exception as problem:
        if progress.steps_taken:
            _note_skipped(source, skipped)
            save_whole(model, directory / MODEL_FILE)
        if source.error is not None:
            raise source.error from None  # raised while decoding; tf has wrapped it
        if isinstance(problem, tf.errors.DataLossError):
            saved = "; what was trained so far is saved" if progress.steps_taken else ""
            raise InputError(
                f"The data are damaged{saved}. Received: "
                f"{source.damaged()} ({problem.message.splitlines()[0]})"
            ) from problem
        raise
    _note_skipped(source, skipped)
    save_whole(model, directory / MODEL_FILE)
    return RunResult(
        directory=directory,
        steps=progress.steps_taken,
        images_per_second=progress.images_per_second(),
        skipped=source.skipped,
        interrupted=interrupt.interrupted,
    )


class RunCheckpoint(Checkpoint):
    """A checkpoint of a run, with which pictures were skipped up to it."""

    def __init__(self, path, source, skipped):
        super().__init__(path)
        self.source = source
        self.skipped = skipped

    def save(self):
        _note_skipped(self.source, self.skipped)
        super().save()


def _note_skipped(source, path):
    """Writes which pictures were skipped, to be done before the model is saved.

    With that a resumed run finds its place in an epoch without decoding what came before.
    """
    if source.skipped:
        noted = {**source.what_is_broken(), "skipped": dict(source.skipped)}
        with whole_file(path) as temporary:
            temporary.write_text(json.dumps(noted, indent=1) + "\n")


def _remember_skipped(source, path):
    """Tells a source what `_note_skipped` knew of its pictures."""
    if not path.is_file():
        return
    try:
        source.expect_broken(json.loads(path.read_text()))
    except (OSError, ValueError, LookupError, TypeError):
        raise InputError(f"Not a readable list of skipped pictures: {path}") from None


def _epochs_done(history):
    if not history.is_file():
        return 0
    with history.open(newline="") as file:
        return sum(1 for _ in csv.DictReader(file))


def default_name(preset, data):
    """A run's name from preset, data and time, such as dcgan-photos-20260131-120000."""
    stem = "fashion" if data is None else Path(data.removeprefix("tfds:")).stem
    words = "".join(c if c.isalnum() or c in "-_" else "-" for c in stem).strip("-") or "data"
    return f"{preset}-{words}-{time.strftime('%Y%m%d-%H%M%S')}"
