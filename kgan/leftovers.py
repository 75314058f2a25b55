"""Hidden places that a command works in. One that is killed leaves its own; the next removes it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from kgan.file_systems import lock

# Hidden, and nobody else's; a file system that machines share may not share its locks.
PREFIX = f".kgan-{hashlib.sha256(platform.node().encode()).hexdigest()[:4]}"
NAME = re.compile(r"\.kgan-[0-9a-f]{4}[a-z0-9_]{8}(\.[^.]*)?")
LONGEST_WORK = 86_400.0  # seconds after which another machine's command is taken for dead


class Claimed:
    """A hidden file or folder that is this process's own until `release` or its end.

    The system itself releases the lock on it when the process ends, however it ends.

    Args:
        make: makes it and returns its path.
    """

    def __init__(self, make: Callable[[], str]) -> None:
        while True:
            self.path = Path(make())
            self._descriptor: int | None = None
            locked = None
            with contextlib.suppress(OSError):  # Windows opens no folder
                self._descriptor = os.open(self.path, os.O_RDONLY)
                locked = lock(self._descriptor)
            if not locked:
                self.release()  # Windows renames no file that is open
            if locked is not False and os.path.lexists(self.path):
                return
            self.release()  # another process came between and took it for a leftover

    def release(self) -> None:
        """Gives it up; where it still has its hidden name, anyone may remove it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def hidden_file(folder: Path, suffix: str) -> Claimed:
    """A new file, to be renamed when it is whole.

    Args:
        folder: where.
        suffix: how its name ends: writers choose a format by it.
    """

    def make() -> str:
        descriptor, name = tempfile.mkstemp(prefix=PREFIX, suffix=suffix, dir=folder)
        os.close(descriptor)
        return name

    return Claimed(make)


def hidden_folder(parent: Path) -> Claimed:
    """A new folder, to be renamed when it is whole."""
    return Claimed(lambda: tempfile.mkdtemp(prefix=PREFIX, dir=parent))


def sweep(folder: Path) -> bool:
    """Removes what commands that no longer live left in a folder; whether there was anything.

    What a living process holds stays, for a day what another machine made, and everything on a
    file system without locks.
    """
    found = False
    try:
        names = [name for name in os.listdir(folder) if NAME.fullmatch(name)]
    except OSError:
        return False
    for name in names:
        path = folder / name
        with contextlib.suppress(OSError):  # gone, or another user's
            # A link or a pipe of that name is nobody's leftover, and must not be waited for.
            if path.is_symlink() or not (path.is_dir() or path.is_file()):
                continue
            if not name.startswith(PREFIX) and time.time() - path.stat().st_mtime < LONGEST_WORK:
                continue
            descriptor = os.open(path, os.O_RDONLY)
            try:
                if lock(descriptor):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                    found = True
            finally:
                os.close(descriptor)
    return found
