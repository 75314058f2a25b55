"""The manifest beside shards that kgan packed: what they are of, and what each is to be."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from kgan.data import augment, decode
from kgan.errors import InputError
from kgan.files import first_line
from kgan.labels import check_class_names
from kgan.reading import read_text

MANIFEST_FILE = "manifest.json"
FORMAT = "kgan pictures"
FORMAT_VERSION = 1


def read_manifest(folder: str | os.PathLike[str]) -> dict[str, Any] | None:
    """The manifest of shards that kgan packed; None where there is none.

    Raises:
        InputError: it cannot be read, or is of a newer version.
    """
    path = Path(folder) / MANIFEST_FILE
    if not path.exists():
        return None
    try:
        manifest = json.loads(read_text(path, "utf-8-sig"))
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            return None  # another program's
        newer = manifest["format_version"] > FORMAT_VERSION
        if not newer:
            _check_manifest(manifest)
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as problem:
        raise InputError(
            f"Not a readable manifest of shards ({first_line(problem)}): {path}"
        ) from None
    if newer:
        raise InputError(f"These shards were packed by a newer kgan. Received: {folder}")
    return manifest


def _check_manifest(manifest: dict[str, Any]) -> None:
    """Raises an exception of any kind for wrong contents; names of classes are text then."""
    decode.check_shape(manifest["image_shape"])
    augment.check(manifest["default_augment"])
    if manifest["class_names"] is not None:
        names = check_class_names(manifest["class_names"], len(manifest["class_names"]))
        manifest["class_names"] = names
    for shard in manifest["shards"]:
        if Path(shard["file"]).name != shard["file"] or len(shard["sha256"]) != 64:
            raise ValueError(shard)
        for name in ("bytes", "count"):
            if type(shard[name]) is not int or shard[name] < 0:
                raise ValueError(f"{name} of {shard['file']} is {shard[name]!r}")
    if sum(shard["count"] for shard in manifest["shards"]) != manifest["count"]:
        raise ValueError("the shards' counts do not add up to the total")
