"""What a file system may lack: room, locks, permissions, a wait until all is on the disk."""

from __future__ import annotations

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
LACKING = {
    getattr(errno, name)
    for name in "EINVAL ENOTSUP EOPNOTSUPP EPERM EACCES ENOSYS ENOLCK EBADF ENOTTY".split()
}
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
        go_on_without("files that survive a power cut", error)


def set_mode(path: Path, mode: int) -> None:
    """Sets permissions, those of a new file or folder under this umask.

    Args:
        path: what was made, private to its owner.
        mode: 0o666 or 0o777, of which the umask takes away.

    Raises:
        OSError: it failed; a file system without permissions is one warning.
    """
    umask = os.umask(0)
    os.umask(umask)
    try:
        path.chmod(mode & ~umask)
    except OSError as error:
        go_on_without("permissions to set", error)


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
        go_on_without("locks", error)
        return None
    return True


def go_on_without(what: str, error: OSError) -> None:
    """Warns once a process that a file system lacks something.

    Raises:
        OSError: `error`, where it says something else.
    """
    if error.errno not in LACKING:
        raise error
    if what not in _told:
        _told.add(what)
        LOG.warning("this file system has no %s (%s); it goes on without", what, error.strerror)


def chain(problem: BaseException | None) -> Iterator[BaseException]:
    """An exception and those that it came from, the last first."""
    while problem is not None:
        yield problem
        problem = problem.__cause__ or problem.__context__


def no_room(problem: BaseException) -> OSError | None:
    """What a full disk said behind an exception, with the file where it is known; None without.

    Libraries hide it behind errors of their own; TensorFlow's has no number, but its words.
    """
    for cause in chain(problem):
        for number in NO_ROOM:
            reason = os.strerror(number)
            if getattr(cause, "errno", None) == number or reason in getattr(cause, "message", ""):
                return OSError(number, reason, getattr(cause, "filename", None))
    return None
