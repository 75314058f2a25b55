"""Keras networks on disk: a whole one in any of Keras's and TensorFlow's forms, weights alone."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from kgan.errors import InputError, KganError
from kgan.files import first_line
from kgan.memory import out_of_memory
from kgan.models.preset_kinds import Preset
from kgan.models.presets import get_preset, make_networks
from kgan.models.room import weights_that_fit
from kgan.models.saved_function import quiet, saved_function
from kgan.reading import check_file
from kgan.untrusted.keras_files import CONFIG, check_archive, check_hdf5, why_unreadable


def read_network(path: str | os.PathLike[str]) -> keras.Model:
    """A Keras network, in inference ready to run, from a file or directory.

    Args:
        path: a .keras file, an HDF5 file of `model.save`, or a SavedModel's directory, as
            `model.export`, `tf.saved_model.save` and Keras 2 write it. What a file holds is seen
            by its content.

    Returns:
        A `keras.Model`, not compiled. Of a SavedModel it has the default signature, one layer
        with all weights.

    Raises:
        InputError: nothing there, a file that cannot be read or holds code, or weights alone.
    """
    path = Path(path)
    if path.is_dir():
        return saved_function(path)
    _check_there(path)
    if path.suffix == ".keras" or zipfile.is_zipfile(path):
        check_archive(path, compile=False)
        suffix = ".keras"
    elif path.suffix in (".h5", ".hdf5") or h5py.is_hdf5(path):
        if not check_hdf5(path):
            raise InputError(
                "This file holds weights alone: say whose, as in --preset dcgan_tanh; in Python "
                f"kgan.models.load_weights puts them into a network. Received: {path}"
            )
        suffix = ".h5"
    else:
        raise InputError(
            "A network is a .keras file, an .h5 file, a SavedModel's directory or a run's. "
            f"Received: {path}"
        )
    try:
        with _with_suffix(path, suffix) as named, quiet(), weights_that_fit(path):
            model = keras.models.load_model(named, compile=False, safe_mode=True)
    except Exception as error:  # zipfile, h5py, json and keras each have their own for a bad file
        raise not_readable(path, error) from error
    if not isinstance(model, keras.Model):
        raise InputError(f"This file holds no network: {path} holds a {type(model).__name__}")
    return model


def not_readable(
    path: Path, error: BaseException, custom_objects: Mapping[str, Any] | None = None
) -> KganError:
    """What is said of a Keras file that Keras could not load: what it does not know, or why."""
    known = error if isinstance(error, KganError) else out_of_memory(error)
    if known is not None:
        return known
    missing = _unknown(path, custom_objects or {})
    if not missing:
        why = why_unreadable(path, error)
        return InputError(f"Not a readable Keras model: {path} ({why})")
    given = ", ".join(f"{name!r}: {name.rpartition('>')[2]}" for name in missing)
    return InputError(
        f"Keras does not know this model's {', '.join(missing)}: import what registers "
        f"them, or give custom_objects={{{given}}}. Received: {path}"
    )


def _unknown(path: Path, custom_objects: Mapping[str, Any]) -> list[str]:
    """The names of classes and functions in a .keras file that Keras cannot find, once each."""
    try:
        with zipfile.ZipFile(path) as archive:
            waiting = [json.loads(archive.read(CONFIG))]
    except Exception:  # damaged, or of another form: Keras reported it
        return []
    names: dict[str, None] = {}
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting.extend(part)
        elif isinstance(part, dict):
            waiting.extend(part.values())
            function = part.get("class_name") == "function"
            name = part.get("config" if function else "registered_name")
            keras_own = str(part.get("module")).partition(".")[0] == "keras"
            if isinstance(name, str) and not keras_own:
                if keras.saving.get_registered_object(name, custom_objects) is None:
                    names[name] = None
    return sorted(names)


def load_weights(network: keras.Model, path: str | os.PathLike[str]) -> None:
    """Puts saved weights into a network of the same layers, all of them or none.

    Args:
        network: a built Keras model.
        path: an HDF5 file of `save_weights`, of Keras 3 or before, whatever its name.

    Raises:
        InputError: nothing there, no weights of Keras, or those of another network.
    """
    path = Path(path)
    _check_there(path)
    if not h5py.is_hdf5(path):
        raise InputError(f"Weights alone are an HDF5 file of save_weights. Received: {path}")
    if check_hdf5(path):
        raise InputError(
            f"This file holds a whole network, not weights alone: it needs no preset. "
            f"Received: {path}"
        )
    before = network.get_weights()
    try:
        with h5py.File(path) as file:
            old, arrays = "layer_names" in file.attrs, _arrays(file)
        if len(arrays) != len(before):
            raise ValueError(f"it has {len(arrays)} arrays, the network {len(before)}")
        with _with_suffix(path, ".h5" if old else ".weights.h5") as named, quiet():
            network.load_weights(named)
        # Keras passes over what a file has too much or under another name.
        if _sorted_bytes(network.get_weights()) != _sorted_bytes(arrays):
            raise ValueError("its layers have other names")
    except Exception as error:  # h5py and keras have several of their own
        network.set_weights(before)
        raise InputError(
            f"These weights are not of {network.name}: {path} ({first_line(error)})"
        ) from error


def read_preset_generator(
    path: str | os.PathLike[str],
    preset: str,
    *,
    image_shape: tuple[int, int, int] | None = None,
    latent_dim: int | None = None,
    filters: int | None = None,
    num_classes: int | None = None,
) -> keras.Model:
    """A preset's generator with weights that were saved alone.

    Args:
        path: as for `load_weights`.
        preset: the preset's name.
        image_shape, latent_dim, filters, num_classes: as `GAN.from_preset` takes them.

    Raises:
        InputError: no GAN's preset, a size that it cannot have, or other weights; those of its
            discriminator are named as such.
    """
    get_preset(preset, Preset)
    sizes: dict[str, Any] = {"image_shape": image_shape, "latent_dim": latent_dim}
    networks = make_networks(preset, **sizes, filters=filters, num_classes=num_classes)
    generator, discriminator = networks["generator"], networks["discriminator"]
    try:
        load_weights(generator, path)
    except InputError as problem:
        try:
            load_weights(discriminator, path)
        except InputError:
            made = "x".join(map(str, generator.output_shape[1:]))
            raise InputError(
                f"{problem}. Made: {preset} with images of {made}, latents of "
                f"{generator.latent_dim} and filters {generator.filters}"
            ) from problem
        raise InputError(
            f"These are the weights of {preset}'s discriminator, which makes no images: give the "
            f"generator's. kgan.models.load_weights puts both into a GAN. Received: {path}"
        ) from None
    return generator


def _arrays(file: h5py.File) -> list[np.ndarray]:
    """The arrays of weights in an HDF5 file, those of an optimizer left out."""
    arrays: list[np.ndarray] = []

    def note(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and not name.startswith("optimizer"):
            arrays.append(item[()])

    file.visititems(note)
    return arrays


def _sorted_bytes(arrays: list[np.ndarray]) -> list[bytes]:
    return sorted(np.asarray(array, np.float32).tobytes() for array in arrays)


def _check_there(path: Path) -> None:
    if path.exists():
        check_file(path)
        return
    if path.with_name(f"{path.name}.index").is_file():
        raise InputError(
            "This is a checkpoint of TensorFlow's, not a file of Keras: load it with the Keras "
            f"that saved it, then save_weights('NAME.h5'). Received: {path}"
        )
    raise InputError(f"No such model. Received: {path}")


@contextlib.contextmanager
def _with_suffix(path: Path, suffix: str) -> Iterator[str]:
    """The file under a name by which Keras knows its form: itself, or a copy for a while."""
    if path.name.endswith(suffix) and (suffix != ".h5" or not path.name.endswith(".weights.h5")):
        yield str(path)
        return
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place, f"model{suffix}")
        shutil.copyfile(path, copy)
        yield str(copy)
