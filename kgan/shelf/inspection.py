"""Describes an export for a person: its files, compared with its manifest."""

from __future__ import annotations

import collections
import os
from pathlib import Path
from typing import Any, TypeAlias

from kgan import export_places
from kgan import manifest as manifests
from kgan.attributes import Attributes
from kgan.errors import InputError
from kgan.files import aligned, printable
from kgan.shelf import wording
from kgan.shelf.listing import read_manifest
from kgan.untrusted import Model, described, read_model

INDENT = "  "
WRITTEN_SINCE = ("evaluation", "directions", "encoder")  # by kgan evaluate, by kgan explore
SUFFIXES = (".json", ".png", ".keras")

Row: TypeAlias = tuple[str, str]


def inspect(path: str | os.PathLike[str]) -> list[str]:
    """Describes an export.

    Args:
        path: an .onnx file written by kgan, or a VERSION, NAME or NAME/latest directory.

    Returns:
        List of lines.

    Raises:
        InputError: there is nothing at `path`, or a file breaks its contract.
    """
    path = Path(path)
    if path.suffix == ".onnx" and path.is_file():
        model = read_model(path)
        rows = [*_file(model), *_facts(model.manifest)]
        return [printable(path), *aligned(rows, INDENT)]
    export = _export_at(path)
    manifest = read_manifest(export)
    lines = [printable(export), *aligned(_files(export, manifest), INDENT)]
    for file in sorted(export.glob("*.onnx")):
        lines += [printable(file), *aligned(_file(read_model(file)), INDENT)]
    return [*lines, "manifest", *aligned(_facts(manifest), INDENT)]


def inspect_json(path: str | os.PathLike[str]) -> dict[str, Any]:
    """As `inspect`, for programs.

    Args:
        path: as for `inspect`.

    Returns:
        Dict that `json.dumps` takes: "path"; "manifest"; "onnx", of each .onnx file its "bytes",
        "opset", "multiply_adds" and "memory_bytes" at a batch of 1; of a directory also "files",
        each one's "bytes" and "sha256", and "differences" from the manifest, pairs of what and
        which file, empty where there are none.

    Raises:
        InputError: as for `inspect`.
    """
    path = Path(path)
    if path.suffix == ".onnx" and path.is_file():
        model = read_model(path)
        facts = {"path": str(path), "manifest": model.manifest}
        return facts | {"onnx": {path.name: _measures(model)}}
    export = _export_at(path)
    manifest = read_manifest(export)
    files, differences = _compared(export, manifest)
    return {
        "path": str(export),
        "manifest": manifest,
        "onnx": {file.name: _measures(read_model(file)) for file in sorted(export.glob("*.onnx"))},
        "files": files,
        "differences": differences,
    }


def _export_at(path: Path) -> Path:
    export = export_places.find_export(path)
    if export is None:
        raise InputError(
            "Not an export: expected an .onnx file, or a directory with "
            f"{manifests.MANIFEST_FILE}. Received: {path}"
        )
    return export


def _files(export: Path, manifest: manifests.Manifest) -> list[Row]:
    """Rows about the files of a VERSION directory."""
    present, differences = _compared(export, manifest)
    total = wording.size(sum(facts["bytes"] for facts in present.values()))
    rows = [("files", f"{len(present)}, {total}")]
    rows += [(what, printable(name)) for what, name in differences]
    if not differences:
        rows.append(("checked", "every file has the size and SHA-256 of the manifest"))
    return rows


def _compared(export: Path, manifest: manifests.Manifest) -> tuple[dict[str, Any], list[Row]]:
    """(size and SHA-256 of each file there is, (what, name) of each that is not as listed)."""
    listed = manifest.get("files", {})
    sizes = {name: facts.get("bytes") for name, facts in listed.items() if isinstance(facts, dict)}
    present = manifests.list_files(export, sizes)
    for name in set(present) - set(listed):
        if Path(name).suffix in SUFFIXES and Path(name).stem.endswith(WRITTEN_SINCE):
            del present[name]
    differences = []
    for name in sorted({*present, *listed}):
        if name not in listed:
            differences.append(("not in the manifest", name))
        elif name not in present:
            differences.append(("missing", name))
        elif present[name] != listed[name]:
            differences.append(("not as exported", name))
    return present, differences


