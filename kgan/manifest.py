"""What an export promises, in words a program can read, and where exports lie on disk."""

import hashlib
import importlib.metadata
import json
import re
from pathlib import Path

from kgan.errors import InputError

FORMAT = "kgan-export"
FORMAT_VERSION = 1
# Where model.onnx keeps its own copy, so that the one file describes itself.
METADATA_KEY = "kgan.manifest"
ONNX_FILE = "model.onnx"
MANIFEST_FILE = "manifest.json"
# What one call of a SavedModel's `sample` makes at most: a request for a billion must not take
# a server down.
MOST_SAMPLES = 256
HALVES = ("encoder", "decoder")  # of an autoencoder, each an .onnx file of that name
# NAME/latest stands for the highest version.
LATEST = "latest"


def generator_manifest(
    *,
    image_shape,
    latent_dim,
    latent_distribution,
    latent_law,
    value_range,
    float_output,
    num_classes=None,
    class_names=None,
):
    """What a generator's export takes and gives.

    Args:
        image_shape: (H, W, C).
        latent_dim: length of a latent vector.
        latent_distribution: "normal" or "uniform".
        latent_law: how a latent is drawn from a seed, as numpy code.
        value_range: (low, high) of the model's own images.
        float_output: False for uint8 images, True for float32 in `value_range`.
        num_classes: classes of a conditional generator; None for none.
        class_names: their names, by label; None for none.

    Returns:
        A dict that `json.dumps` takes.
    """
    promise = {
        "kind": "generator",
        "input": {"name": "latents", "dtype": "float32", "shape": ["batch", latent_dim]},
        "output": images_output(image_shape, value_range, float_output),
        "latents": {
            "dim": latent_dim,
            "distribution": latent_distribution,
            "law": latent_law,
            "seeds": "picture i of generate(n, seed) is made from the seed plus i",
        },
    }
    if num_classes is not None:
        promise["labels"] = {
            "name": "labels",
            "dtype": "int64",
            "shape": ["batch"],
            "num_classes": num_classes,
            "class_names": class_names,
            "law": "where none is asked for, the seed modulo num_classes; "
            "the model itself does not check that a label is below num_classes",
        }
    return promise


def autoencoder_manifest(*, image_shape, code_shape, value_range, float_output):
    """What an autoencoder's export takes and gives.

    Args:
        image_shape: (H, W, C).
        code_shape: shape of one code.
        value_range, float_output: as for `generator_manifest`.

    Returns:
        A dict that `json.dumps` takes.
    """
    codes = {"name": "codes", "dtype": "float32", "shape": ["batch", *code_shape]}
    return {
        "kind": "autoencoder",
        "encoder": {
            "file": "encoder.onnx",
            "input": images_output(image_shape, value_range, float_output=False),
            "output": codes,
        },
        "decoder": {
            "file": "decoder.onnx",
            "input": codes,
            "output": images_output(image_shape, value_range, float_output),
        },
    }


def images_output(image_shape, value_range, float_output):
    """The description of a batch of images."""
    return {
        "name": "images",
        "dtype": "float32" if float_output else "uint8",
        "shape": ["batch", *image_shape],
        "layout": "NHWC",
        "value_range": list(value_range) if float_output else [0, 255],
    }


def whole_manifest(name, version, promise, training):
    """A manifest before parity and files are known.

    Args:
        name, version: the export is `NAME/VERSION`.
        promise: what `generator_manifest` or `autoencoder_manifest` gives.
        training: what is known of how the model was made, a dict.

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
        "versions": {
            package: importlib.metadata.version(package)
            for package in (
                "kgan",
                "tensorflow",
                "keras",
                "tf2onnx",
                "onnx",
                "onnxruntime",
                "numpy",
            )
        },
    }


def list_files(directory):
    """Size and sha256 of every file below an export's directory, by relative path."""
    return {
        path.relative_to(directory).as_posix(): {
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.name != MANIFEST_FILE
    }


def parse(text, origin):
    """The manifest in a JSON text.

    Raises:
        InputError: it is no manifest of an export, or of a newer format.
    """
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


def versions_of(directory):
    """The version numbers an export's NAME directory holds, lowest first."""
    if not directory.is_dir():
        return []
    return sorted(int(entry.name) for entry in directory.iterdir() if entry.name.isdecimal())


def latest_of(directory):
    """The highest number of a directory in an export's NAME directory; None where there is none."""
    versions = (v for v in versions_of(directory) if (directory / str(v)).is_dir())
    return max(versions, default=None)


NAME = r"[^./\\][^/\\]*"  # a directory right inside another, and not hidden


def check_name(name):
    """Returns the name of an export.

    Raises:
        InputError: it could not be listed or deleted, or leads out of its place.
    """
    if not re.fullmatch(NAME, name) or not name.isprintable():
        raise InputError(
            "An export's name is that of one directory, not hidden, such as photos. "
            f"Received: {name!r}"
        )
    return name


def find_export(path):
    """The VERSION directory that `path` means, or None where that is no export.

    Args:
        path: an export's VERSION directory, its NAME directory or NAME/latest; the last two stand
            for the highest version. Nothing on disk is called latest, so it is never out of date.

    Raises:
        InputError: the highest version is no export.
    """
    path = Path(path)
    if path.name == LATEST and not path.exists():
        path = path.parent
    if not (path / MANIFEST_FILE).is_file():
        version = latest_of(path)
        if version is None:
            return None
        path = path / str(version)
        if not (path / MANIFEST_FILE).is_file():
            raise InputError(
                f"Not an export: {path}, the highest version, holds no {MANIFEST_FILE}; name "
                f"another version, or take it away. Received: {path.parent}"
            )
    return path if (path / MANIFEST_FILE).is_file() else None


def find_onnx(path):
    """The model.onnx that `path` means, or None where `path` is not an export.

    Args:
        path: an .onnx file, or what `find_export` takes.

    Raises:
        InputError: an export that holds no ONNX model.
    """
    path = Path(path)
    if path.suffix == ".onnx" and path.is_file():
        return path
    directory = find_export(path)
    if directory is None:
        return None
    if not (directory / ONNX_FILE).is_file():
        if find_autoencoder(directory):
            raise InputError(
                "This export is an autoencoder's: its encoder.onnx and decoder.onnx draw nothing "
                f"from seeds; kgan.runtime.Autoencoder runs them. Received: {directory}"
            )
        raise InputError(
            f"This export holds no {ONNX_FILE}; export it with --onnx. Received: {directory}"
        )
    return directory / ONNX_FILE


def find_autoencoder(path):
    """The VERSION directory with the two halves of an autoencoder that `path` means, or None.

    Args:
        path: what `find_export` takes.
    """
    directory = find_export(path)
    if directory is None or not all((directory / f"{half}.onnx").is_file() for half in HALVES):
        return None
    return directory
