"""What an export promises, in machine-readable form, and where exports are on disk."""

from __future__ import annotations

import importlib.metadata
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from kgan.attributes import Attributes
from kgan.channels import in_words
from kgan.errors import InputError
from kgan.reading import LARGEST_TEXT, sha256
from kgan.version import __version__

# A manifest, or an object in one: what `json.loads` gives.
Manifest: TypeAlias = dict[str, Any]

FORMAT = "kgan-export"
FORMAT_VERSION = 1
# model.onnx keeps its own copy under this key, so that the file alone describes itself.
METADATA_KEY = "kgan.manifest"
ONNX_FILE = "model.onnx"
MANIFEST_FILE = "manifest.json"
CARD_FILE = "README.md"  # where Hugging Face's Hub looks; card.md in exports of before
# The most images that one call of a SavedModel's `sample` generates: a request for a billion
# must not take a server down.
MOST_SAMPLES = 256
HALVES = ("encoder", "decoder")  # of an autoencoder: each is an .onnx file of that name
# Of ONNX files; FLOAT32, of model.onnx, has no name of its own: model.int8.onnx is in int8.
PRECISIONS = ("float32", "float16", "int8")
FLOAT32 = PRECISIONS[0]


def generator_manifest(
    *,
    image_shape: Sequence[int],
    latent_dim: int,
    latent_distribution: str,
    latent_law: str,
    value_range: Sequence[float],
    float_output: bool,
    latents_assumed: bool = False,
    condition: int | Attributes | None = None,
    class_names: Sequence[str] | None = None,
) -> Manifest:
    """The inputs and outputs of a generator's export.

    Args:
        image_shape: (H, W, C).
        latent_dim: length of a latent vector.
        latent_distribution: "normal" or "uniform".
        latent_law: the numpy code that draws a latent from a seed.
        value_range: (low, high) of the model's own images.
        float_output: False for uint8 images, True for float32 in `value_range`.
        latents_assumed: nobody said what distribution the generator was trained on.
        condition: number of classes, or attributes, of a conditional generator; None for any other.
        class_names: the names of the classes, by label; None for classes without names.

    Returns:
        A dict that `json.dumps` takes.
    """
    promise: Manifest = {
        "kind": "generator",
        "input": {"name": "latents", "dtype": "float32", "shape": ["batch", latent_dim]},
        "output": images_output(image_shape, value_range, float_output),
        "latents": {
            "dim": latent_dim,
            "distribution": latent_distribution,
            "law": latent_law,
            "seeds": "image i of generate(n, seed) has the seed plus i",
        },
    }
    return _with_assumed(promise, latents_assumed) | _labels(condition, class_names)


def network_manifest(
    *,
    latent_shape: Sequence[int],
    output_shape: Sequence[int],
    latent_distribution: str,
    latent_law: str,
    latents_assumed: bool = False,
    condition: int | Attributes | None = None,
) -> Manifest:
    """The inputs and outputs of the export of a network that gives no images.

    Args:
        latent_shape, output_shape: shapes of one latent and of one output.
        latent_distribution, ...: as for `generator_manifest`.

    Returns:
        A dict that `json.dumps` takes.
    """
    promise: Manifest = {
        "kind": "network",
        "input": {"name": "latents", "dtype": "float32", "shape": ["batch", *latent_shape]},
        "output": {"name": "outputs", "dtype": "float32", "shape": ["batch", *output_shape]},
        "latents": {
            "dim": math.prod(latent_shape),
            "distribution": latent_distribution,
            "law": latent_law,
        },
    }
    return _with_assumed(promise, latents_assumed) | _labels(condition, None)


def _with_assumed(promise: Manifest, assumed: bool) -> Manifest:
    if assumed:
        promise["latents"]["assumed"] = "the distribution: the network does not say it"
    return promise


