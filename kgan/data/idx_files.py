"""Images and labels from IDX files, the format of MNIST and of the sets in its place."""

from __future__ import annotations

import gzip
import math
import os
import re
import struct
import zlib
from pathlib import Path
from typing import IO

import numpy as np

from kgan import memory
from kgan.data.array_files import Arrays
from kgan.errors import InputError
from kgan.files import first_line
from kgan.reading import check_file

NAME = re.compile(r"idx\d-ubyte(\.gz)?$", re.IGNORECASE)
UNSIGNED_BYTE = 8  # the format's number for what such files hold
MOST_AXES = 4
LABELLED = ((re.compile("images"), "labels"), (re.compile(r"idx\d(?=-ubyte)"), "idx1"))


def load_idx(path: Path, with_labels: bool) -> Arrays:
    """The images of an IDX file, and the labels of the file beside it that is named for them.

    Beside `train-images-idx3-ubyte` that is `train-labels-idx1-ubyte`; either can end in .gz.

    Raises:
        InputError: as `read_idx`, or not one label per image.
    """
    images = read_idx(path)
    if images.ndim < 3:
        raise InputError(
            "An IDX file of pictures has three axes, their number, rows and columns. "
            f"Received: {images.ndim} in {path}"
        )
    beside = _labels_beside(path) if with_labels else None
    if beside is None:
        return Arrays(images)
    labels = read_idx(beside)
    if labels.shape != images.shape[:1]:
        raise InputError(
            f"One label per picture is needed. Received: {len(images):,} pictures in {path} and "
            f"{'x'.join(map(str, labels.shape))} labels in {beside.name}"
        )
    return Arrays(images, labels)


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """The array in an IDX file of unsigned bytes, gzipped or not.

    Its header is read first, and no more than that says.

    Returns:
        uint8 array of one to four axes.

    Raises:
        InputError: no such file, no IDX file of unsigned bytes, one cut short or longer than its
            header says, or more than fits into memory.
    """
    path = Path(path)
    try:
        check_file(path)
        with path.open("rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if not zipped:
                return _array(raw, path)
            with gzip.GzipFile(fileobj=raw) as file:
                return _array(file, path)
    except FileNotFoundError:
        raise InputError(f"No such file. Received: {path}") from None
    except (OSError, EOFError, zlib.error) as problem:
        raise InputError(f"Damaged, or not readable: {path} ({first_line(problem)})") from None


def _array(file: IO[bytes] | gzip.GzipFile, path: Path) -> np.ndarray:
    magic = file.read(4)
    axes = magic[3] if len(magic) == 4 else 0
    if magic[:3] != bytes((0, 0, UNSIGNED_BYTE)) or not 1 <= axes <= MOST_AXES:
        raise InputError(
            f"An IDX file of unsigned bytes begins with 00 00 08 and its number of axes, 1 to "
            f"{MOST_AXES}. Received: {magic.hex(' ') or 'nothing'} in {path}"
        )
    sides = file.read(4 * axes)
    if len(sides) < 4 * axes:
        raise InputError(f"Damaged: cut short within its header. Received: {path}")
    shape = struct.unpack(f">{axes}I", sides)
    size = math.prod(shape)
    memory.check(f"The array {shape} of uint8", size, "fewer", path)
    data = bytearray()
    while len(data) <= size and (part := file.read(min(2**24, size + 1 - len(data)))):
        data += part
    if len(data) != size:
        found = f"only {len(data):,}" if len(data) < size else "more"
        raise InputError(
            f"Damaged: its header says {'x'.join(map(str, shape))}, {size:,} values, and {found} "
            f"follow. Received: {path}"
        )
    return np.frombuffer(data, np.uint8).reshape(shape)


def _labels_beside(path: Path) -> Path | None:
    name = path.name.removesuffix(".gz")
    for pattern, other in LABELLED:
        name = pattern.sub(other, name)
    if name == path.name.removesuffix(".gz"):
        return None
    found = (path.with_name(name + suffix) for suffix in ("", ".gz"))
    return next((file for file in found if file.is_file()), None)
