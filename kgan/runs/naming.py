"""Names of runs."""

from __future__ import annotations

import time
from pathlib import Path

import tensorflow as tf

from kgan.errors import InputError
from kgan.runs.options import RunOptions
from kgan.training.distribution import has_workers


def name_of(options: RunOptions, name: str | None, strategy: tf.distribute.Strategy) -> str:
    """The name that was given, or one from preset, data and time.

    Such as dcgan-photos-20260131-120000.

    Raises:
        InputError: several workers without a name, who would each find another one.
    """
    if name:
        return name
    if has_workers(strategy):
        raise InputError("Several workers train one run: give each the same --name")
    data = options.data
    stem = "fashion" if data is None else Path(data.removeprefix("tfds:")).stem
    words = "".join(c if c.isalnum() or c in "-_" else "-" for c in stem).strip("-") or "data"
    return f"{options.preset}-{words}-{time.strftime('%Y%m%d-%H%M%S')}"
