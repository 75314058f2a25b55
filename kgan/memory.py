"""Memory: what is free, what a thing would take, and the one line where it does not fit."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil

from kgan.errors import InputError, OutOfMemory
from kgan.file_systems import chain
from kgan.files import first_line

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None  # type: ignore[assignment]

CGROUPS = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")


class Group(NamedTuple):
    """Where control groups of a version have their figures.

    Attributes:
        top: folder of all groups.
        limit, used: files of the limit and of what is in use.
        swap_limit, swap_used: those of swap; in version 1 of memory and swap together.
        given_back: what the system gives back when it is asked, among memory.stat.
    """

    top: Path
    limit: str
    used: str
    swap_limit: str
    swap_used: str
    given_back: tuple[str, ...]


GROUPS = {
    2: Group(
        CGROUPS,
        *("memory.max", "memory.current", "memory.swap.max", "memory.swap.current"),
        ("inactive_file", "active_file", "slab_reclaimable"),
    ),
    1: Group(
        CGROUPS / "memory",
        *("memory.limit_in_bytes", "memory.usage_in_bytes"),
        *("memory.memsw.limit_in_bytes", "memory.memsw.usage_in_bytes"),
        ("total_inactive_file", "total_active_file"),
    ),
}
NODE = re.compile(r"\{\{.*?\}\} ?")  # of TensorFlow's graph, in its messages
ALWAYS_TAKEN = 2**24  # bytes that are never refused, so that what is free is not looked up


def free() -> int:
    """Bytes that this process can still take: the least of what the machine and limits leave.

    Swap and what the system keeps of files in memory count as free. Limits are those of the
    process (`ulimit -v` and `-d`) and of its control groups, as containers have them.
    """
    machine = psutil.virtual_memory().available + psutil.swap_memory().free
    return max(0, min([machine, *_left_by_limits(), *_left_by_cgroups()]))


def check(what: str, least: int, fits: str = "", received: object = None) -> None:
    """Refuses what needs more memory than is free, before any of it is taken.

    Args:
        what: what needs it, such as "A sheet of 1,000 pictures".
        least: a lower bound of what it needs, in bytes, so that nothing is refused that would
            have worked.
        fits: what would fit, in words.
        received: what the user gave.

    Raises:
        InputError: there is less; the message has both numbers.
    """
    if least <= ALWAYS_TAKEN:
        return
    left = free()
    if least > left:
        raise refusal(what, least, left, fits, received)


def check_array(count: int, each: int, name: str, what: str = "An array") -> None:
    """Refuses `count` images of `each` bytes that are to be in memory at once.

    Args:
        count, each: number of images, and bytes that one takes at least.
        name: how the user gave the number, such as "n" or "-n".
        what: what is made of them.

    Raises:
        InputError: they need more than is free; the message says how many would fit.
    """
    joint = " " if name.startswith("-") else "="
    fits = max(1, free() // each) if count * each > ALWAYS_TAKEN else count
    check(
        f"{what} of {count:,} pictures",
        count * each,
        f"{name}{joint}{fits}",
        f"{name}{joint}{count}",
    )


def refusal(
    what: str, least: int, left: int, fits: str = "", received: object = None
) -> InputError:
    """What is said where `least` bytes are needed and `left` are free; as for `check`."""
    line = f"{what} needs at least {in_words(least)} of memory; {in_words(left)} is free"
    if fits:
        line += f"; what would fit: {fits}"
    return InputError(line if received is None else f"{line}. Received: {received}")


def in_words(size: float) -> str:
    """Bytes as people write them: "512 kB", "1.5 GB", "40 TB"; powers of 1,000."""
    for unit in ("bytes", "kB", "MB", "GB", "TB", "PB"):
        if size < 999.5 or unit == "PB":
            break
        size /= 1000
    return f"{size:,.0f} {unit}" if size >= 99.5 or unit == "bytes" else f"{size:.3g} {unit}"


def out_of_memory(error: BaseException) -> OutOfMemory | None:
    """The exception to raise in place of one that means that memory ran out; None for others.

    Python and NumPy raise a MemoryError, TensorFlow a ResourceExhaustedError of its own (as it
    does for a full disk, which is none) and onnxruntime a general one; it may be the cause of
    another.
    """
    for each in chain(error):
        if isinstance(each, OutOfMemory):
            return each
        if _ran_out(each):
            return OutOfMemory(
                f"Out of memory: {in_words(free())} is free, and more was needed "
                f"({NODE.sub('', first_line(each))})"
            )
    return None


def _ran_out(error: BaseException) -> bool:
    if isinstance(error, MemoryError):
        return True
    name, text = type(error).__name__, str(error)
    if name == "ResourceExhaustedError":
        return "OOM" in text or "memory" in text.lower()
    own = type(error).__module__.partition(".")[0] in ("onnxruntime", "tensorflow")
    return own and ("std::bad_alloc" in text or "Failed to allocate memory" in text)


def _left_by_limits() -> Iterator[int]:
    if resource is None or not hasattr(resource, "RLIMIT_DATA"):
        return
    limits = {
        "VmSize": resource.getrlimit(resource.RLIMIT_AS)[0],
        "VmData": resource.getrlimit(resource.RLIMIT_DATA)[0],
    }
    limits = {name: limit for name, limit in limits.items() if limit != resource.RLIM_INFINITY}
    if not limits:
        return
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:  # no Linux: a limit that is not known to be used up
        yield from limits.values()
        return
    for line in status.splitlines():
        name, _, value = line.partition(":")
        if name in limits:
            yield limits[name] - 1024 * int(value.split()[0])


def _left_by_cgroups() -> Iterator[int]:
    for place, version in _cgroups():
        group = GROUPS[version]
        try:
            left = _left(place, group.limit, group.used)
            facts = dict(
                line.split(" ", 1)
                for line in (place / "memory.stat").read_text(encoding="ascii").splitlines()
            )
            given_back = sum(int(facts.get(name, 0)) for name in group.given_back)
        except (OSError, ValueError):  # no such group here, no limit, or files of another form
            continue
        swap = psutil.swap_memory().free
        with contextlib.suppress(OSError, ValueError):  # the group has all of the machine's
            of_group = _left(place, group.swap_limit, group.swap_used)
            swap = min(swap, of_group - left if version == 1 else of_group)
        yield left + given_back + swap


def _left(place: Path, limit: str, used: str) -> int:
    """Bytes of a group's limit that are left; ValueError where it is "max"."""
    limits = [int((place / name).read_text(encoding="ascii")) for name in (limit, used)]
    return limits[0] - limits[1]


def _cgroups() -> Iterator[tuple[Path, int]]:
    """The control group of this process and those around it, with their version.

    In a container its own group is often the top of what it sees, whatever /proc calls it: also
    something above the top.
    """
    try:
        lines = OWN_GROUPS.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        number, controllers, path = line.split(":", 2)
        version = 2 if number == "0" else 1 if "memory" in controllers.split(",") else None
        if version is None:
            continue
        top = GROUPS[version].top
        place = Path(os.path.normpath(f"{top}/{path}"))
        if not place.is_relative_to(top):
            place = top
        while place.is_relative_to(top):
            yield place, version
            place = place.parent
