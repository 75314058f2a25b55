"""Checkpoints: saved whole, asked how far they got, and put back into a model."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import zipfile
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import h5py

from kgan.errors import InputError
from kgan.file_systems import chain
from kgan.files import first_line, whole_file
from kgan.telling import doing
from kgan.training.averaging import forget_average

if TYPE_CHECKING:
    import keras

    from kgan.training.two_networks import TwoNetworks

# Names inside a .keras file.
CONFIG = "config.json"
WEIGHTS = "model.weights.h5"
BATCHES_SEEN = "vars/0"  # the first variable of a TwoNetworks itself
OPTIMIZERS = ("optimizer", "g_optimizer", "d_optimizer")


def save_whole(model: keras.Model, path: str | os.PathLike[str]) -> None:
    """Saves a Keras model so that a reader never finds half of it, after a power cut either.

    Raises:
        OSError: it cannot be written, with the reason and `path`; what stood there stays.
    """
    _keep_keras_skipset()
    try:
        with doing("saving"), whole_file(path, durable=True) as temporary:
            model.save(temporary)
    except Exception as problem:  # zipfile and h5py hide what the system said behind their own
        for cause in chain(problem):
            if isinstance(cause, OSError) and cause.errno is not None:
                raise OSError(cause.errno, cause.strerror, str(path)) from problem
        raise


def _keep_keras_skipset() -> None:
    """Keeps 72 kB of every optimizer that Keras saves from staying in memory.

    Keras looks its list of an optimizer's attributes up under another name than it keeps it
    under (3.12 to 3.15), and so makes an optimizer each time, which TensorFlow does not free.
    """
    with contextlib.suppress(ImportError, AttributeError):
        from keras.src.backend.common import global_state
        from keras.src.saving import saving_lib

        name = "saving_attr_skiplist_Optimizer"
        if global_state.get_global_attribute(name) is None:
            global_state.set_global_attribute(name, saving_lib.get_attr_skipset("Optimizer"))


def batches_seen(path: str | os.PathLike[str]) -> int:
    """How many batches the model in a .keras file has been trained on; its weights stay unread.

    Raises:
        InputError: it is not a readable .keras file of kgan.
    """
    try:
        with _weights(path) as weights:
            return int(weights[BATCHES_SEEN][()])
    except Exception as error:
        raise _unreadable(path, error) from error


def restore(model: TwoNetworks, path: str | os.PathLike[str]) -> int:
    """Puts a compiled model back to where it was when it was saved.

    Weights, the averaged generator, optimizers with their loss scales, the
    strength of ADA, random seeds and the count of batches: trained further on
    the same batches it ends in the same weights as if it had never stopped. On
    an error the model is left as it was.

    Args:
        model: a compiled `GAN` or `Autoencoder`, made like the saved one.
        path: the .keras file.

    Returns:
        The batches it has been trained on, an int.

    Raises:
        InputError: no readable .keras file, or one of other networks, another
            compilation or other optimizers.
    """
    if not model.compiled:
        raise InputError(f"Compile the model before it is restored. Received: {model.name}")
    path = Path(path)
    if not path.is_file():
        raise InputError(f"No such checkpoint. Received: {path}")
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read(CONFIG))
        with _weights(path) as weights:
            saved = _contents(weights)
    except Exception as error:
        raise _unreadable(path, error) from error
    # An average that was begun in training is begun here too; one that the model was made with
    # is a difference, as another size would be.
    begun = config["config"].get("average_begun")
    begins = begun and getattr(model, "ema_generator", begun) is None
    if begins:
        model.start_average(begun)
    try:
        _check_fits(model, path, config, saved)
    except InputError:
        if begins:
            forget_average(model)
        raise
    model.load_weights(path)
    return int(model.batches_seen.numpy())


def _check_fits(
    model: TwoNetworks, path: Path, config: dict[str, Any], saved: dict[str, str]
) -> None:
    """Raises an InputError where what is saved is not all that the model holds."""
    with tempfile.TemporaryDirectory() as place:
        # Keras passes over whatever a file has too much, and over optimizers that do not fit.
        own_file = Path(place) / "own.weights.h5"
        model.save_weights(own_file)
        with h5py.File(own_file) as weights:
            own = _contents(weights)
    if config["class_name"] != type(model).__name__:
        raise InputError(
            f"This checkpoint is of a {config['class_name']}, the model is a "
            f"{type(model).__name__}. Received: {path}"
        )
    optimizers, own_optimizers = (
        _optimizers(compilation or {})
        for compilation in (config.get("compile_config"), model.get_compile_config())
    )
    if optimizers != own_optimizers:
        raise InputError(
            f"This checkpoint was trained with {optimizers}, the model is compiled with "
            f"{own_optimizers}. Received: {path}"
        )
    since = {f"vars/{name}" for name in model.counts_since}  # they begin at 0
    saved = {name: own[name] for name in since & set(own)} | saved
    for name in sorted({*saved, *own}):
        if saved.get(name) != own.get(name):
            raise InputError(
                f"This checkpoint is of another model: {name} is {saved.get(name, 'missing')} "
                f"there and {own.get(name, 'missing')} here. Received: {path}"
            )


class _weights:
    """Context manager: the h5py.File inside a .keras file, of which only what is asked is read."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = path

    def __enter__(self) -> h5py.File:
        self.archive = zipfile.ZipFile(self.path)
        try:
            self.file = h5py.File(self.archive.open(WEIGHTS))
        except BaseException:
            self.archive.close()
            raise
        return self.file

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.file.close()
        self.archive.close()


def _contents(weights: h5py.File) -> dict[str, str]:
    """Name -> shape and dtype of every array in an h5py.File."""
    contents = {}

    def note(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            contents[name] = f"{item.dtype} {item.shape}"

    weights.visititems(note)
    return contents


def _optimizers(config: dict[str, Any]) -> str:
    """The classes of a compilation's optimizers, in words."""
    names = []
    for role in OPTIMIZERS:
        optimizer = config.get(role)
        while optimizer:
            names.append(optimizer["class_name"])
            optimizer = optimizer["config"].get("inner_optimizer")
    return ", ".join(names) or "none"


def _unreadable(path: str | os.PathLike[str], error: BaseException) -> InputError:
    return InputError(f"Not a readable Keras model: {path} ({first_line(error)})")
