"""Folders that kgan itself wrote, known by a file in them: they are no data to learn from."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from typing import Any

from kgan.errors import InputError
from kgan.manifest import FORMAT, MANIFEST_FILE
from kgan.reading import read_text

CONFIG_FILE = "config.json"  # of a run
RUN_FACTS = {"preset", "source", "batch_size", "seed"}  # among what it holds
LARGEST = 16 * 2**20  # bytes: kgan's own are far smaller


def kind_of(folder: str | os.PathLike[str], names: Collection[str]) -> str | None:
    """What kgan wrote a folder as: "run", "export" (or its page for the browser), or None.

    Args:
        folder: the folder.
        names: of the files in it.
    """
    if CONFIG_FILE in names and read_facts(os.path.join(folder, CONFIG_FILE)).keys() >= RUN_FACTS:
        return "run"
    if MANIFEST_FILE in names:
        if read_facts(os.path.join(folder, MANIFEST_FILE)).get("format") == FORMAT:
            return "export"
    return None


def read_facts(path: str | os.PathLike[str]) -> dict[str, Any]:
    """A JSON object; empty for anything else, such as another program's file of that name."""
    try:
        facts = json.loads(read_text(path, "utf-8-sig", LARGEST))
    except (InputError, OSError, ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}
