"""The kinds of data that are read: how each is recognised and opened."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from kgan.data import builders, decode, embedded_sets
from kgan.data.embedded_sets import EMBEDDED_PREFIX
from kgan.data.records import SHARD_NAME, shards_in
from kgan.data.sources import Source

TFDS_PREFIX = "tfds:"
SOME_ALONE = ("attributes", "split", "manual_dir", "download_dir")  # kinds take these


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


def _is_array_file(data: str) -> bool:
    return Path(data).suffix.lower() in (".npz", ".npy") and not Path(data).is_dir()


def _open_array_file(data: str, asked: Asked) -> Source:
    how = (asked.image_shape, asked.fit, asked.background, asked.labels)
    return builders.array_file_source(Path(data), *how)


def _is_shards(data: str) -> bool:
    path = Path(data)
    return bool(shards_in(path) if path.is_dir() else SHARD_NAME.search(path.name))


def _open_shards(data: str, asked: Asked) -> Source:
    how = (asked.image_shape, asked.fit, asked.background, asked.strict, asked.labels)
    return builders.record_source(data, *how)


def _is_folder(data: str) -> bool:
    return not Path(data).is_file()  # what is not there is meant as one


def _open_folder(data: str, asked: Asked) -> Source:
    how = (asked.image_shape, asked.fit, asked.background, asked.strict)
    return builders.folder_source(data, *how, asked.attributes)


# The first whose `is_one` says so opens the data: what a name tells before what lies there.
KINDS = (
    Kind(f"{EMBEDDED_PREFIX}faces", lambda data: data.startswith(EMBEDDED_PREFIX), _open_embedded),
    Kind(
        f"{TFDS_PREFIX}NAME",
        lambda data: data.startswith(TFDS_PREFIX),
        _open_tfds,
        ("split", "manual_dir", "download_dir"),
    ),
    Kind("an .npz or .npy file", _is_array_file, _open_array_file),
    Kind("TFRecord shards", _is_shards, _open_shards),
    Kind("a folder", _is_folder, _open_folder, ("attributes",)),
)
