"""Files from anywhere, read within bounds: regular ones, of a size that such a file can have."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from io import BufferedReader

from kgan.errors import InputError
from kgan.memory import in_words

# Of JSON that people or programs wrote for kgan. Python needs up to 30 times as much for it.
LARGEST_TEXT = 2**25
KINDS: dict[str, Callable[[int], bool]] = {
    "a folder": stat.S_ISDIR,
    "a pipe": stat.S_ISFIFO,
    "a socket": stat.S_ISSOCK,
    "a device": lambda mode: stat.S_ISCHR(mode) or stat.S_ISBLK(mode),
}


def check_file(path: str | os.PathLike[str], largest: int | None = None) -> int:
    """Refuses what is no regular file: a pipe may never answer, a device never end.

    Args:
        path: the file, or a link to it.
        largest: bytes that such a file has at most; None for any number.

    Returns:
        Its size in bytes.

    Raises:
        InputError: it is another thing, or larger.
        OSError: it is not there, or cannot be looked at.
    """
    return _checked(os.stat(path), path, largest)


def read_bytes(path: str | os.PathLike[str], largest: int) -> bytes:
    """The content of a regular file of at most `largest` bytes.

    Raises:
        InputError, OSError: as for `check_file`, and for a file that grows while it is read.
    """
    with _opened(path) as file:
        size = _checked(os.fstat(file.fileno()), path, largest)
        data = file.read(size + 1)  # not `largest`: Python takes at once what it may read
    if len(data) > size:
        raise InputError(f"This file grows while it is read; try again. Received: {path}")
    return data


def read_text(
    path: str | os.PathLike[str], encoding: str = "utf-8", largest: int = LARGEST_TEXT
) -> str:
    """The text of a regular file of at most `largest` bytes.

    Raises:
        InputError, OSError: as for `read_bytes`.
        UnicodeDecodeError: it is no text of that encoding.
    """
    return read_bytes(path, largest).decode(encoding)


def read_part(path: str | os.PathLike[str], offset: int, most: int) -> bytes:
    """At most so many bytes of a regular file, from a place in it on; none behind its end.

    Raises:
        InputError, OSError: as for `check_file`.
    """
    with _opened(path) as file:
        _checked(os.fstat(file.fileno()), path, None)
        file.seek(offset)
        return file.read(most)


def sha256(path: str | os.PathLike[str]) -> str:
    """The hexadecimal SHA-256 of a regular file, read in parts.

    Raises:
        InputError, OSError: as for `check_file`.
    """
    with _opened(path) as file:
        _checked(os.fstat(file.fileno()), path, None)
        return hashlib.file_digest(file, "sha256").hexdigest()


def _opened(path: str | os.PathLike[str]) -> BufferedReader:
    """Opens a file without waiting for the other end of a pipe, should it be one."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    return open(os.open(path, flags), "rb")


def _checked(status: os.stat_result, path: str | os.PathLike[str], largest: int | None) -> int:
    if not stat.S_ISREG(status.st_mode):
        kinds = (words for words, is_such in KINDS.items() if is_such(status.st_mode))
        raise InputError(f"Not a regular file: {next(kinds, 'a thing')}. Received: {path}")
    if largest is not None and status.st_size > largest:
        raise _too_large(path, status.st_size, largest)
    return status.st_size


def _too_large(path: str | os.PathLike[str], size: int, largest: int) -> InputError:
    return InputError(
        f"A file of this kind has at most {in_words(largest)}. Received: {path} of {in_words(size)}"
    )