def _labels(condition: int | Attributes | None, class_names: Sequence[str] | None) -> Manifest:
    if condition is None:
        return {}
    if isinstance(condition, Attributes):
        labels = {
            "name": "labels",
            "dtype": "float32",
            "shape": ["batch", len(condition.names)],
            **condition.to_config(),
            "law": "by default rows[seed modulo their number]; "
            "the model itself does not check that a value is in its range",
        }
        return {"labels": labels}
    return {
        "labels": {
            "name": "labels",
            "dtype": "int64",
            "shape": ["batch"],
            "num_classes": condition,
            "class_names": class_names,
            "law": "by default the seed modulo num_classes; "
            "the model itself does not check that a label is below num_classes",
        }
    }


def autoencoder_manifest(
    *,
    image_shape: Sequence[int],
    code_shape: Sequence[int],
    value_range: Sequence[float],
    float_output: bool,
) -> Manifest:
    """The inputs and outputs of an autoencoder's export.

    Args:
        image_shape: (H, W, C).
        code_shape: shape of one code.
        value_range, float_output: as for `generator_manifest`.

    Returns:
        A dict that `json.dumps` takes.
    """
    encoder = encoder_half(image_shape, code_shape)
    return {
        "kind": "autoencoder",
        "encoder": encoder,
        "decoder": {
            "file": "decoder.onnx",
            "input": encoder["output"],
            "output": images_output(image_shape, value_range, float_output),
        },
    }


def encoder_half(image_shape: Sequence[int], code_shape: Sequence[int]) -> Manifest:
    """The description of `encoder.onnx`: images uint8 (batch, H, W, C) to codes float32."""
    return {
        "file": "encoder.onnx",
        "input": images_output(image_shape, (0, 255), float_output=False),
        "output": {"name": "codes", "dtype": "float32", "shape": ["batch", *code_shape]},
    }


def probe_manifest(
    *,
    image_shape: Sequence[int],
    features: int,
    features_law: str,
    layers: Sequence[tuple[str, int]],
    class_names: Sequence[str],
) -> Manifest:
    """The input and the outputs of a probe's export.

    Args:
        image_shape: (H, W, C).
        features: numbers of one image's features.
        features_law: how they come from the layers' activations, in words.
        layers: (name, maps) of each layer, in the order that their features are joined in.
        class_names: the names of the classes, by their place.

    Returns:
        A dict that `json.dumps` takes.
    """
    count = len(class_names)
    return {
        "kind": "probe",
        "input": images_output(image_shape, (0, 255), float_output=False),
        "features": {
            "name": "features",
            "dtype": "float32",
            "shape": ["batch", features],
            "layers": [{"name": name, "maps": maps} for name, maps in layers],
            "law": features_law,
        },
        "scores": {"name": "scores", "dtype": "float32", "shape": ["batch", count]},
        "classes": {
            "name": "classes",
            "dtype": "int64",
            "shape": ["batch"],
            "num_classes": count,
            "class_names": list(class_names),
            "law": "the place of the largest score, the first of equal ones",
        },
    }


def images_output(
    image_shape: Sequence[int], value_range: Sequence[float], float_output: bool
) -> Manifest:
    """The description of a batch of images."""
    return {
        "name": "images",
        "dtype": "float32" if float_output else "uint8",
        "shape": ["batch", *image_shape],
        "layout": "NHWC",
        "channels": in_words(image_shape[-1]),
        "value_range": list(value_range) if float_output else [0, 255],
    }


def whole_manifest(name: str, version: int, promise: Manifest, training: Manifest) -> Manifest:
    """A manifest, still without parity and files.

    Args:
        name, version: the export is `NAME/VERSION`.
        promise: a dict from one of the functions above.
        training: what is known about how the model was trained, a dict.

    Returns:
        A dict that `json.dumps` takes.
    """
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "name": name,
        "version": version,
        **promise,
        "training": training,
        "versions": {"kgan": __version__}
        | {
            package: importlib.metadata.version(package)
            for package in (
                "tensorflow",
                "keras",
                "tf2onnx",
                "onnx",
                "onnxruntime",
                "numpy",
            )
        },
    }


