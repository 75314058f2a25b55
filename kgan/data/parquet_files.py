"""Parquet files of images: which there are, and the columns of images and labels in them."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kgan.data import columns, image_formats
from kgan.data.array_labels import number_labels
from kgan.data.extras import import_extra
from kgan.data.image_files import is_encoded
from kgan.data.splits import ALL, NAMES, TRAIN
from kgan.errors import InputError, KganError
from kgan.files import first_line, printable
from kgan.reading import check_file

SUFFIX = ".parquet"
INNER = "data"  # where the sets on Hugging Face's Hub keep their files
BYTES, PATH = "bytes", "path"  # the fields of Hugging Face's struct
BINARY = ("binary", "large_binary")  # types of columns
ROWS_TOGETHER = 32
# Else all of a column's part, which is the whole of some files, is read at once.
STREAMED = {"buffer_size": 2**20, "pre_buffer": False}


class Table(NamedTuple):
    """What some Parquet files hold.

    Attributes:
        files: their paths.
        footers: pyarrow's metadata of each, so that they are read once.
        groups: of each part that is read in one go its (file, row group, first row).
        total: rows in all.
        image, field: the column of encoded images, and the struct's field that they are in; None
            for a column of bytes.
        label: the column of labels; None without.
        class_names: of them; None where the files name none.
    """

    files: list[str]
    footers: list[Any]
    groups: list[tuple[int, int, int]]
    total: int
    image: str
    field: str | None
    label: str | None
    class_names: list[str] | None


def find_parquets(path: Path) -> list[str]:
    """The Parquet files at a path: itself, or those of a folder, by name.

    A folder is one of Parquet files where they are in it, or in `data` in it, with neither
    pictures nor other folders beside them; else it is a folder of pictures.
    """
    if not os.path.isdir(path):  # Path.is_dir raises for a name that is too long
        return [str(path)] if path.suffix.lower() == SUFFIX else []
    found, folders = _listed(path)
    if not found and folders == [INNER]:
        found, folders = _listed(path / INNER)
    return [] if folders else sorted(found)


def _listed(folder: Path) -> tuple[list[str], list[str]]:
    """(paths of the Parquet files in a folder, names of folders); none where it has pictures."""
    found, folders = [], []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name.lower()
            if name.startswith("."):
                continue
            if name.endswith(image_formats.suffixes()):
                return [], []
            if name.endswith(SUFFIX):
                found.append(entry.path)
            elif entry.is_dir():
                folders.append(entry.name)
    return found, folders


def of_split(files: Sequence[str], split: str | None, received: object) -> tuple[str, list[str]]:
    """Of files that are named for their splits, such as train-00000-of-00001, those of one.

    Args:
        files: paths.
        split: one of `kgan.data.splits.NAMES`, or `ALL`; None for train where names tell them
            apart, else for all.
        received: the data, for messages.

    Returns:
        (the split, its files).

    Raises:
        InputError: no file is of the split.
    """
    of: dict[str, list[str]] = {}
    for file in files:
        of.setdefault(Path(file).stem.lower().partition("-")[0], []).append(file)
    if split is None:
        split = TRAIN if TRAIN in of and of.keys() <= set(NAMES) else ALL
    if split == ALL:
        return ALL, list(files)
    if split not in of or split not in NAMES:
        there = ", ".join(name for name in of if name in NAMES)
        raise InputError(
            f"No such split; the files' names tell {there or 'none'}. "
            f"Received: {split} for {received}"
        )
    return split, of[split]


def open_table(files: Sequence[str], label: str | None = None, image: str | None = None) -> Table:
    """Reads what Parquet files say of themselves, and the first image.

    Args:
        files: paths, at least one.
        label, image: names of columns that the user asked for; None for those found.

    Raises:
        InputError: no pyarrow, a file that cannot be read, no rows, no such column, or none with
            encoded images.
    """
    parquet = import_extra("pyarrow.parquet", "A .parquet file")
    groups: list[tuple[int, int, int]] = []
    schemas, footers, count = [], [], 0
    for number, file in enumerate(files):
        with _of_file(file):
            check_file(file)
            opened = parquet.ParquetFile(file)
            schemas.append(opened.schema_arrow)
            footers.append(opened.metadata)
            for group in range(opened.num_row_groups):
                groups.append((number, group, count))
                count += opened.metadata.row_group(group).num_rows
    if not count:
        raise InputError(f"No rows there. Received: {files[0]}")
    schema = schemas[0]
    features = _features(schema.metadata or {})
    found = columns.label_column(_columns(schema), label, files[0])
    name, field = _image_column(parquet, files, schema, features, image)
    for file, other in zip(files, schemas, strict=True):
        for needed in filter(None, (name, found)):
            if (
                needed not in _columns(other)
                or other.field(needed).type != schema.field(needed).type
            ):
                raise InputError(
                    "All Parquet files of a set have the same columns. "
                    f"Received: {file} without {printable(needed)} as in {files[0]}"
                )
    names = features.get(found or "", {}).get("names")
    if not (isinstance(names, list) and all(isinstance(each, str) for each in names)):
        names = None
    return Table(list(files), footers, groups, count, name, field, found, names)


def labels_of(table: Table) -> tuple[np.ndarray, list[str]] | None:
    """(int32 (N,), a name per class) of a table's label column, the only one that is read.

    Raises:
        InputError: labels that cannot be used.
    """
    if table.label is None:
        return None
    parquet = import_extra("pyarrow.parquet", "A .parquet file")
    values: list[Any] = []
    for file in table.files:
        with _of_file(file):
            values += parquet.read_table(file, columns=[table.label])[table.label].to_pylist()
    return number_labels(np.array(values, object), table.total, table.class_names)


def images_of(table: Table, group: int) -> Iterator[list[bytes]]:
    """The encoded images of a part, some at a time; empty bytes for a row without.

    Raises:
        InputError: the file is damaged.
    """
    parquet = import_extra("pyarrow.parquet", "A .parquet file")
    number, row_group, _ = table.groups[group]
    with _of_file(table.files[number]):
        opened = parquet.ParquetFile(
            table.files[number],
            metadata=table.footers[number],
            **STREAMED,
        )
        yield from _rows(opened, row_group, table.image, table.field)


def _rows(opened: Any, row_group: int, name: str, field: str | None) -> Iterator[list[bytes]]:
    wanted = name if field is None else f"{name}.{field}"
    for batch in opened.iter_batches(
        ROWS_TOGETHER, row_groups=[row_group], columns=[wanted], use_threads=False
    ):
        column = batch.column(0)
        values = column.to_pylist() if field is None else column.field(0).to_pylist()
        yield [value or b"" for value in values]


def _image_column(
    parquet: Any,
    files: Sequence[str],
    schema: Any,
    features: Mapping[str, Any],
    wanted: str | None,
) -> tuple[str, str | None]:
    """(the first column that holds encoded images, its field); those called Image first."""
    there = _columns(schema)
    names = there if wanted is None else [columns.existing(wanted, there, files[0])]
    of_images = [n for n in names if features.get(n, {}).get("_type") == "Image"]
    for name in [*of_images, *(n for n in names if n not in of_images)]:
        kind = schema.field(name).type
        fields = {each.name: each.type for each in kind} if str(kind).startswith("struct<") else {}
        field = BYTES if BYTES in fields else None
        if str(fields.get(BYTES, kind)) not in BINARY:
            continue
        with _of_file(files[0]):
            opened = parquet.ParquetFile(files[0], **STREAMED)
            parts = _rows(opened, 0, name, field)
            values = next((part for part in parts if any(part)), [])  # rows can be empty
        if any(is_encoded(value) for value in values):
            return name, field
    raise InputError(
        "No column of pictures: encoded, as bytes or as Hugging Face's struct of bytes and path. "
        f"Received: {files[0]} with {printable(', '.join(names), 200)}"
    )


def _columns(schema: Any) -> list[str]:
    """Names of columns, without any that two have: neither can be asked for."""
    return [name for name in schema.names if schema.get_field_index(name) >= 0]


def _features(metadata: Mapping[bytes, bytes]) -> dict[str, Any]:
    """What Hugging Face's datasets say of their columns; none where they say nothing."""
    try:
        found = json.loads(metadata[b"huggingface"])["info"]["features"]
        return {name: of for name, of in found.items() if isinstance(of, dict)}
    except (LookupError, TypeError, AttributeError, ValueError, RecursionError):
        return {}


@contextlib.contextmanager
def _of_file(file: str) -> Iterator[None]:
    """Context manager: what goes wrong with a Parquet file is an `InputError` of one line."""
    try:
        yield
    except KganError:
        raise
    except FileNotFoundError:
        raise InputError(f"No such file. Received: {file}") from None
    except (OSError, ValueError) as problem:  # pyarrow's own exceptions are kinds of these two
        why = printable(first_line(problem), 200)
        raise InputError(f"Damaged, or no Parquet file: {file} ({why})") from None
