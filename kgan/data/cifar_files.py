"""CIFAR-10 and CIFAR-100 as they are given out: archives, unpacked folders, and .bin files."""

from __future__ import annotations

import functools
import os
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kgan import memory
from kgan.data.array_files import Arrays
from kgan.data.cifar_pickles import read_pickle
from kgan.data.splits import ALL, TRAIN
from kgan.errors import InputError, KganError
from kgan.files import first_line, printable
from kgan.reading import read_bytes

ARCHIVE = re.compile(r"cifar-100?-(python|binary).*\.(tar|tar\.gz|tgz)$", re.IGNORECASE)
BATCH = re.compile(r"(data_batch_\d+|test_batch|train|test)(\.bin)?$")
SHAPE = (3, 32, 32)  # of one image, as it is stored
LARGEST_BATCH = 2**28  # bytes; CIFAR-100's training set has 160 MB
NAMES_OF_CLASSES = {
    "batches.meta": "label_names",
    "meta": "fine_label_names",
    "batches.meta.txt": "",
    "fine_label_names.txt": "",
}
SPLITS = (TRAIN, "test", ALL)


class Batch(NamedTuple):
    """Images and labels of one file.

    Attributes:
        images: uint8 (N, 3, 32, 32).
        labels: (N,), of CIFAR-100 the fine ones.
    """

    images: np.ndarray
    labels: np.ndarray


def is_cifar(path: Path) -> bool:
    """Whether a path is an archive of CIFAR by its name, or a folder of its batches.

    Such a folder has a file of the classes' names beside its batches.
    """
    if os.path.isdir(path):  # Path.is_dir raises for a name that is too long
        named = any(os.path.isfile(path / name) for name in NAMES_OF_CLASSES)
        batches = (path / name for name in os.listdir(path) if BATCH.match(name))
        return named and any(map(os.path.isfile, batches))
    return bool(ARCHIVE.search(path.name))


def load_cifar(path: Path, with_labels: bool, split: str | None = None) -> Arrays:
    """The images of CIFAR-10 or CIFAR-100, fine labels and the classes' names.

    Args:
        path: as for `is_cifar`, or a .bin file.
        with_labels: read the labels too.
        split: "train", "test" or "all" of an archive or folder; None for the first.

    Raises:
        InputError: no such file, one that is damaged or no such archive, a pickle that names what
            these files do not have, another split, or more than fits into memory.
    """
    try:
        if path.suffix.lower() == ".bin" and not path.is_dir():
            return _joined([path.name], _beside(path), path, with_labels)
        if split not in (None, *SPLITS):
            raise InputError(f"CIFAR's splits are train, test and all. Received: {split}")
        files = dict(_in_folder(path) if path.is_dir() else _in_archive(path))
        names = sorted(name for name in files if BATCH.match(name))
        of_test = {"test": (True,), ALL: (False, True)}.get(split or TRAIN, (False,))
        wanted = [name for name in names if name.startswith("test") in of_test]
        if not wanted:
            raise InputError(
                f"No batches of CIFAR's {split or TRAIN} there. "
                f"Received: {path} with {printable(', '.join(files), 80) or 'nothing'}"
            )
        return _joined(wanted, files, path, with_labels)
    except (KganError, MemoryError):
        raise
    except FileNotFoundError:
        raise InputError(f"No such file. Received: {path}") from None
    except (OSError, EOFError, tarfile.TarError, zlib.error) as problem:
        raise InputError(f"Damaged, or not readable: {path} ({first_line(problem)})") from None


Files = Mapping[str, Callable[[], bytes]]  # name -> its content


def _beside(path: Path) -> Files:
    """A .bin file and the files of names beside it."""
    names = [path.name, *(name for name in NAMES_OF_CLASSES if name.endswith(".txt"))]
    places = [path.with_name(name) for name in names]
    return {place.name: _reader(place) for place in places if place == path or place.is_file()}


