"""Files and directories that appear whole or not at all, and their words for people."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from kgan.errors import FullDisk, InputError, KganError
from kgan.file_systems import NO_ROOM, no_room, set_mode, to_disk
from kgan.leftovers import hidden_file, hidden_folder, sweep
from kgan.names import as_name, escaped, readable, text_of_path

ONE_NAME = r"[^./\\][^/\\]*"  # of a directory, not hidden
LONGEST_TEXT = 300  # characters of one value from a file
_swept: set[Path] = set()


class whole_file:
    """Context manager: a temporary path that becomes `path` when the block succeeds.

    A reader never sees half a file: it is written beside its final place and
    renamed over it; on an error it is removed and whatever stood there stays.
    What processes that were killed left in its folder is removed too.

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
        folder = self.path.parent
        folder.mkdir(parents=True, exist_ok=True)
        if folder not in _swept:  # once: it looks at every name
            _swept.add(folder)
            sweep(folder)
        # The suffix is kept: writers such as keras choose the format by it.
        self._hidden = hidden_file(folder, self.path.suffix)
        self.temporary = self._hidden.path
        return self.temporary

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                set_mode(self.temporary, 0o666)
                if self.durable:
                    to_disk(self.temporary)
                os.replace(self.temporary, self.path)
                if self.durable:
                    to_disk(self.path.parent)  # where the new name stands
        except OSError as error:
            raise self._named(error) from None
        finally:
            self.temporary.unlink(missing_ok=True)
            self._hidden.release()
        if isinstance(problem, OSError) and problem.errno and problem.filename is None:
            raise self._named(problem) from None  # what a full disk says names no file

    def _named(self, error: OSError) -> OSError:
        return OSError(error.errno, error.strerror, str(self.path))


@contextlib.contextmanager
def staging_directory(parent: str | os.PathLike[str]) -> Iterator[Path]:
    """Context manager: a hidden directory in `parent`, to be renamed into place when it is whole.

    Where it was not renamed it is removed, and with it each folder above that was made
    for it and is still empty: an error leaves nothing behind. What processes that were killed
    left in `parent` is removed too.

    Args:
        parent: directory to make it in; made when missing.

    Raises:
        OSError: it cannot be made there.
    """
    parent = Path(parent)
    created = missing(parent)
    hidden = None
    try:
        parent.mkdir(parents=True, exist_ok=True)
        sweep(parent)
        hidden = hidden_folder(parent)
        set_mode(hidden.path, 0o777)
        yield hidden.path
    finally:
        if hidden is not None:
            shutil.rmtree(hidden.path, ignore_errors=True)
            hidden.release()
        remove_empty(created)


def missing(folder: Path) -> list[Path]:
    """Those of a folder and the folders above it that are not there, the lowest first."""
    return [path for path in (folder, *folder.parents) if not path.exists()]


def remove_empty(folders: Sequence[Path]) -> None:
    """Removes folders, the lowest first, but for what is in use by now."""
    for folder in folders:
        with contextlib.suppress(OSError):  # not empty, or never made
            folder.rmdir()


def cache_directory() -> Path:
    """Where kgan keeps what it can make or fetch again: `$XDG_CACHE_HOME/kgan`, `~/.cache/kgan`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kgan"


def put_in_place(staging: Path, last: str | None = None) -> None:
    """Moves all that is in a staging directory into the directory around it, or nothing.

    What replaced a file that was there stays.

    Args:
        staging: as `staging_directory` gives it.
        last: name of what comes last, when all else is there.
    """
    moved: list[Path] = []
    try:
        for entry in sorted(staging.iterdir(), key=lambda entry: (entry.name == last, entry.name)):
            place = staging.parent / entry.name
            if not os.path.lexists(place):
                moved.append(place)  # before: a signal can come after
            entry.replace(place)
    except BaseException:
        for place in moved:
            if place.is_dir():
                shutil.rmtree(place, ignore_errors=True)
            else:
                place.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def writing(what: str, place: str | os.PathLike[str]) -> Iterator[None]:
    """Context manager: raises what `cannot_write` gives in place of what the system said.

    A full disk is found behind the errors of libraries too.

    Args:
        what: what cannot be done, such as "Cannot make the run there".
        place: where.
    """
    try:
        yield
    except KganError:
        raise
    except Exception as problem:
        error = no_room(problem) or problem
        if not isinstance(error, OSError):
            raise
        raise cannot_write(what, error, place) from problem


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
    return kind(f"{what} ({error.strerror or error}): {path}")


def check_name(name: str, of: str) -> str:
    """Returns the name of an export or of a run.

    Args:
        name: the name, also that of a directory.
        of: what it names, such as "an export".

    Raises:
        InputError: what has that name could not be listed or deleted, or would be outside its
            directory.
    """
    if not re.fullmatch(ONE_NAME, name) or not name.isprintable():
        raise InputError(
            f"The name of {of} must be one directory name, not hidden, such as photos. "
            f"Received: {name!r}"
        )
    return name


def printable(value: Any, longest: int | None = LONGEST_TEXT) -> str:
    """A value from a file as one line that no terminal obeys.

    Control characters, and bytes of a path that are no UTF-8, are shown as escapes. A path's
    characters are shown as such under any locale.

    Args:
        value: anything; paths and other things are shown as `str` gives them.
        longest: characters after which it is cut and "..." follows; None for no limit.
    """
    text = text_of_path(value) if isinstance(value, os.PathLike) else readable(str(value))
    return escaped(text[:longest]) + ("..." if len(text) > len(text[:longest]) else "")


def as_typed(name: str) -> bytes:
    """A name as a terminal shows it that knows ASCII alone, to compare what is typed."""
    return printable(as_name(name).strip(), None).encode("ascii", "backslashreplace")


def place_of(name: str, names: Sequence[str]) -> int | None:
    """Which of the names a user means, typed or as printed; None where it is none of them.

    The case of letters does not matter where it tells no names apart.
    """
    typed, wanted = [as_typed(each) for each in names], as_typed(name)
    if wanted not in typed:  # only then in another case: names may differ by that alone
        typed, wanted = [as_typed(each.casefold()) for each in names], as_typed(name.casefold())
        if typed.count(wanted) != 1:
            return None
    return typed.index(wanted)


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
