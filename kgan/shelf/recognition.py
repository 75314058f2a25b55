"""Says of a path that an export is there already, or something else where one is to go."""

from __future__ import annotations

import os
from pathlib import Path

from kgan import export_places
from kgan import manifest as manifests
from kgan.errors import InputError
from kgan.files import check_name, printable
from kgan.names import name_of
from kgan.shelf import wording
from kgan.shelf.listing import read_manifest
from kgan.untrusted import read_model

FORMATS = {".onnx": "an ONNX file", ".tflite": "a TFLite file"}


def describe(path: str | os.PathLike[str]) -> str | None:
    """What an export is, in one line; None for anything else.

    Args:
        path: an .onnx or .tflite file, whoever wrote it, or a directory that kgan wrote.
    """
    path = Path(path)
    manifest: manifests.Manifest | None = None
    try:
        if path.suffix == ".onnx" and path.is_file():
            manifest = read_model(path).manifest
        else:
            place = path.parent if path.suffix in FORMATS else path
            export = export_places.find_export(place)
            manifest = None if export is None else read_manifest(export)
    except InputError:  # it is described, not used
        pass
    if manifest:
        name, version = manifest.get("name", "?"), manifest.get("version", "?")
        return (
            f"This is an export already: {printable(name)}, version {version}, "
            f"{wording.kind(manifest)}. kgan export --inspect describes it."
        )
    if path.suffix in FORMATS and path.is_file():
        return (
            f"This is {FORMATS[path.suffix]}, which an export writes; it is made from a Keras "
            "model or a run."
        )
    return None


def check_place(directory: str | os.PathLike[str], kind: str) -> None:
    """Refuses a NAME directory in which an export would lie among other things.

    Args:
        directory: where an export is to go, as a version in it.
        kind: of the export, such as "probe".

    Raises:
        InputError: it holds no versions of an export of that kind, and is not empty or new.
    """
    path = Path(directory)
    check_name(name_of(path.absolute().name), "an export")
    if not os.path.lexists(path):
        return
    if not path.is_dir():
        raise InputError(f"An export needs a directory. Received: {printable(path)}")
    others = [name for name in os.listdir(path) if not name.startswith(".")]
    versions = export_places.versions_of(path)
    if not versions:
        if others:
            raise InputError(
                "An export goes into a directory of its own, new, empty or of the same export's "
                f"versions. Received: {printable(path)}, which holds {printable(min(others))}"
            )
        return
    read_manifest(versions[max(versions)])
    check_kind(path, kind)


def check_kind(directory: str | os.PathLike[str], kind: str) -> None:
    """Refuses a NAME directory whose newest version is an export of another kind.

    Args:
        directory: where an export is to go, as a version in it.
        kind: of the export, as manifests name it.

    Raises:
        InputError: it is of another kind. A newest version that is no export is of none.
    """
    versions = export_places.versions_of(Path(directory))
    try:
        manifest = read_manifest(versions[max(versions)]) if versions else None
    except InputError:
        return
    if manifest and manifest.get("kind", "generator") != kind:
        raise InputError(
            f"Versions of one export are of one kind: name another directory for "
            f"{wording.a_kind(kind)}. Received: {printable(directory)}, {wording.kind(manifest)}"
        )
