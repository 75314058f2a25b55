"""The machine: what it is, and who else used its cores while something was timed."""

import importlib.metadata
import platform
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import psutil

FLAGS = {
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx512_bf16": "AVX512_BF16",
    "amx_bf16": "AMX_BF16",
    "bf16": "BF16",  # Arm's
}
IDLE = ("idle", "iowait", "guest", "guest_nice")  # a guest's time is in the user's too


def graphics() -> list[str]:
    """The names of NVIDIA's GPUs."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return []
    words = [command, "--query-gpu=name", "--format=csv,noheader"]
    return subprocess.run(words, check=False, capture_output=True, text=True).stdout.splitlines()


def describe() -> str:
    """Processor, cores, instruction sets, memory, system, Python and packages, in one line."""
    flags, model = set(), platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() in ("flags", "Features"):
                flags.update(value.split())
            elif key.strip() == "model name":
                model = value.strip()
    sets = [title for flag, title in FLAGS.items() if flag in flags]
    memory = psutil.virtual_memory().total / 2**30
    gpus = "".join(f", {name}" for name in graphics())
    packages = ", ".join(map(version, ("tensorflow", "keras", "torch")))
    return (
        f"{model}, {psutil.cpu_count()} cores, {' '.join(sets) or 'instruction sets unknown'}, "
        f"{memory:.0f} GiB{gpus}; {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, {packages}"
    )


def version(package: str) -> str:
    """The package and its version, without importing it."""
    try:
        return f"{package} {importlib.metadata.version(package)}"
    except importlib.metadata.PackageNotFoundError:
        return f"no {package}"


def memory(what: Literal["VmRSS", "VmHWM"]) -> int | None:
    """Bytes that this process holds, or the most that it has held; None where nobody says."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    (line,) = [line for line in status.read_text().splitlines() if line.startswith(what)]
    return 1024 * int(line.split()[1])


class Window:
    """Seconds between two moments, and the share of the machine's cores that others took.

    Others are what `own` does not count, other processes and what the machine's host took away.

    Args:
        own: gives the CPU seconds so far of what is timed; this process's by default.
    """

    def __init__(self, own: Callable[[], float] = time.process_time) -> None:
        self.own = own
        self.opened: tuple[float, float, float] | None = None

    def open(self) -> None:
        """The first moment."""
        self.opened = self._now()

    def close(self) -> dict[str, float]:
        """The second moment: {"seconds", "others"}."""
        assert self.opened is not None, "closed before it was opened"
        seconds, busy, own = (
            now - then for now, then in zip(self._now(), self.opened, strict=True)
        )
        return {
            "seconds": seconds,
            "others": max(0.0, busy - own) / (seconds * (psutil.cpu_count() or 1)),
        }

    def _now(self) -> tuple[float, float, float]:
        busy = sum(t for kind, t in psutil.cpu_times()._asdict().items() if kind not in IDLE)
        return time.perf_counter(), busy, self.own()
