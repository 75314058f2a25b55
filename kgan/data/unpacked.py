"""A packed file's content in a temporary file that has no name, to be read anywhere in it."""

from __future__ import annotations

import gzip
import os
import shutil
import tempfile
import threading
import zlib

from kgan.data.member_places import open_archive
from kgan.data.sources import LOG
from kgan.errors import InputError
from kgan.files import first_line
from kgan.memory import in_words

PART = 2**20  # bytes unpacked at a time
KEPT_FREE = 2**28  # bytes that are left on the disk


class Unpacked:
    """The content of a file packed by gzip, on the disk until this is no longer used.

    Args:
        path: the packed file.

    Attributes:
        file: the content, a binary file.

    Raises:
        InputError: it is no such file, is damaged or cut short, or what is in it does not fit.
    """

    def __init__(self, path: str) -> None:
        source = open_archive(path)
        folder = tempfile.gettempdir()
        room = shutil.disk_usage(folder).free - KEPT_FREE
        self.file, size = tempfile.TemporaryFile(dir=folder), 0
        self._one = threading.Lock()
        try:
            with source, gzip.GzipFile(fileobj=source) as packed:
                while part := packed.read(PART):
                    size += len(part)
                    if size > room:  # a few bytes can unpack to any number
                        raise InputError(
                            f"Unpacked, it is larger than the {in_words(max(0, room))} that are "
                            f"free in {folder} (TMPDIR names another place). Received: {path}"
                        )
                    self.file.write(part)
        except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
            raise InputError(
                f"Damaged, cut short or not packed by gzip ({first_line(problem)}). "
                f"Received: {path}"
            ) from None
        self.file.flush()
        LOG.warning(
            "unpacked for the time of this command, %s in %s; a .tar needs none: %s",
            in_words(size),
            folder,
            path,
        )

    def read(self, offset: int, size: int) -> bytes:
        """Some bytes of the content; several threads may ask at once."""
        with self._one:
            self.file.seek(offset, os.SEEK_SET)
            return self.file.read(size)
