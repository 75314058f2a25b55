"""Which place holds pictures: a folder, a .zip, tars, an LMDB, or a list of them."""

from __future__ import annotations

import collections
import os
import re
from pathlib import Path

from kgan.data import image_formats
from kgan.data.image_files import remark_on_sets
from kgan.data.list_place import ListPlace
from kgan.data.lmdb_place import DATA_FILE, LmdbPlace
from kgan.data.places import FolderPlace, Place
from kgan.data.sources import LOG
from kgan.data.tar_place import GZIPPED, TarPlace
from kgan.data.zip_place import ZipPlace
from kgan.errors import InputError
from kgan.names import name_of

LMDB_FILES = (".lmdb", ".mdb")
LISTS = (".csv",)
# photos-{000000..000003}.tar, as WebDataset names several shards.
BRACES = re.compile(r"\{(\d+)\.\.(\d+)\}")
SHARD = re.compile(r"(.*[-_.])?\d+\.tar$", re.IGNORECASE | re.DOTALL)
MOST_SHARDS = 100_000


def is_container(path: str | os.PathLike[str]) -> bool:
    """Whether a path, or a pattern of paths, is one that `open_place` takes and no plain folder."""
    name = os.fspath(path)
    if os.path.isdir(name):
        return os.path.isfile(os.path.join(name, DATA_FILE)) or bool(tars_in(name))
    return name.lower().endswith((".zip", ".tar", *GZIPPED, *LMDB_FILES, *LISTS))


def open_place(path: str | os.PathLike[str], label_column: str | None = None) -> Place:
    """The pictures of a folder, a .zip, a .tar (.tar.gz, .tgz), shards, an LMDB, or a .csv list.

    Shards are .tar files in a folder that holds no picture and no folder beside them, or
    numbered as in `photos-{000000..000003}.tar`. Where not all of those in a folder are named by
    a number, as photos-000000.tar, each is a class.

    Args:
        path: of what it is.
        label_column: of a list's labels; None for the first that can be one.

    Raises:
        InputError: there is no such thing, it is damaged, or there are no pictures in it.
    """
    name = os.fspath(path)
    lower = name.lower()
    if os.path.isdir(name):
        if os.path.isfile(os.path.join(name, DATA_FILE)):
            return LmdbPlace(path)
        tars = tars_in(name)
        if not tars:
            return FolderPlace(path)
        numbered = [SHARD.fullmatch(os.path.basename(tar)) for tar in tars]
        sets = collections.Counter((each[1] or "").rstrip("-_.") for each in numbered if each)
        if len(sets) > 1 and all(numbered):
            LOG.warning(remark_on_sets(sets.items()))
        return _of_tars(name, tars, not all(numbered))
    if lower.endswith(".zip"):
        return ZipPlace(path)
    if lower.endswith((".tar", *GZIPPED)):
        numbers = None if os.path.lexists(name) else BRACES.search(os.path.basename(name))
        if numbers is not None:
            folder = os.path.dirname(name)
            return _of_tars(folder, [os.path.join(folder, tar) for tar in _expanded(name)], False)
        return TarPlace(path, f"tar file {_last(name)}", {name: ()})
    if lower.endswith(LMDB_FILES):
        return LmdbPlace(path)
    if lower.endswith(LISTS):
        return ListPlace(path, label_column)
    return FolderPlace(path)


def tars_in(folder: str) -> list[str]:
    """Paths of the .tar files in a folder; none where there are pictures or folders beside them."""
    tars = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                lower = entry.name.lower()
                if lower.startswith("."):
                    continue
                if entry.is_dir() or lower.endswith(image_formats.suffixes()):
                    return []
                if lower.endswith(".tar"):
                    tars.append(entry.path)
    except OSError:
        return []
    return sorted(tars)


def _of_tars(folder: str, tars: list[str], as_classes: bool) -> TarPlace:
    what = f"{len(tars)} tar files from {_last(tars[0])}"
    return TarPlace(folder, what, {tar: (os.path.basename(tar),) for tar in tars}, as_classes)


def _expanded(pattern: str) -> list[str]:
    """The file names that a pattern with {000000..000003} stands for."""
    name = os.path.basename(pattern)
    numbers = BRACES.search(name)
    if numbers is None:
        return [name]
    first, last = int(numbers[1]), int(numbers[2])
    if not 0 <= last - first < MOST_SHARDS or BRACES.search(name, numbers.end()):
        raise InputError(
            f"Shards are numbered once, upwards and at most {MOST_SHARDS:,}, as in "
            f"photos-{{000000..000003}}.tar. Received: {pattern}"
        )
    begin, end = name[: numbers.start()], name[numbers.end() :]
    return [f"{begin}{n:0{len(numbers[1])}d}{end}" for n in range(first, last + 1)]


def _last(path: str) -> str:
    return name_of(Path(path).resolve().name)
