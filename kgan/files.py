"""Files and directories that appear whole or not at all, and their words for people."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from kgan.errors import FullDisk, InputError, KganError
from kgan.names import readable, text_of_path

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
LONGEST_TEXT = 300  # characters of one value from a file


class whole_file:
    """Context manager: a temporary path that becomes `path` when the block succeeds.

    A reader never sees half a file: it is written beside its final place and
    renamed over it; on an error it is removed and whatever stood there stays.

    Args:
        path: file to write; its folder is made when missing.
        durable: have it on the disk before it takes its place, so that not even
            a power cut leaves an empty file there. It costs a wait for the disk.

    Raises:
        OSError: it cannot be written; it names `path`, also where the system names no file.
    """

    def __init__(self, path: str | os.PathLike[str], durable: bool = False) -> None:
        self.path = Path(path)
        self.durable = durable

    def __enter__(self) -> Path:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # The suffix is kept: writers such as keras choose the format by it.
        handle, name = tempfile.mkstemp(
            prefix=f".{self.path.stem}-", suffix=self.path.suffix, dir=self.path.parent
        )
        os.close(handle)
        self.temporary = Path(name)
        return self.temporary

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.temporary.chmod(0o666 & ~_umask())  # mkstemp makes private files
                if self.durable:
                    _to_disk(self.temporary)
                os.replace(self.temporary, self.path)
                if self.durable:
                    _to_disk(self.path.parent)  # where the new name stands
        except OSError as error:
            raise self._named(error) from None
        finally:
            self.temporary.unlink(missing_ok=True)
        if isinstance(problem, OSError) and problem.errno and problem.filename is None:
            raise self._named(problem) from None  # what a full disk says names no file

    def _named(self, error: OSError) -> OSError:
        return OSError(error.errno, error.strerror, str(self.path))


@contextlib.contextmanager
def staging_directory(parent: str | os.PathLike[str], prefix: str) -> Iterator[Path]:
    """Context manager: a hidden directory in `parent`, to be renamed into place when it is whole.

    Where it was not renamed it is removed, and with it each folder above that was made
    for it and is still empty: an error leaves nothing behind.

    Args:
        parent: directory to make it in; made when missing.
        prefix: how its name begins, such as ".export-"; a dot keeps it out of listings.

    Raises:
        OSError: it cannot be made there.
    """
    parent = Path(parent)
    created = [path for path in (parent, *parent.parents) if not path.exists()]
    staging = None
    try:
        parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        staging.chmod(0o777 & ~_umask())  # mkdtemp makes private directories
        yield staging
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)
        for path in created:
            with contextlib.suppress(OSError):  # never made, or in use by now
                path.rmdir()


def cache_directory() -> Path:
    """Where kgan keeps what it can make or fetch again: `$XDG_CACHE_HOME/kgan`, `~/.cache/kgan`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kgan"


def cannot_write(what: str, error: OSError, path: str | os.PathLike[str]) -> KganError:
    """The exception to raise where something cannot be written.

    Args:
        what: what cannot be done, such as "Cannot make the run there".
        error: what the system said.
        path: where.

    Returns:
        A `FullDisk` where there is no room, else an `InputError`.
    """
    kind = FullDisk if error.errno in NO_ROOM else InputError
    return kind(f"{what} ({error.strerror}): {path}")


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def printable(value: Any, longest: int | None = LONGEST_TEXT) -> str:
    """A value from a file as one line that no terminal obeys.

    Control characters, and bytes of a path that are no UTF-8, are shown as escapes. A path's
    characters are shown as such under any locale.

    Args:
        value: anything; paths and other things are shown as `str` gives them.
        longest: characters after which it is cut and "..." follows; None for no limit.
    """
    text = text_of_path(value) if isinstance(value, os.PathLike) else readable(str(value))
    shown = "".join(c if c.isprintable() else _escaped(c) for c in text[:longest])
    return shown if len(text) <= len(text[:longest]) else f"{shown}..."


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()


def first_line(error: BaseException) -> str:
    """The first line of an exception's message, printable; its class where it has none."""
    lines = str(error).strip().splitlines()
    return printable(lines[0] if lines else type(error).__name__)


def aligned(rows: Sequence[Sequence[str]], indent: str = "", right: bool = False) -> list[str]:
    """Lines of a table, each column as wide as its widest cell.

    Args:
        rows: rows of texts, all of one length; none give no lines.
        indent: what each line begins with.
        right: align the last column to the right, as numbers are.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for *cells, last in rows:
        padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=False)]
        padded.append(last.rjust(widths[-1]) if right else last)
        lines.append((indent + "  ".join(padded)).rstrip())
    return lines
