"""What a run wrote for TensorBoard, read on from where it was left, without TensorFlow."""

from __future__ import annotations

import math
import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.types_pb2 import DT_FLOAT, DT_STRING

from kgan.errors import InputError
from kgan.files import printable
from kgan.reading import read_part

# A record is its length (8 bytes), a checksum of that (4), its content, a checksum (4).
HEAD, FRAME = 12, 16
LARGEST_RECORD = 2**16  # figures and texts are far smaller; sheets are passed over
BLOCK = 2 * LARGEST_RECORD  # read at a time: a whole record at least
LAST_TIME = 1e11  # seconds since 1970
MOST_FILES = 1000  # one per training, the newest


class Noted(NamedTuple):
    """A figure or a text in a log.

    Attributes:
        time: seconds since 1970 when it was written.
        step: batches seen.
        name: as TensorBoard shows it.
        value: a number, or a text.
    """

    time: float
    step: int
    name: str
    value: float | str


class EventLog:
    """The event files of a directory. They may not be there yet, grow, and go.

    Args:
        directory: where they are.

    Attributes:
        problem: why a file of them cannot be read; None where all can.
        share: how much of them has been read, 0 to 1.
        changed: when one of them was written last, in seconds since 1970; 0.0 where none is.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.problem: str | None = None
        self.share = 1.0
        self.changed = 0.0
        self._offsets: dict[str, int] = {}

    def read(self, deadline: float = math.inf) -> Iterator[Noted]:
        """What has been written since the last call, in the order of writing.

        Args:
            deadline: of `time.monotonic()`, when it stops; the next call goes on.
        """
        files = self._files()
        self.problem = None
        sizes = dict(files)
        # One that is smaller than it was is another file.
        self._offsets = {
            name: offset for name, offset in self._offsets.items() if offset <= sizes.get(name, -1)
        }
        for name, size in files:
            yield from self._read(name, size, deadline)
        total = sum(sizes.values())
        read = sum(self._offsets.values()) / max(1, total)
        self.share = read if time.monotonic() > deadline else 1.0

    def _files(self) -> list[tuple[str, int]]:
        """(name, size) of the files, by the time in their names, when their training began."""
        found = []
        try:
            with os.scandir(self.directory) as entries:
                for entry in entries:
                    is_one = entry.name.startswith("events.out.tfevents.")
                    if is_one and entry.is_file(follow_symlinks=False):
                        status = entry.stat()
                        found.append((entry.name, status.st_size))
                        self.changed = max(self.changed, status.st_mtime)
        except OSError:
            return []
        return sorted(found, key=lambda file: _in_order(file[0]))[-MOST_FILES:]

    def _read(self, name: str, size: int, deadline: float) -> Iterator[Noted]:
        offset = self._offsets.setdefault(name, 0)
        while offset + FRAME <= size and time.monotonic() <= deadline:
            try:
                data = read_part(self.directory / name, offset, BLOCK)
            except (OSError, InputError) as problem:
                self.problem = f"{printable(name)} cannot be read: {printable(problem)}"
                return
            begun = offset
            for length, record in _records(data):
                if offset + length > size:
                    break  # it is being written
                offset += length
                yield from _noted(record)
            self._offsets[name] = offset
            if offset == begun:
                return


def _in_order(name: str) -> tuple[int, str]:
    seconds = name.split(".")[3]
    return int(seconds) if seconds.isdecimal() else 0, name


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(bytes in the file, content) of each record at the beginning of some data.

    One that is cut off at their end is left out, but for a large one, whose content is not given.
    """
    at = 0
    while at + HEAD <= len(data):
        length = int.from_bytes(data[at : at + 8], "little")
        if length > LARGEST_RECORD:
            yield FRAME + length, b""
            return
        end = at + FRAME + length
        if end > len(data):
            return
        yield FRAME + length, data[at + HEAD : end - 4]
        at = end


def _noted(record: bytes) -> Iterator[Noted]:
    try:
        event: Any = Event.FromString(record)
    except Exception:  # of several classes, by protobuf's version
        return
    for value in event.summary.value:
        found = _value(value)
        if found is not None and 0.0 <= event.wall_time < LAST_TIME:
            yield Noted(event.wall_time, event.step, value.tag, found)


def _value(value: Any) -> float | str | None:
    """The number or text of a summary's value; None for a picture and all else."""
    if value.HasField("simple_value"):
        return value.simple_value
    tensor = value.tensor
    if tensor.dtype == DT_FLOAT:
        if len(tensor.tensor_content) == 4:
            return struct.unpack("<f", tensor.tensor_content)[0]
        return tensor.float_val[0] if len(tensor.float_val) == 1 else None
    if tensor.dtype == DT_STRING and len(tensor.string_val) == 1:
        return tensor.string_val[0].decode("utf-8", "replace")
    return None
