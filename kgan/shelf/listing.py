"""Which exports a directory holds."""

import dataclasses
from pathlib import Path

from kgan import manifest as manifests
from kgan.errors import InputError
from kgan.files import aligned, printable
from kgan.shelf import wording
from kgan.untrusted import check_promise


@dataclasses.dataclass(frozen=True)
class Shelved:
    """One version of an export, or something that is none.

    Attributes:
        path: its directory.
        name: NAME/VERSION, or NAME of what holds no version.
        latest: whether it is the one that NAME stands for.
        manifest: its manifest, a dict; None where it has none that can be read.
        problem: why not, one line; None for an export.
        forms: those of "onnx", "saved_model" and "tflite" that its files are there for.
        bytes: size of all its files.
    """

    path: Path
    name: str
    latest: bool
    manifest: dict | None
    problem: str | None
    forms: tuple
    bytes: int


def list_exports(directory):
    """All exports of a directory, by name and version; what is none is there with its problem.

    Args:
        directory: such as "saved_models".

    Returns:
        List of `Shelved`. Plain files and names that begin with a dot are left out.

    Raises:
        InputError: no such directory.
    """
    directory = Path(directory)
    if not directory.is_dir():
        raise InputError(f"No such directory of exports. Received: {directory}")
    found = []
    for place in sorted(directory.iterdir()):
        if not place.is_dir() or place.name.startswith("."):
            continue
        versions, latest = manifests.versions_of(place), manifests.latest_of(place)
        if not versions:
            found.append(_shelved(place, place.name, False))
        for version in versions:
            name = f"{place.name}/{version}"
            found.append(_shelved(directory / name, name, version == latest))
    return found


def read_manifest(path):
    """The checked manifest of a VERSION directory.

    Raises:
        InputError: there is none, or it is none of kgan's.
    """
    file = path / manifests.MANIFEST_FILE
    try:
        content = file.read_text(encoding="utf-8")
    except OSError:
        raise InputError(f"Not an export of kgan: no {manifests.MANIFEST_FILE} in {path}") from None
    except UnicodeDecodeError:
        content = ""
    return check_promise(manifests.parse(content, path), path)


def table(exports):
    """The lines that show `list_exports`."""
    rows = []
    for export in exports:
        name = printable(export.name) + (" (latest)" if export.latest else "")
        if export.manifest is None:
            rows.append((name, "-", "-", "-", "-", "-", printable(export.problem)))
            continue
        training = export.manifest.get("training", {})
        form = export.manifest.get("precision", {}).get("form")
        onnx = "onnx" if form is None else f"onnx {printable(form)}"
        rows.append(
            (
                name,
                " + ".join(onnx if name == "onnx" else name for name in export.forms) or "no model",
                wording.size(export.bytes),
                printable(training.get("preset") or "own networks"),
                wording.pictures(export.manifest),
                f"{printable(training.get('batches_seen', '?'))} steps",
                _figures(export.manifest),
            )
        )
    return aligned([("export", "forms", "size", "preset", "pictures", "trained", ""), *rows])


def _figures(manifest):
    """Its data and, as the worst of all forms, its parity."""
    reports = manifest.get("parity", {}).values()
    worst = {
        key: max(report[key] for report in reports if key in report)
        for key in ("float_max_abs_difference", "uint8_max_levels")
        if any(key in report for report in reports)
    }
    words = (manifest.get("training", {}).get("data"), wording.parity(worst))
    return "; ".join(printable(word) for word in words if word)


def _shelved(path, name, latest):
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