def _in_folder(path: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    for entry in sorted(path.iterdir()):
        if entry.is_file() and (BATCH.match(entry.name) or entry.name in NAMES_OF_CLASSES):
            yield entry.name, _reader(entry)


def _reader(path: Path) -> Callable[[], bytes]:
    return lambda: read_bytes(path, LARGEST_BATCH)


def _in_archive(path: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """The members that are read, by the last part of their names; nothing is unpacked to disk."""
    with tarfile.open(path, "r:*") as archive:
        for member in archive:
            name = member.name.rpartition("/")[2]
            if not member.isfile() or not (BATCH.match(name) or name in NAMES_OF_CLASSES):
                continue
            if member.size > LARGEST_BATCH:
                raise InputError(
                    f"A file of CIFAR has at most {memory.in_words(LARGEST_BATCH)}. Received: "
                    f"{printable(member.name)} in {path}, {memory.in_words(member.size)}"
                )
            memory.check(f"{name} of the archive", member.size, "a part of it", path)
            file = archive.extractfile(member)
            content = b"" if file is None else file.read()
            yield name, functools.partial(bytes, content)


def _joined(names: Sequence[str], files: Files, path: Path, with_labels: bool) -> Arrays:
    batches = [_batch(name, files, path) for name in names]
    images = np.concatenate([batch.images for batch in batches]).transpose(0, 2, 3, 1)
    images = np.ascontiguousarray(images)
    if not with_labels:
        return Arrays(images)
    labels = np.concatenate([batch.labels for batch in batches])
    return Arrays(images, labels, None, _class_names(files, path))


def _batch(name: str, files: Files, path: Path) -> Batch:
    data = files[name]()
    if name.endswith(".bin"):
        return _of_bin(name, data, "fine_label_names.txt" in files, path)
    content = _unpickled(name, data, path)
    images, labels = content.get("data"), content.get("fine_labels", content.get("labels"))
    if not isinstance(images, np.ndarray) or images.shape[1:] not in ((3072,), SHAPE):
        raise InputError(f"No pictures of CIFAR, 3072 bytes each. Received: {name} in {path}")
    if not isinstance(labels, list) or len(labels) != len(images):
        count = len(labels) if isinstance(labels, list) else "no"
        raise InputError(
            f"One label per picture is needed. Received: {len(images):,} pictures and {count} "
            f"labels in {name} of {path}"
        )
    others = {type(label).__name__ for label in labels} - {"int"}
    if others:  # lists of lists can share so much that no memory holds their array
        raise InputError(
            f"CIFAR's labels are whole numbers. Received: a {min(others)} in {name} of {path}"
        )
    return Batch(images.reshape(-1, *SHAPE), np.array(labels))


def _of_bin(name: str, data: bytes, fine: bool, path: Path) -> Batch:
    """A .bin file: each image follows its label, in CIFAR-100 a coarse and a fine one."""
    before = 2 if fine or name in ("train.bin", "test.bin") else 1
    size = before + int(np.prod(SHAPE))
    if not data or len(data) % size:
        raise InputError(
            f"A .bin file is one of CIFAR's, {size} bytes per picture. "
            f"Received: {len(data):,} bytes in {name} of {path}"
        )
    rows = np.frombuffer(data, np.uint8).reshape(-1, size)
    return Batch(rows[:, before:].reshape(-1, *SHAPE), rows[:, before - 1])


def _unpickled(name: str, data: bytes, path: Path) -> dict[str, Any]:
    try:
        return read_pickle(data)
    except MemoryError:
        raise
    except Exception as problem:  # pickle has no single class for what it cannot read
        raise InputError(
            f"Not a file of CIFAR: {name} ({printable(first_line(problem))}). Received: {path}"
        ) from None


def _class_names(files: Files, path: Path) -> list[str | bytes] | None:
    for name, entry in NAMES_OF_CLASSES.items():
        if name not in files:
            continue
        if not entry:
            return [line for line in files[name]().split(b"\n") if line.strip()]
        names = _unpickled(name, files[name](), path).get(entry)
        return names if isinstance(names, list) and all(isinstance(n, str) for n in names) else None
    return None
