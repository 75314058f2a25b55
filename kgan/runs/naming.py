"""Names of runs."""

from __future__ import annotations

import time
from pathlib import Path

import tensorflow as tf

from kgan.data.embedded_sets import EMBEDDED_PREFIX
from kgan.data.table_builders import HF_PREFIX
from kgan.errors import InputError
from kgan.files import check_name
from kgan.names import name_of, path_of_text
from kgan.runs.directory import RUNS
from kgan.runs.options import RunOptions
from kgan.training.distribution import has_workers

LONGEST = 60  # characters of a name from the data's: a file name ends at 255 bytes


def directory_of(
    options: RunOptions, name: str | None, out: Path | None, strategy: tf.distribute.Strategy
) -> Path:
    """Where a new run goes.

    Args:
        options: its options.
        name: its name; None for one from preset, data and time, such as
            dcgan-photos-20260131-120000.
        out: the folder of the runs; None for "runs".
        strategy: the strategy that it trains under.

    Raises:
        InputError: a name that an export could not have, or several workers without one, who
            would each find a different one.
    """
    if name is None:
        if has_workers(strategy):
            raise InputError("Several workers train one run: give each the same --name")
        name = _default_name(options.preset, options.data)
    return (out or Path(RUNS)) / path_of_text(check_name(name_of(name), "a run"))


def _default_name(preset: str, data: str | None) -> str:
    own = "fashion" if data is None else data
    for prefix in ("tfds:", HF_PREFIX, EMBEDDED_PREFIX):
        own = own.removeprefix(prefix)
    stem = Path(own).stem
    words = "".join(c if c.isalnum() or c in "-_" else "-" for c in stem).strip("-") or "data"
    return f"{preset.replace('+', '-')}-{words[:LONGEST]}-{time.strftime('%Y%m%d-%H%M%S')}"
