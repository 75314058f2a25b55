"""Reads .onnx files as far as protobuf goes: nothing in them is believed yet."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from kgan import memory
from kgan.errors import InputError
from kgan.files import first_line
from kgan.reading import check_file, read_bytes

LARGEST_FILE = 2**30


def read_file(path: Path) -> bytes:
    """The content of an .onnx file; an InputError where it is too large for any export."""
    size = check_file(path)
    if size > LARGEST_FILE:
        raise InputError(
            f"An .onnx file may be at most {LARGEST_FILE} bytes. Received: {path}, {size}"
        )
    memory.check("This model", 2 * size, "a smaller one", path)  # its bytes, and what they say
    return read_bytes(path, LARGEST_FILE)


def parse(data: bytes, origin: object) -> onnx.ModelProto:
    """The content of an .onnx file as a ModelProto; an InputError where it is none."""
    proto = onnx.ModelProto()
    try:
        proto.ParseFromString(data)
        if not proto.HasField("graph"):
            raise DecodeError("it has no graph")
    except DecodeError as error:
        raise InputError(f"Not a readable ONNX model: {origin} ({first_line(error)})") from None
    return proto


@contextlib.contextmanager
def onnx_rules(origin: object) -> Iterator[None]:
    """Turns what onnx raises on a model that breaks its rules into an InputError."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # onnx has many classes of its own; text may not be UTF-8
        raise InputError(
            f"This ONNX model breaks ONNX's rules: {origin} ({first_line(error)})"
        ) from None
