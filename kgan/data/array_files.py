"""Images and labels from .npz and .npy files, whose headers are read before their contents."""

from __future__ import annotations

import logging
import math
import struct
import zipfile
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from kgan import memory
from kgan.errors import InputError, KganError
from kgan.files import first_line
from kgan.reading import check_file

LOG = logging.getLogger("kgan")
ARRAY_NAMES = ("images", "x_train")
LABEL_NAMES = ("labels", "y_train")
ATTRIBUTES, ATTRIBUTE_NAMES = "attributes", "attribute_names"
CLASS_NAMES = "class_names"
PICTURE_RANKS = (3, 4)
LONGEST_HEADER = 10_000  # bytes of an array's; as NumPy has it


class Arrays(NamedTuple):
    """What an array file holds.

    Attributes:
        images: the pictures.
        labels: one label, or with `names` one row of attributes, per picture; None without.
        names: of the attributes; None where the labels are classes.
        class_names: of the classes, as they are stored; None where the file has none that could be
            names of its labels.
    """

    images: Any
    labels: Any = None
    names: list[str] | None = None
    class_names: list[str | bytes] | None = None


def load_arrays(path: Path, with_labels: bool) -> Arrays:
    """The images of an array file, and the labels where they are asked for.

    With an array `attribute_names` beside them, `attributes` or `labels` are those, (N, k). An
    array `attributes` without them means nothing beside labels. An array `class_names` of texts
    beside labels that are numbers may name the classes; beside texts it means nothing.

    Only what is asked for is read, and only where it fits into memory: a few bytes of a file can
    unpack to any number.

    Raises:
        InputError: no such file, one that cannot be read or has no pictures, or one that unpacks
            to more than is free.
    """
    try:
        check_file(path)
        with path.open("rb") as file:
            begins = file.read(6)
            if begins[:2] == b"PK":  # as NumPy tells them apart
                return _of_archive(path, with_labels)
            if begins != np.lib.format.MAGIC_PREFIX:
                raise ValueError("it has no header of NumPy's")
            file.seek(0)
            _check_size(path, path.name, *_header(file))
            file.seek(0)
            return Arrays(np.load(file, allow_pickle=False))
    except (KganError, MemoryError):
        raise
    except FileNotFoundError:
        raise InputError(f"No such file. Received: {path}") from None
    except Exception as problem:  # numpy, zipfile, zlib and tokenize each have their own
        raise InputError(f"Not a readable array file: {path} ({first_line(problem)})") from None


def _of_archive(path: Path, with_labels: bool) -> Arrays:
    with zipfile.ZipFile(path) as archive:
        headers = {}
        # A name without the suffix comes first, as in NumPy.
        for member in sorted(archive.namelist(), key=lambda name: not name.endswith(".npy")):
            with archive.open(member) as file:
                if file.read(6) == np.lib.format.MAGIC_PREFIX:
                    file.seek(0)
                    headers[member.removesuffix(".npy")] = _header(file)
    name = next((name for name in ARRAY_NAMES if name in headers), None)
    if name is None:
        candidates = [key for key, (shape, _) in headers.items() if len(shape) in PICTURE_RANKS]
        if len(candidates) != 1:
            raise InputError(
                f"This file needs one array of pictures, named {' or '.join(ARRAY_NAMES)}. "
                f"Received: {path} with {', '.join(headers) or 'nothing'}"
            )
        (name,) = candidates
    named = ATTRIBUTE_NAMES if with_labels and ATTRIBUTE_NAMES in headers else None
    labelled = with_labels and any(key in headers for key in LABEL_NAMES)
    if with_labels and ATTRIBUTES in headers and named is None and not labelled:
        raise InputError(
            f"{ATTRIBUTES} need {ATTRIBUTE_NAMES} beside them, a text for each column. "
            f"Received: {path} with {', '.join(headers)}"
        )
    own = (ATTRIBUTES, *LABEL_NAMES) if named else LABEL_NAMES
    label = next((key for key in own if with_labels and key in headers), None)
    if named and (label is None or headers[named][1].kind != "U"):
        raise InputError(
            f"{ATTRIBUTE_NAMES} are texts, and {ATTRIBUTES} or {LABEL_NAMES[0]} are beside them. "
            f"Received: {path} with {', '.join(headers)}"
        )
    if label is not None and headers[label][1].hasobject:
        raise InputError(
            "Python objects in a file are never loaded, as they can hold code: save the "
            f"labels as numbers or text. Received: {label} of Python objects"
        )
    numbered = label is not None and not named and headers[label][1].kind in "iufb"
    classes = CLASS_NAMES if numbered and CLASS_NAMES in headers else None
    if classes and headers[classes][1].kind not in "SU":
        LOG.warning("%s are ignored: they are no texts but %s", classes, headers[classes][1])
        classes = None
    for key in filter(None, (name, label, named, classes)):
        _check_size(path, key, *headers[key])
    with np.load(path, allow_pickle=False) as arrays:
        return Arrays(
            arrays[name],
            None if label is None else arrays[label],
            [str(each) for each in arrays[named].ravel()] if named else None,
            arrays[classes].ravel().tolist() if classes else None,
        )


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    """(shape, type) of an array in NumPy's format, from its first bytes."""
    version = np.lib.format.read_magic(file)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    # Of version 3 the header has names of fields in UTF-8, which no array of pictures has.
    if version not in read:
        raise ValueError(f"an array format of version {version}")
    if version == (2, 0):  # NumPy reads all of what it says it is, before it refuses its length
        start = file.tell()
        (length,) = struct.unpack("<I", file.read(4))
        if length > LONGEST_HEADER:
            raise ValueError(f"a header of {length:,} bytes")
        file.seek(start)
    shape, _, dtype = read[version](file)
    return shape, dtype


def _check_size(path: Path, name: str, shape: tuple[int, ...], dtype: np.dtype) -> None:
    size = math.prod(shape) * dtype.itemsize
    memory.check(
        f"The array {name} {shape} of {dtype}",
        size,
        f"{max(1, memory.free() * shape[0] // size):,} of its {shape[0]:,} entries, or the "
        "pictures in shards (kgan data pack), which are streamed"
        if size and shape
        else "",
        path,
    )
