"""Trained models read back from a run or a .keras file."""

from __future__ import annotations

import json
import logging
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from kgan.callbacks.measure_quality import figures_beside
from kgan.errors import InputError, KganError
from kgan.files import first_line, printable
from kgan.metrics.evaluation import read_evaluation, with_error
from kgan.metrics.figures import HEADLINE
from kgan.models.room import weights_that_fit
from kgan.models.saved_function import is_saved_model
from kgan.models.stored_networks import not_readable, read_network
from kgan.names import as_name
from kgan.reading import read_text, sha256
from kgan.runs.directory import BEST_FILE, CHECKPOINT_FILE, CONFIG_FILE, EVALUATION_FILE, MODEL_FILE
from kgan.training.autoencoder import Autoencoder
from kgan.training.gan import GAN
from kgan.training.saving import batches_seen
from kgan.untrusted.keras_files import check_archive, compiled_with_functions

LOG = logging.getLogger("kgan")


def find_model(path: str | os.PathLike[str], best: bool = True) -> Path:
    """The .keras file that `path` means: itself, or a run's state.

    A file that cannot be read is passed over where another can.

    Args:
        path: a .keras file or a run's directory.
        best: of a run the state whose images were the best in evaluations, where there is one;
            False for the one that was trained furthest.

    Raises:
        InputError: it is neither a .keras file nor a run's directory.
    """
    return _find(Path(path), best)[0]


def _why_best(kept: Path) -> str:
    """What the evaluations of a training found of its best state, as far as their file tells."""
    best = "its images were the best"
    try:
        found = read_evaluation(figures_beside(kept))
        figure, since = found.figures[HEADLINE], int(found.model["evaluations_since"])
    except (InputError, LookupError, TypeError, ValueError):
        return best
    best += f", {HEADLINE.replace('_', ' ')} {with_error(figure)}"
    if since < 1:
        return best
    return f"{best}, and {since} later evaluation{'' if since == 1 else 's'} found none better"


def _find(path: Path, best: bool) -> tuple[Path, str | None]:
    """(what `find_model` returns, what is to be told of the choice, one line)."""
    if path.is_dir():
        kept = path / BEST_FILE
        told = None
        if best and kept.is_file():
            batches, problem = _trained(kept)
            if problem is None:
                return kept, f"{BEST_FILE} is used, of step {batches:,}: {_why_best(kept)}"
            told = f"{printable(kept, None)} {problem}: another state is used instead"
        files = _states(path)
        if len(files) == 1:
            return files[0], told
        # By what is in them: times of change are lost in a copy, and clocks go back.
        states = sorted(((*_trained(file), file) for file in files), key=lambda state: -state[0])
        if states:
            (batches, _, file), (_, problem, other) = states
            if problem and batches >= 0:
                used = f"{file.relative_to(path)} is used instead, of step {batches:,}"
                told = f"{printable(other, None)} {problem}: {used}"
            return file, told
        raise InputError(f"No trained model in this directory ({MODEL_FILE}). Received: {path}")
    if not path.exists():
        raise InputError(f"No such model. Received: {path}")
    if path.suffix != ".keras":
        raise InputError(
            f"A model is a run's directory, a .keras file or an export. Received: {path}"
        )
    return path, None


def has_model(run: Path) -> bool:
    """Whether a run has reached its first checkpoint."""
    return bool(_states(run))


def _states(run: Path) -> list[Path]:
    return [run / name for name in (MODEL_FILE, CHECKPOINT_FILE) if (run / name).is_file()]


def _trained(state: Path) -> tuple[int, str | None]:
    """(batches that a state was trained on, None), or (-1, why it cannot be read)."""
    try:
        batches = batches_seen(state)
        with zipfile.ZipFile(state) as archive:
            damaged = archive.testzip()  # its beginning can be whole where the rest is not
    except Exception as error:  # zipfile and zlib have several, for encrypted members too
        return -1, f"cannot be read ({first_line(error.__cause__ or error)})"
    if damaged:
        return -1, f"cannot be read ({printable(damaged)} in it is damaged)"
    return batches, None


def _told(path: Path, best: bool = True) -> Path:
    """As `find_model`, and a warning where another file is used than one might think."""
    file, told = _find(path, best)
    if told:
        LOG.warning(told)
    return file


