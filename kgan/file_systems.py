"""What a file system may lack: room, locks, permissions, a wait until all is on the disk."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LOG = logging.getLogger("kgan")
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# How file systems of other kinds, on a network or in a USB stick, say that they have no such thing.
NO_SUCH = {getattr(errno, name) for name in "EINVAL ENOTSUP EOPNOTSUPP ENOSYS ENOLCK EBADF".split()}
FORBIDDEN = NO_SUCH | {errno.EPERM, errno.EACCES, errno.ENOTTY}  # where it is not worth an end
IN_USE = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES}
_told: set[str] = set()


def to_disk(path: Path) -> None:
    """Waits until a file, or the names in a folder, would survive a power cut.

    Raises:
        OSError: it failed; a file system without such a wait is one warning.
    """
    try:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno not in FORBIDDEN:
            raise
        _tell("cannot wait for the disk", "a power cut may lose what was written", error)


def set_mode(path: Path, mode: int) -> None:
    """Sets permissions, those of a new file or folder under this umask.

    Args:
        path: what was made, private to its owner.
        mode: 0o666 or 0o777, of which the umask takes away.

    Raises:
        OSError: it failed; a file system without permissions is one warning.
    """
    try:
        of_folder = path.stat().st_mode & 0o7000  # what it has from there, such as the group's bit
        path.chmod(of_folder | mode & ~_umask())
    except OSError as error:
        if error.errno not in FORBIDDEN:
            raise
        _tell("has no permissions to set", "others may not read what was written", error)


def _umask() -> int:
    """This process's umask, where the system says it without setting it, as threads share it."""
    with contextlib.suppress(OSError):
        for line in (
            Path("/proc/self/status").read_text(encoding="utf-8", errors="replace").splitlines()
        ):
            if line.startswith("Umask:"):
                return int(line.split()[1], 8)
    umask = os.umask(0)
    os.umask(umask)
    return umask


def lock(descriptor: int) -> bool | None:
    """Locks an open file or folder for as long as it is open in this process, without waiting.

    Returns:
        True; False where it is locked already; None where this system has no such locks.
    """
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in IN_USE:
            return False
        go_on_without_locks(error)
        return None
    return True


def go_on_without_locks(error: OSError) -> None:
    """Warns once a process that a file system has no locks.

    Raises:
        OSError: `error`, where it says something else, such as that a lock is another user's.
    """
    if error.errno not in NO_SUCH:
        raise error
    _tell("has no locks", "nothing keeps two commands from writing to one place", error)


def _tell(what: str, so: str, error: OSError) -> None:
    if what not in _told:
        _told.add(what)
        LOG.warning("this file system %s (%s): %s", what, error.strerror, so)


def chain(problem: BaseException | None) -> Iterator[BaseException]:
    """An exception and those that it came from, the last first."""
    seen = set()
    while problem is not None and id(problem) not in seen:
        yield problem
        seen.add(id(problem))
        problem = problem.__cause__ or problem.__context__


def no_room(problem: BaseException) -> OSError | None:
    """What a full disk said behind an exception, with the file where it is known; None without.

    Libraries hide it behind errors of their own; TensorFlow's has no number, but its words.
    """
    for cause in chain(problem):
        for number in NO_ROOM:
            reason = os.strerror(number)
            if getattr(cause, "errno", None) == number or reason in str(
                getattr(cause, "message", "")
            ):
                return OSError(number, reason, getattr(cause, "filename", None))
    return None
