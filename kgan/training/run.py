"""A whole training run on disk: `runs/NAME/` with config, samples, logs, history and the model."""

import csv
import dataclasses
import json
import shutil
import signal
import sys
import time
from pathlib import Path

import keras
import tensorflow as tf

from kgan import data as kgan_data
from kgan.errors import InputError
from kgan.images import whole_file
from kgan.models import get_preset
from kgan.training.callbacks import (
    Checkpoint,
    ProgressLine,
    SampleGrid,
    StopAfter,
    save_whole,
)
from kgan.training.gan import GAN
from kgan.training.load import CHECKPOINT_FILE, CONFIG_FILE, MODEL_FILE, load_gan

DEFAULT_EPOCHS = 25
SEEDS = 2**32  # what numpy and Keras take


@dataclasses.dataclass
class RunConfig:
    """What a run is made from; `config.json` holds it with every default resolved.

    Attributes:
        data: None for the embedded set, a path, or "tfds:NAME".
        preset: name of the preset.
        size: (H, W) or (H, W, C); None for the data's own.
        latent_dim, filters, batch_size: None for the preset's.
        fit: "crop" or "pad", how pictures of another shape are fitted.
        background: (R, G, B) under transparent pictures and around padded ones.
        augment: names of augmentations; None for the data's default.
        strict: a picture that cannot be decoded is an error.
        seed: seed of weights, latents, data order and samples.
        source: the data in words; the run fills it in.
    """

    data: str | None = None
    preset: str = "dcgan"
    size: tuple | None = None
    latent_dim: int | None = None
    filters: int | None = None
    batch_size: int | None = None
    fit: str = "crop"
    background: tuple = (255, 255, 255)
    augment: list | None = None
    strict: bool = False
    seed: int = 0
    source: str | None = None


def new_run(config, directory, **length):
    """Trains a new GAN into `directory`.

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
    source = _open_source(config)
    gan = GAN.from_preset(
        config.preset,
        image_shape=source.image_shape,
        latent_dim=config.latent_dim,
        filters=config.filters,
        seed=config.seed,
    )
    gan.compile()
    config = dataclasses.replace(
        config,
        data=_from_anywhere(config.data),
        size=source.image_shape,
        latent_dim=gan.latent_dim,
        filters=config.filters or preset.filters,
        batch_size=config.batch_size or preset.batch_size,
        augment=config.augment if config.augment is not None else source.default_augment,
        source=source.description,
    )
    batches = _batches(source, config, gan, config.seed)
    try:
        directory.mkdir(parents=True)
    except OSError as error:
        raise InputError(f"Cannot make the run there ({error.strerror}): {directory}") from None
    with whole_file(directory / CONFIG_FILE) as temporary:
        temporary.write_text(json.dumps(dataclasses.asdict(config), indent=2) + "\n")
    try:
        return _train(gan, source, batches, config, directory, **length)
    except InputError:
        if not (directory / MODEL_FILE).exists():  # not a step was taken
            shutil.rmtree(directory)
        raise


def resume_run(directory, **length):
    """Trains the GAN of a run further, for as long again as `length` says.

    Args:
        directory: the run's directory.
        **length: as for `new_run`.

    Returns:
        A `RunResult`.

    Raises:
        InputError: it is no run, or its data are no longer there.
    """
    directory = Path(directory)
    try:
        config = RunConfig(**json.loads((directory / CONFIG_FILE).read_text()))
    except (OSError, ValueError, TypeError):
        raise InputError(f"Not a run: no readable {CONFIG_FILE} in {directory}") from None
    gan = load_gan(directory)
    # Past batches must not come back in the same order.
    seed = (config.seed + int(gan.batches_seen)) % SEEDS
    keras.utils.set_random_seed(seed)
    source = _open_source(config)
    batches = _batches(source, config, gan, seed)
    return _train(gan, source, batches, config, directory, **length)


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


def _from_anywhere(data):
    """The same data, named so that a run can be resumed from another directory."""
    return data if data is None or data.startswith("tfds:") else str(Path(data).resolve())


def _open_source(config):
    return kgan_data.open_source(
        config.data,
        image_shape=tuple(config.size) if config.size else None,
        fit=config.fit,
        background=tuple(config.background),
        strict=config.strict,
    )


def _batches(source, config, gan, seed):
    return kgan_data.batches(
        source,
        batch_size=config.batch_size,
        value_range=gan.value_range,
        augment=config.augment,
        cache="auto",
        shuffle=True,
        seed=seed,
    )


def _train(gan, source, batches, config, directory, epochs=None, steps=None, minutes=None):
    if epochs is None and steps is None and minutes is None:
        epochs = DEFAULT_EPOCHS
    epochs_done = _epochs_done(directory / "history.csv")
    stop = StopAfter(steps, minutes * 60 if minutes else None)
    interrupt = StopOnInterrupt()
    progress = ProgressLine(
        config.batch_size,
        first_epoch=epochs_done,
        epochs=epochs,
        epoch_steps=source.count // config.batch_size if source.count else None,
        stop=stop,
    )
    callbacks = [
        SampleGrid(directory / "samples", seed=config.seed),
        keras.callbacks.CSVLogger(directory / "history.csv", append=True),
        keras.callbacks.TensorBoard(directory / "logs", write_graph=False),
        Checkpoint(directory / CHECKPOINT_FILE),
        stop,
        interrupt,
        progress,
    ]
    try:
        with interrupt:
            gan.fit(
                batches,
                initial_epoch=epochs_done,
                # With another bound the epochs only need to be more than it can reach.
                epochs=epochs_done + (epochs or 10**9),
                callbacks=callbacks,
                shuffle=False,  # the pipeline has done it
                verbose=0,
            )
    except Exception as problem:
        if progress.steps_taken:
            save_whole(gan, directory / MODEL_FILE)
        if source.error is not None:
            raise source.error from None  # raised while decoding; tf has wrapped it
        if isinstance(problem, tf.errors.DataLossError):
            saved = "; what was trained so far is saved" if progress.steps_taken else ""
            raise InputError(
                f"The data are damaged{saved}. Received: "
                f"{source.description} ({problem.message.splitlines()[0]})"
            ) from problem
        raise
    save_whole(gan, directory / MODEL_FILE)
    return RunResult(
        directory=directory,
        steps=progress.steps_taken,
        images_per_second=progress.images_per_second(),
        skipped=source.skipped,
        interrupted=interrupt.interrupted,
    )


def _epochs_done(history):
    if not history.is_file():
        return 0
    with history.open(newline="") as file:
        return sum(1 for _ in csv.DictReader(file))


class StopOnInterrupt(keras.callbacks.Callback):
    """Lets the first Ctrl-C end training after the step under way; a second one ends at once."""

    def __init__(self):
        super().__init__()
        self.interrupted = False

    def __enter__(self):
        self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *_):
        signal.signal(signal.SIGINT, self._before)

    def _note(self, *_):
        if self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = True
        print("\nstopping after this step; press Ctrl-C again to end at once", file=sys.stderr)

    def on_train_batch_end(self, batch, logs=None):
        if self.interrupted:
            self.model.stop_training = True


def default_name(preset, data):
    """A run's name from preset, data and time, such as dcgan-photos-20260131-120000."""
    stem = "fashion" if data is None else Path(data.removeprefix("tfds:")).stem
    words = "".join(c if c.isalnum() or c in "-_" else "-" for c in stem).strip("-") or "data"
    return f"{preset}-{words}-{time.strftime('%Y%m%d-%H%M%S')}"
