"""Says of a path that an export is there already, for who takes it for a model."""

from __future__ import annotations

import os
from pathlib import Path

from kgan import export_places
from kgan import manifest as manifests
from kgan.errors import InputError
from kgan.files import printable
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
