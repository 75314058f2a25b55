"""The kinds of data that are read: how each is recognised and opened."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from kgan.data import builders, decode, embedded_sets, idx_files, table_builders
from kgan.data.array_files import load_arrays
from kgan.data.cifar_files import is_cifar, load_cifar
from kgan.data.containers import is_container
from kgan.data.embedded_sets import EMBEDDED_PREFIX
from kgan.data.idx_files import load_idx
from kgan.data.mat_files import load_mat
from kgan.data.parquet_files import find_parquets
from kgan.data.records import SHARD_NAME, shards_in
from kgan.data.sources import Source
from kgan.data.splits import TRAIN
from kgan.data.table_builders import HF_PREFIX

TFDS_PREFIX = "tfds:"
# Kinds take these, some of them.
SOME_ALONE = ("attributes", "split", "manual_dir", "download_dir", "label_column", "feature")
ARRAY_READERS: dict[str, builders.ArrayReader] = {
    ".npz": load_arrays,
    ".npy": load_arrays,
    ".mat": load_mat,
    ".bin": load_cifar,  # one of its files
}


@dataclasses.dataclass(frozen=True)
class Asked:
    """What is asked of a source; for the attributes see `kgan.data.open_source`."""

    image_shape: Sequence[int] | None
    fit: decode.Fit
    background: Sequence[int]
    strict: bool
    labels: bool
    attributes: str | os.PathLike[str] | None
    split: str | None
    manual_dir: str | os.PathLike[str] | None
    download_dir: str | os.PathLike[str] | None
    label_column: str | None
    feature: str | None


class Kind(NamedTuple):
    """A kind of data.

    Attributes:
        words: what it is called in messages, after "Data must be".
        is_one: whether data, as the user names them, are of this kind.
        open: opens them.
        takes: which of `SOME_ALONE` mean something for it.
    """

    words: str
    is_one: Callable[[str], bool]
    open: Callable[[str, Asked], Source]
    takes: tuple[str, ...] = ()


def _open_embedded(data: str, asked: Asked) -> Source:
    name = data.removeprefix(EMBEDDED_PREFIX)
    return embedded_sets.embedded_source(asked.image_shape, asked.fit, asked.background, name)


def _open_tfds(data: str, asked: Asked) -> Source:
    return builders.tfds_source(
        data.removeprefix(TFDS_PREFIX),
        asked.image_shape,
        asked.fit,
        asked.background,
        asked.split or "train",
        asked.manual_dir,
        asked.download_dir,
    )


def _array_reader(data: str) -> builders.ArrayReader | None:
    path = Path(data)
    if os.path.isdir(path):
        return None
    if idx_files.NAME.search(path.name):
        return load_idx
    return ARRAY_READERS.get(path.suffix.lower())


def _open_array_file(data: str, asked: Asked) -> Source:
    return _arrays(data, asked, _array_reader(data) or load_arrays)


def _open_cifar(data: str, asked: Asked) -> Source:
    source = _arrays(data, asked, lambda path, labels: load_cifar(path, labels, asked.split))
    source.split = asked.split or TRAIN
    return source


def _arrays(data: str, asked: Asked, read: builders.ArrayReader) -> Source:
    how = (asked.image_shape, asked.fit, asked.background, asked.labels)
    return builders.array_file_source(Path(data), read, *how)


def _open_parquet(data: str, asked: Asked) -> Source:
    how = (asked.image_shape, asked.fit, asked.background, asked.strict, asked.labels)
    which = (asked.split, asked.label_column, asked.feature)
    return table_builders.parquet_source(Path(data), *how, *which)


def _open_hf(data: str, asked: Asked) -> Source:
    how = (asked.image_shape, asked.fit, asked.background, asked.strict, asked.labels)
    which = (asked.split, asked.label_column, asked.feature)
    return table_builders.hugging_face_source(data.removeprefix(HF_PREFIX), *how, *which)


def _is_shards(data: str) -> bool:
    path = Path(data)
    return bool(shards_in(path) if os.path.isdir(path) else SHARD_NAME.search(path.name))


def _open_shards(data: str, asked: Asked) -> Source:
    how = (asked.image_shape, asked.fit, asked.background, asked.strict, asked.labels)
    return builders.record_source(data, *how, asked.label_column, asked.feature)


def _is_folder(data: str) -> bool:
    return is_container(data) or not os.path.isfile(data)  # what is not there is meant as one


def _open_folder(data: str, asked: Asked) -> Source:
    how = (asked.image_shape, asked.fit, asked.background, asked.strict, asked.attributes)
    return builders.folder_source(data, *how, asked.split, asked.label_column)


def is_folder(data: str) -> bool:
    """Whether data are opened as a folder of image files, or as what holds them as one does."""
    found = next((kind for kind in KINDS if kind.is_one(data)), None)
    return found is not None and found.open is _open_folder


# The first whose `is_one` says so opens the data: what a name tells before what lies there.
KINDS = (
    Kind(f"{EMBEDDED_PREFIX}faces", lambda data: data.startswith(EMBEDDED_PREFIX), _open_embedded),
    Kind(
        f"{TFDS_PREFIX}NAME",
        lambda data: data.startswith(TFDS_PREFIX),
        _open_tfds,
        ("split", "manual_dir", "download_dir"),
    ),
    Kind(
        f"{HF_PREFIX}PATH",
        lambda data: data.startswith(HF_PREFIX),
        _open_hf,
        ("split", "label_column", "feature"),
    ),
    Kind("CIFAR's files", lambda data: is_cifar(Path(data)), _open_cifar, ("split",)),
    Kind(
        "an .npz, .npy, IDX, .mat or .bin file",
        lambda data: _array_reader(data) is not None,
        _open_array_file,
    ),
    Kind("TFRecord shards", _is_shards, _open_shards, ("label_column", "feature")),
    Kind(
        "Parquet files",
        lambda data: bool(find_parquets(Path(data))),
        _open_parquet,
        ("split", "label_column", "feature"),
    ),
    Kind(
        "a folder, .zip, .tar, LMDB or .csv list of pictures",
        _is_folder,
        _open_folder,
        ("attributes", "split", "label_column"),
    ),
)
