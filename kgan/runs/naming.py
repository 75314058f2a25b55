"""Names of runs."""

from __future__ import annotations

import time
from pathlib import Path


def default_name(preset: str, data: str | None) -> str:
    """A run's name from preset, data and time, such as dcgan-photos-20260131-120000."""
    stem = "fashion" if data is None else Path(data.removeprefix("tfds:")).stem
    words = "".join(c if c.isalnum() or c in "-_" else "-" for c in stem).strip("-") or "data"
    return f"{preset}-{words}-{time.strftime('%Y%m%d-%H%M%S')}"
