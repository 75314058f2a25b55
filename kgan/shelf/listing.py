"""Lists the exports in a directory."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from kgan import manifest as manifests
from kgan.errors import InputError
from kgan.export_places import versions_of
from kgan.files import aligned, printable
from kgan.leftovers import sweep
from kgan.reading import read_text
from kgan.shelf import wording
from kgan.untrusted import check_promise


@dataclasses.dataclass(frozen=True)
class Shelved:
    """One version of an export, or a directory that is not an export.

    Attributes:
        path: its directory.
        name: NAME/VERSION, or NAME for a directory without versions.
        latest: whether NAME stands for this version.
        manifest: its manifest; None if it has none that can be read.
        problem: why it is not an export, one line; None for an export.
        forms: those of "onnx", "saved_model" and "tflite" that it has files for.
        bytes: total size of its files.
    """

    path: Path
    name: str
    latest: bool
    manifest: manifests.Manifest | None
    problem: str | None
    forms: tuple[str, ...]
    bytes: int


def list_exports(directory: str | os.PathLike[str]) -> list[Shelved]:
    """All exports in a directory, by name and version; anything else is listed with its problem.

    What an export that was killed left there is removed.

    Args:
        directory: such as "saved_models".

    Returns:
        List of `Shelved`. Plain files and names that begin with a dot are omitted, and what is
        deleted while it is looked at.

    Raises:
        InputError: there is no such directory.
    """
    directory = Path(directory)
    if not directory.is_dir():
        raise InputError(f"No such directory of exports. Received: {directory}")
    exports: list[Shelved] = []
    for place in sorted(directory.iterdir()):
        if not place.is_dir() or place.name.startswith("."):
            continue
        if sweep(place):
            with contextlib.suppress(OSError):  # one with versions stays
                place.rmdir()
        with contextlib.suppress(FileNotFoundError):
            exports += _versions(place)
    return exports


def _versions(place: Path) -> Iterator[Shelved]:
    versions = versions_of(place)
    listed = {f"{place.name}/{version}": path for version, path in versions.items()}
    for name, path in (listed or {place.name: place}).items():
        latest = bool(versions) and path == versions[max(versions)]
        with contextlib.suppress(FileNotFoundError):
            shelved = _shelved(path, name, latest)
            if path.exists():
                yield shelved


def read_manifest(path: Path) -> manifests.Manifest:
    """The checked manifest of a VERSION directory.

    Raises:
        InputError: there is none, or kgan did not write it.
    """
    file = path / manifests.MANIFEST_FILE
    try:
        content = read_text(file)
    except OSError:
        raise InputError(f"Not an export of kgan: no {manifests.MANIFEST_FILE} in {path}") from None
    except UnicodeDecodeError:
        content = ""
    return check_promise(manifests.parse(content, path), path)


def list_json(exports: Sequence[Shelved]) -> list[dict[str, Any]]:
    """Exports for programs.

    Args:
        exports: as `list_exports` gives them.

    Returns:
        List that `json.dumps` takes: of each the attributes of `Shelved`.
    """
    return [dataclasses.asdict(each) | {"path": str(each.path)} for each in exports]


def table(exports: Sequence[Shelved]) -> list[str]:
    """The lines of a table of exports, as `list_exports` returns them."""
    rows = []
    for export in exports:
        name = printable(export.name) + (" (latest)" if export.latest else "")
        if export.manifest is None:
            rows.append((name, "-", "-", "-", "-", "-", printable(export.problem)))
            continue
        training = export.manifest.get("training", {})
        onnx = _precisions(export.manifest)
        rows.append(
            (
                name,
                " + ".join(onnx if name == "onnx" else name for name in export.forms) or "no model",
                wording.size(export.bytes),
                printable(training.get("preset") or "own networks"),
                wording.image_size(export.manifest),
                f"{printable(training.get('batches_seen', '?'))} steps",
                _figures(export.manifest),
            )
        )
    return aligned([("export", "forms", "size", "preset", "pictures", "trained", ""), *rows])


def _precisions(manifest: manifests.Manifest) -> str:
    """The ONNX files' precisions in words, where there are others than float32."""
    smaller = manifests.smaller_files(manifest)
    names = list(dict.fromkeys(printable(figures["precision"]) for figures in smaller.values()))
    alone = "precisions" not in manifest  # and so in place of float32
    return f"onnx{' ' if alone else ' and '}{', '.join(names)}" if names else "onnx"


def _figures(manifest: manifests.Manifest) -> str:
    """The training data, and the worst parity of all forms."""
    reports = manifest.get("parity", {}).values()
    worst = {
        key: max(report[key] for report in reports if key in report)
        for key in ("float_max_abs_difference", "uint8_max_levels")
        if any(key in report for report in reports)
    }
    words = (manifest.get("training", {}).get("data"), wording.parity(worst))
    return "; ".join(printable(word) for word in words if word)


def _shelved(path: Path, name: str, latest: bool) -> Shelved:
    manifest: manifests.Manifest | None
    problem: str | None
    try:
        manifest, problem = read_manifest(path), None
    except InputError as error:
        manifest, problem = None, str(error)
    forms = []
    if any(path.glob("*.onnx")):
        forms.append("onnx")
    if (path / "saved_model.pb").is_file():
        forms.append("saved_model")
    if any(path.glob("*.tflite")):
        forms.append("tflite")
    files = [file for file in path.rglob("*") if file.is_file()]
    total = sum(file.stat().st_size for file in files)
    return Shelved(path, name, latest, manifest, problem, tuple(forms), total)