def _file(model: Model) -> list[Row]:
    """Rows about what an ONNX file really contains."""
    graph = model.proto.graph
    counted = collections.Counter(node.op_type for node in graph.node)
    kinds = ", ".join(f"{count} {name}" for name, count in counted.most_common())
    measures = _measures(model)
    return [
        ("size", wording.size(measures["bytes"])),
        ("operators", f"{len(graph.node)}: {kinds}"),
        ("opset", str(measures["opset"])),
        *(("input", printable(described(value))) for value in graph.input),
        *(("output", printable(described(value))) for value in graph.output),
        ("contract", "inputs, outputs and shapes are those of its manifest"),
        (
            "to run",
            f"{measures['multiply_adds'] / 1e6:,.3g} million multiply-adds, "
            f"up to {wording.size(measures['memory_bytes'])}",
        ),
    ]


def _measures(model: Model) -> dict[str, int]:
    """Size and cost of an ONNX file, at a batch of 1."""
    needed, arithmetic = model.needs(1)
    (opset,) = model.proto.opset_import
    return {
        "bytes": Path(model.origin).stat().st_size,
        "opset": opset.version,
        "multiply_adds": arithmetic,
        "memory_bytes": needed,
    }


def _facts(manifest: manifests.Manifest) -> list[Row]:
    """Rows about the contents of a checked manifest."""
    kind = manifest.get("kind", "generator")
    rows = [
        ("export", f"{manifest.get('name', '?')}, version {manifest.get('version', '?')}"),
        ("kind", wording.kind(manifest).split(" ", 1)[1]),
    ]
    if kind == "autoencoder":
        output = manifest["decoder"]["output"]
        codes = manifest["encoder"]["output"]["shape"][1:]
        rows.append(("codes", "x".join(map(str, codes))))
    elif kind == "probe":
        output = manifest["input"]
        rows.append(("features", str(manifest["features"]["shape"][1])))
    else:
        output, latents = manifest["output"], manifest["latents"]
        assumed = ", assumed" if "assumed" in latents else ""
        rows.append(("latents", f"{latents['dim']}, {latents['distribution']}{assumed}"))
        rows.append(("latent of a seed", latents["law"]))
        if kind == "generator" and "encoder" in manifest:
            rows.append(("encoder", f"{manifest['encoder']['file']}, images to codes: latents"))
    if "value_range" in output:
        low, high = output["value_range"]
        rows.append(("values", f"{output['dtype']}, {low} (black) to {high} (white)"))
    if kind == "probe":
        rows.append(_classes(manifest["classes"]))
    elif kind != "autoencoder" and "labels" in manifest:
        labels = manifest["labels"]
        if "attributes" in labels:
            rows.append(("attributes", Attributes.from_config(labels).in_words()))
        else:
            rows.append(_classes(labels))
    if "directions" in manifest:
        rows.append(("directions", ", ".join(map(str, _names(manifest["directions"])))))
    if "licence" in manifest:
        rows.append(("licence", manifest["licence"]))
    for key, value in manifest.get("training", {}).items():
        if value is not None:
            rows.append((key.replace("_", " "), value))
    for form, report in manifest.get("parity", {}).items():
        rows.append((f"parity of {form}", wording.parity(report)))
    if "optimized" in manifest:
        rows.append(("graph", "rewritten" if manifest["optimized"] else "as tf2onnx wrote it"))
    rows += manifests.figures_in_words(manifest)
    for file, figures in manifests.smaller_files(manifest).items():
        rows.append(
            (
                f"{file} in {figures['precision']}",
                f"compared with float32: PSNR {figures['psnr_db']:.1f} dB, "
                f"{figures['bytes'] / max(figures['float32_bytes'], 1):.0%} of the size; on the "
                f"exporting machine {figures['speed_batch_1']:.2f} times as fast at batch 1, "
                f"{figures['speed_batch_64']:.2f} times at batch 64",
            )
        )
    for package, version in manifest.get("versions", {}).items():
        rows.append((package, version))
    return [(printable(key), printable(value)) for key, value in rows]


def _classes(labels: manifests.Manifest) -> Row:
    """The row about the classes of a probe, or of a model's labels."""
    count, names = labels["num_classes"], labels.get("class_names")
    listed = ", ".join(f"{label} {printable(name, None)}" for label, name in enumerate(names or ()))
    return "classes", f"{count}: {listed}" if names else str(count)


def _names(directions: object) -> list[object]:
    """The names of a manifest's directions, which may be from anywhere."""
    listed = directions if isinstance(directions, list) else []
    return [each.get("name", "?") for each in listed if isinstance(each, dict)]
