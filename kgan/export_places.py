"""Where exports are: NAME/VERSION in a directory of exports, and the files in them."""

from __future__ import annotations

import os
from pathlib import Path

from kgan.errors import InputError
from kgan.manifest import FLOAT32, HALVES, MANIFEST_FILE, ONNX_FILE, in_precision

LATEST = "latest"  # NAME/latest stands for the highest version
KERAS_FILE = "model.keras"  # of an export's folder, where its GAN was put beside it
HIGHEST = 2**63 - 1  # what TensorFlow Serving takes


def versions_of(directory: Path) -> dict[int, Path]:
    """Version -> its directory, of an export's NAME directory, lowest first.

    01 is version 1, as for TensorFlow Serving; where 1 is there too, it is that one.
    """
    if not directory.is_dir():
        return {}
    entries = [entry for entry in directory.iterdir() if entry.name.isascii()]
    numbered = [(int(entry.name), entry) for entry in entries if entry.name.isdecimal()]
    # The shortest name of a number last, so that it counts.
    numbered.sort(key=lambda pair: (pair[0], -len(pair[1].name)))
    return {version: entry for version, entry in numbered if entry.is_dir()}


def next_version(directory: Path) -> int:
    """The number of the next export in a NAME directory.

    Raises:
        InputError: it would be higher than TensorFlow Serving takes.
    """
    names = [entry.name for entry in directory.iterdir()] if directory.is_dir() else []
    taken = (int(name) for name in names if name.isascii() and name.isdecimal())
    version = max(taken, default=0) + 1
    if version > HIGHEST:
        raise InputError(
            f"An export's version is at most {HIGHEST}, and a higher one is there. Remove it, or "
            f"choose another --name. Received: {directory / str(version - 1)}"
        )
    return version


def find_export(path: str | os.PathLike[str]) -> Path | None:
    """The VERSION directory that `path` stands for, or None if it is not an export.

    Args:
        path: an export's VERSION directory, its NAME directory or NAME/latest; the last two stand
            for the highest version. Nothing on disk is called latest, so it is never out of date.

    Raises:
        InputError: the highest version is not an export.
    """
    path = Path(path)
    if path.name == LATEST and not path.exists():
        path = path.parent
    if not (path / MANIFEST_FILE).is_file():
        versions = versions_of(path)
        if not versions:
            return None
        path = versions[max(versions)]
        if not (path / MANIFEST_FILE).is_file():
            raise InputError(
                f"Not an export: {path}, the highest version, has no {MANIFEST_FILE}; name "
                f"another version, or remove it. Received: {path.parent}"
            )
    return path if (path / MANIFEST_FILE).is_file() else None


def find_gan(onnx: Path) -> Path | None:
    """The file of the whole GAN that was put beside an export's model, or None."""
    path = onnx.parent / KERAS_FILE
    return path if path.is_file() else None


def find_onnx(path: str | os.PathLike[str], precision: str | None = None) -> Path | None:
    """The model.onnx that `path` stands for, or None if `path` is not an export.

    Args:
        path: an .onnx file, or what `find_export` takes.
        precision: which of an export's files, None for model.onnx, which also stands for one
            that is not there: what it is in, its own manifest says. An .onnx file is taken as it
            is.

    Raises:
        InputError: an export without an ONNX generator.
    """
    path = Path(path)
    if path.suffix == ".onnx" and path.is_file():
        return path
    directory = find_export(path)
    if directory is None:
        return None
    file = _in_precision(directory, ONNX_FILE, precision)
    if not file.is_file():
        if find_autoencoder(directory):
            raise InputError(
                "This export is an autoencoder, which cannot generate from seeds; "
                f"kgan.runtime.Autoencoder runs it. Received: {directory}"
            )
        raise InputError(
            f"This export has no {ONNX_FILE}; kgan export --onnx makes a version with it. "
            f"Received: {directory}"
        )
    return file


def find_autoencoder(path: str | os.PathLike[str]) -> Path | None:
    """The VERSION directory with both halves of an autoencoder that `path` stands for, or None.

    Args:
        path: what `find_export` takes.
    """
    directory = find_export(path)
    if directory is None or not all((directory / f"{half}.onnx").is_file() for half in HALVES):
        return None
    return directory


def halves_of(directory: Path, precision: str | None) -> dict[str, Path]:
    """The .onnx file of each half of an autoencoder's VERSION directory; see `find_onnx`."""
    return {half: _in_precision(directory, f"{half}.onnx", precision) for half in HALVES}


def _in_precision(directory: Path, file: str, precision: str | None) -> Path:
    other = directory / in_precision(file, precision or FLOAT32)
    return other if other.is_file() else directory / file
