"""Sources of tables of images, from arguments as people give them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kgan.data import decode, hugging_face, parquet_files
from kgan.data.builders import FILES_SIZE, shape_of
from kgan.data.hugging_face import HuggingFaceSource
from kgan.data.parquet_source import ParquetSource
from kgan.data.splits import TRAIN

HF_PREFIX = "hf:"


def parquet_source(
    path: Path,
    image_shape: Sequence[int] | None,
    fit: decode.Fit,
    background: Sequence[int],
    strict: bool,
    labels: bool,
    split: str | None,
    label_column: str | None,
    feature: str | None,
) -> ParquetSource:
    """A `ParquetSource` of a file or a folder of them; for the arguments see `open_source`."""
    how = _how(image_shape, fit, background)
    split, files = parquet_files.of_split(parquet_files.find_parquets(path), split, path)
    table = parquet_files.open_table(files, label_column, feature)
    return ParquetSource(table, split, *how, strict, labels)


def hugging_face_source(
    name: str,
    image_shape: Sequence[int] | None,
    fit: decode.Fit,
    background: Sequence[int],
    strict: bool,
    labels: bool,
    split: str | None,
    label_column: str | None,
    feature: str | None,
) -> HuggingFaceSource:
    """A `HuggingFaceSource`; for the arguments see `open_source`."""
    how = _how(image_shape, fit, background)
    found = hugging_face.open_set(name, split or TRAIN, label_column, feature)
    return HuggingFaceSource(name, found, *how, strict, labels)


def _how(
    image_shape: Sequence[int] | None, fit: decode.Fit, background: Sequence[int]
) -> tuple[decode.Shape, decode.Fit, decode.Colour]:
    """(image_shape, fit, background), checked."""
    fit, colour = decode.check_fit(fit), decode.check_background(background)
    shape = shape_of(image_shape, FILES_SIZE, 3)
    return decode.check_picture(shape, colour), fit, colour