def evaluation_rows(evaluation: Manifest) -> list[tuple[str, str]]:
    """(what, figure in words) of an export's `evaluation`, the protocol last; for people."""
    rows = []
    for name, figure in evaluation["figures"].items():
        words = f"{figure['value']:.4g}"
        if figure["standard_error"] is not None:
            words += f" ± {figure['standard_error']:.2g}"
        if figure["floor"] is not None:
            words += f"; real against real {figure['floor']:.4g}"
        rows.append((name.replace("_", " "), words))
    protocol = evaluation["protocol"]
    network = protocol["features"]
    words = (
        f"{network['network']} (SHA-256 {network['sha256'][:12]}) at {network['size']} pixels, "
        f"{network['resize']}; {protocol['n_fake']:,} images of the {protocol['weights']} weights, "
        f"seeds from {protocol['first_seed']}, against {protocol['n_real']:,} of "
        f"{protocol['data']} ({protocol['split']}, seed {protocol['real_seed']}); "
        f"kgan {protocol['kgan']}"
    )
    return [*rows, ("measured with", words)]


def figures_in_words(manifest: Manifest) -> list[tuple[str, str]]:
    """As `evaluation_rows`, of a manifest from anywhere; none where it has no `evaluation`."""
    if "evaluation" not in manifest:
        return []
    try:
        return evaluation_rows(manifest["evaluation"])
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return [("evaluation", "not readable")]


def in_precision(file: str, precision: str) -> str:
    """The name of an ONNX file in a precision: "model.onnx" for float32, "model.int8.onnx"."""
    return file if precision == FLOAT32 else file.replace(".onnx", f".{precision}.onnx")


def own_prefix(onnx: Path) -> str:
    """What the names of files written beside a generator's .onnx file begin with.

    A version's model.onnx has none, nor has it in another precision: they are one model.
    """
    one_model = {in_precision(ONNX_FILE, precision) for precision in PRECISIONS}
    return "" if onnx.name in one_model else f"{onnx.stem}."


def smaller_files(manifest: Manifest) -> Manifest:
    """The figures of each ONNX file that is not in float32, with its "precision", by file name.

    Exports from before the precisions of a version had files of their own have one of them in
    model.onnx itself.
    """
    if "precisions" in manifest:
        return manifest["precisions"]
    old = manifest.get("precision", {"form": FLOAT32, "files": {}})
    return {file: {"precision": old["form"]} | facts for file, facts in old["files"].items()}


def precision_of(manifest: Manifest) -> str:
    """The precision of the ONNX file that a manifest is in."""
    if "file_precision" in manifest:
        return manifest["file_precision"]
    return manifest.get("precision", {"form": FLOAT32})["form"]


def list_files(directory: Path, sizes: Mapping[str, Any] | None = None) -> Manifest:
    """Size and sha256 of every file below an export's directory, by relative path.

    Args:
        directory: the VERSION directory.
        sizes: relative path -> bytes; the sha256 of a file of another size is not computed and is
            None. None to compute all.
    """
    files: Manifest = {}
    for path in sorted(directory.rglob("*")):
        if path.is_file() and path.name != MANIFEST_FILE:
            name, size = path.relative_to(directory).as_posix(), path.stat().st_size
            known = sizes is None or sizes.get(name) == size
            files[name] = {"bytes": size, "sha256": sha256(path) if known else None}
    return files


def parse(text: str, origin: object) -> Manifest:
    """The manifest in a JSON text.

    Args:
        text: the JSON text.
        origin: where it comes from, for messages.

    Raises:
        InputError: it is not the manifest of an export, or has a newer format.
    """
    if len(text) > LARGEST_TEXT:
        raise InputError(
            f"A manifest has at most {LARGEST_TEXT:,} characters. "
            f"Received: {len(text):,} in {origin}"
        )
    try:
        manifest = json.loads(text)
        known = manifest["format"] == FORMAT and isinstance(manifest["format_version"], int)
    except (ValueError, KeyError, TypeError, RecursionError):
        known = False
    if not known:
        raise InputError(f"Not the manifest of a kgan export: {origin}")
    if manifest["format_version"] > FORMAT_VERSION:
        raise InputError(
            f"This kgan reads manifests of format {FORMAT_VERSION}; a newer kgan wrote {origin} "
            f"in format {manifest['format_version']}."
        )
    return manifest
