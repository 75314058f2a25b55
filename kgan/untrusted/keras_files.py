"""Keras's own files from anywhere, looked through before Keras acts on them: no code, no bomb."""

from __future__ import annotations

import contextlib
import json
import os
import zipfile
from typing import Any

import h5py

from kgan import memory
from kgan.errors import InputError
from kgan.files import first_line, printable
from kgan.reading import check_file

MOST_EXPANSION = 100  # zeros, as of new optimizers, pack well
CONFIG, HDF5 = "config.json", ".h5"  # inside a .keras file; weights can be in several of the latter
# How a Lambda's Python code stands in a config: Keras 3's way, and Keras 2's in HDF5.
CODE = ('"__lambda__"', '"function_type": "lambda"')


def compiled_with_functions(path: str | os.PathLike[str]) -> InputError:
    """What is said of a model whose losses or optimizers are Python functions."""
    return InputError(
        "This model was compiled with functions that Keras cannot find again; load it with "
        f"compile=False, then compile it. Received: {path}"
    )


def why_unreadable(path: str | os.PathLike[str], error: BaseException) -> str:
    """Why Keras cannot read a file, in one line: the innermost reason, or that it is of Keras 2."""
    try:
        with zipfile.ZipFile(path) as archive:
            version = json.loads(archive.read("metadata.json"))["keras_version"]
    except Exception:  # not a .keras file, or damaged
        version = ""
    if str(version).startswith("2."):
        return f"saved by Keras {printable(version)}: save it there as .h5 or as a SavedModel"
    return first_line(ValueError(str(error).rsplit("Exception encountered: ", 1)[-1]))


def check_archive(path: str | os.PathLike[str], compile: bool) -> None:
    """Refuses a .keras file that holds code, or little that unpacks to much.

    Keras's safe mode refuses code too, but can be switched off for the whole process. What a
    model was compiled with is not looked at where it is not to be compiled: nor does Keras.
    A damaged file is left to Keras to report.

    Raises:
        InputError: code in its layers, code in its compilation where that counts, a file that
            unpacks to more than 100 times its size or to an array that does not fit into memory,
            or no regular file.
    """
    size, largest = check_file(path), 0
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
            bomb = unpacked > MOST_EXPANSION * size
            config = {} if bomb else json.loads(archive.read(CONFIG))
            compilation = config.pop("compile_config", None)
            for name in [] if bomb else archive.namelist():
                if name.endswith(HDF5):
                    # Of damaged weights Keras is to say so; what else is in the file counts still.
                    with (
                        contextlib.suppress(Exception),
                        archive.open(name) as stream,
                        h5py.File(stream) as weights,
                    ):
                        largest = max(largest, _largest(weights))
    except Exception:
        return
    if bomb:
        raise InputError(
            f"A .keras file unpacks to at most {MOST_EXPANSION} times its size. Received: {path} "
            f"of {size} bytes, which unpacks to {unpacked}"
        )
    memory.check("An array in this file", largest, "a smaller one", path)
    if _holds_code(config):
        raise _code(path)
    if compile and _holds_code(compilation):
        raise compiled_with_functions(path)


def check_hdf5(path: str | os.PathLike[str]) -> bool:
    """Refuses an HDF5 file of `model.save` that holds code.

    Returns:
        Whether it holds a network and not weights alone.

    Raises:
        InputError: it holds code, is not a readable HDF5 file, or unpacks to an array that does
            not fit into memory.
    """
    check_file(path)
    try:
        with h5py.File(path) as file:
            config, largest = file.attrs.get("model_config"), _largest(file)
        parsed = None if config is None else json.loads(config)
    except Exception:  # h5py and json have several of their own
        raise InputError(f"Not a readable HDF5 file of Keras. Received: {path}") from None
    memory.check("An array in this file", largest, "a smaller one", path)
    if _holds_code(parsed):
        raise _code(path)
    return parsed is not None


def _largest(file: h5py.File) -> int:
    """The bytes of the largest array in an HDF5 file, which may have none of them in it."""
    sizes = [0]

    def note(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            sizes.append(item.size * item.dtype.itemsize)

    file.visititems(note)
    return max(sizes)


def _holds_code(config: Any) -> bool:
    text = json.dumps(config)
    return any(mark in text for mark in CODE)


def _code(path: str | os.PathLike[str]) -> InputError:
    return InputError(
        "This Keras file holds Python code (a Lambda layer), which is not run: a model of "
        f"registered layers can be loaded. Received: {path}"
    )