def load_model(
    path: str | os.PathLike[str],
    compile: bool = True,
    custom_objects: Mapping[str, Any] | None = None,
    *,
    best: bool = True,
) -> GAN | Autoencoder:
    """Loads a trained GAN or autoencoder.

    Args:
        path: a run's directory or a .keras file.
        compile: restore losses and optimizers too; False for a model that is
            only to make images, and for one compiled with functions that
            Keras cannot find again.
        custom_objects: name -> class or function, those of the user's that its networks are made
            of and that are not registered with Keras.
        best: of a run that was evaluated in training the state with the best images; False for
            the one that was trained furthest.

    Raises:
        InputError: nothing there, a file that is not a Keras model or holds code, another kind
            of model, or a class or function that is not known, by its name.
    """
    path = _told(Path(path), best)
    check_archive(path, compile)
    try:
        model = _load(path, compile, custom_objects)
    except Exception as error:  # zipfile, h5py, json and keras each have their own for a bad file
        if (
            compile
            and not isinstance(error, KganError)
            and _loads_without_compiling(path, custom_objects)
        ):
            raise compiled_with_functions(path) from error
        raise not_readable(path, error, custom_objects) from error
    if not isinstance(model, (GAN, Autoencoder)):
        raise InputError(
            f"This Keras model is neither a kgan.GAN nor a kgan.Autoencoder: {path} holds a "
            f"{type(model).__name__}; kgan export delivers any generator"
        )
    return model


def _load(path: Path, compile: bool, custom_objects: Mapping[str, Any] | None) -> Any:
    objects = None if custom_objects is None else dict(custom_objects)
    with weights_that_fit(path):
        return keras.models.load_model(path, objects, compile=compile, safe_mode=True)


def load_network(path: str | os.PathLike[str]) -> keras.Model:
    """Loads what can be exported: a GAN, an autoencoder, or any other network of Keras.

    Args:
        path: a run's directory, or what `kgan.models.read_network` takes.

    Raises:
        InputError: nothing there, a file that is not a Keras model or holds code.
    """
    file = _model_file(path)
    return read_network(_told(Path(path)) if file != Path(path) else file)


def _model_file(path: str | os.PathLike[str]) -> Path:
    """A run's .keras file; any other path as it is."""
    path = Path(path)
    return find_model(path) if path.is_dir() and not is_saved_model(path) else path


def _loads_without_compiling(path: Path, custom_objects: Mapping[str, Any] | None) -> bool:
    try:
        _load(path, False, custom_objects)
    except Exception:  # as in load_model, which reports it
        return False
    return True


def load_gan(
    path: str | os.PathLike[str],
    compile: bool = True,
    custom_objects: Mapping[str, Any] | None = None,
) -> GAN:
    """Loads a trained GAN, ready to generate and to train on.

    Args:
        path, compile, custom_objects: as for `load_model`.

    Returns:
        A `kgan.GAN`.

    Raises:
        InputError: as for `load_model`.
    """
    return _of_kind(load_model(path, compile, custom_objects), GAN, path)


def load_autoencoder(
    path: str | os.PathLike[str],
    compile: bool = True,
    custom_objects: Mapping[str, Any] | None = None,
) -> Autoencoder:
    """Loads a trained autoencoder, ready to reconstruct and to train on.

    Args:
        path, compile, custom_objects: as for `load_model`.

    Returns:
        A `kgan.Autoencoder`.

    Raises:
        InputError: as for `load_model`.
    """
    return _of_kind(load_model(path, compile, custom_objects), Autoencoder, path)


def _of_kind(model: Any, kind: type, path: str | os.PathLike[str]) -> Any:
    if not isinstance(model, kind):
        raise InputError(
            f"This Keras model is not a kgan.{kind.__name__}: {path} holds a {type(model).__name__}"
        )
    return model


def run_directory(path: str | os.PathLike[str]) -> Path | None:
    """The run that a model lies in, or None for a file by itself."""
    path = _model_file(path).resolve()
    for name in (MODEL_FILE, CHECKPOINT_FILE, BEST_FILE):
        run = path.parents[name.count("/")]
        if path == run / name and _facts(run):
            return run
    return None


def _facts(run: Path) -> dict[str, Any]:
    try:
        config = json.loads(read_text(run / CONFIG_FILE, "utf-8-sig"))
        return {"data": as_name(config["source"])} | {
            key: config[key] for key in ("batch_size", "seed")
        }
    # Another program's config.json, or one that was edited.
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def training_facts(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What a manifest is to say of how a model was made: its data, batch size and seed."""
    run = run_directory(path)
    return _facts(run) if run else {}


def kept_figures(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """The figures that were measured of a model, as `kgan.metrics.Evaluation.to_json` gives them.

    None where there are none, or where they are of another state of it.
    """
    run, state = run_directory(path), _model_file(path)
    if state.suffix != ".keras":
        return None
    beside = [state.with_name(f"{state.stem}.{EVALUATION_FILE}")]
    if run is not None and Path(path).is_dir():
        beside.insert(0, run / EVALUATION_FILE)
    for file in filter(Path.is_file, beside):
        try:
            found = read_evaluation(file)
            if found.model.get("sha256") == sha256(state):
                return found.without_halves().to_json()
        except InputError as error:
            LOG.warning("%s", error)
    return None


def model_name(path: str | os.PathLike[str]) -> str:
    """The name of a model: its run's, its directory's or its file's without the suffix."""
    run = run_directory(path)
    if run:
        return run.name
    path = Path(os.path.abspath(path))
    return path.name if path.is_dir() else path.stem.removesuffix(".weights")
