"""Memory: what is free, what is refused, and what is said where it runs out."""

import errno
import os
import resource
import subprocess
import sys
from types import SimpleNamespace

import pytest

import kgan
from kgan import memory
from kgan.errors import OutOfMemory

GB = 10**9


@pytest.fixture
def one_gb(monkeypatch):
    """A machine on which 1 GB is free."""
    monkeypatch.setattr(memory, "free", lambda: GB)


def test_what_is_free_is_no_more_than_the_machine_has():
    with open("/proc/meminfo") as file:
        total = int(next(line for line in file if line.startswith("MemTotal")).split()[1]) * 1024
    assert 0 < memory.free() <= total


def test_a_limit_of_the_process_counts():
    code = (
        "import resource; from kgan import memory;"
        f"resource.setrlimit(resource.RLIMIT_DATA, ({GB}, {GB})); print(memory.free())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0 < int(done.stdout) < GB
    assert resource.getrlimit(resource.RLIMIT_DATA)[0] != GB  # of the other process alone


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """A function of a version and a process's group: its control groups' place, in a folder."""
    monkeypatch.setattr(memory, "OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr(memory.psutil, "swap_memory", lambda: SimpleNamespace(free=5 * GB))

    def of(version, path):
        top = tmp_path / "groups"
        monkeypatch.setitem(memory.GROUPS, version, memory.GROUPS[version]._replace(top=top))
        (tmp_path / "own").write_text(f"{'0:' if version == 2 else '4:cpu,memory'}:{path}\n")
        return top

    return of


def write_group(place, version, **values):
    """A group of the names of `Group`, its statistics by their own."""
    place.mkdir(parents=True, exist_ok=True)
    for name in ("limit", "used", "swap_limit", "swap_used"):
        if name in values:
            (place / getattr(memory.GROUPS[version], name)).write_text(f"{values.pop(name)}\n")
    (place / "memory.stat").write_text(
        "anon 5\n" + "".join(f"{n} {v}\n" for n, v in values.items())
    )


def test_a_control_group_around_that_of_the_process_counts(groups):
    box = groups(2, "/box/inner") / "box"
    of_files = {"inactive_file": 2 * 10**8, "active_file": 3 * 10**8, "slab_reclaimable": 10**8}
    write_group(box, 2, limit=3 * GB, used=GB, **of_files)
    assert list(memory._left_by_cgroups()) == [2 * GB + 6 * 10**8 + 5 * GB]
    write_group(box, 2, limit=3 * GB, used=GB, swap_limit=2 * GB, swap_used=GB, **of_files)
    assert list(memory._left_by_cgroups()) == [2 * GB + 6 * 10**8 + GB]
    write_group(box, 2, limit=3 * GB, used=GB, swap_limit="max", swap_used=GB)
    assert list(memory._left_by_cgroups()) == [2 * GB + 5 * GB]
    write_group(box, 2, limit="max", used=GB)
    assert not list(memory._left_by_cgroups())


def test_one_of_version_1_too_where_swap_counts_with_memory(groups):
    box = groups(1, "/box/inner") / "box"
    of_files = {"total_inactive_file": 2 * 10**8, "total_active_file": 3 * 10**8}
    write_group(box, 1, limit=3 * GB, used=GB, **of_files)
    assert list(memory._left_by_cgroups()) == [2 * GB + 5 * 10**8 + 5 * GB]
    write_group(box, 1, limit=3 * GB, used=GB, swap_limit=4 * GB, swap_used=2 * GB, **of_files)
    assert list(memory._left_by_cgroups()) == [2 * GB + 5 * 10**8]
    unlimited = 2**63 - 4096
    write_group(box, 1, limit=unlimited, used=GB, swap_limit=unlimited, swap_used=GB)
    assert min(memory._left_by_cgroups()) > 10**18


def test_a_group_above_what_a_container_sees_is_its_top(groups):
    write_group(groups(2, "/../../elsewhere"), 2, limit=GB, used=0, swap_limit=0, swap_used=0)
    assert list(memory._left_by_cgroups()) == [GB]


def test_what_fits_is_not_refused_and_what_does_not_is_with_both_numbers(one_gb):
    memory.check("A sheet", GB)
    with pytest.raises(kgan.InputError) as refused:
        memory.check("A sheet", 3 * GB, "-n 5", "-n 15")
    assert str(refused.value) == (
        "A sheet needs at least 3 GB of memory; 1 GB is free; what would fit: -n 5. Received: -n 15"
    )


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (256e9, "256 GB"), (3e18, "3,000 PB")],
)
def test_sizes_in_words(size, words):
    assert memory.in_words(size) == words


def test_memory_that_runs_out_is_one_line_and_not_the_users_mistake(capsys, monkeypatch):
    from kgan.cli import data, main

    def run_out(arguments):
        raise RuntimeError("wrapped") from MemoryError("Unable to allocate 80 GiB")

    monkeypatch.setattr(data, "run", run_out)
    assert main.main(["data", "check", "pictures"]) == 1
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert "Out of memory" in error
    assert "Unable to allocate 80 GiB" in error


@pytest.mark.parametrize("name", [None, "run/model.keras"])
def test_a_full_disk_is_one_line_whatever_hides_it(capsys, monkeypatch, name):
    from kgan.cli import data, main

    def fill(arguments):
        raise ValueError("zip") from OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), name)

    monkeypatch.setattr(data, "run", fill)
    assert main.main(["data", "check", "pictures"]) == 1
    where = f": {name}" if name else ""
    assert capsys.readouterr().err == f"kgan: error: No space left on device{where}\n"


def test_tensorflows_own_is_known_and_a_full_disk_is_another():
    import tensorflow as tf

    full = tf.errors.ResourceExhaustedError(None, None, "f; No space left on device")
    assert memory.out_of_memory(full) is None
    assert memory.out_of_memory(ValueError("x")) is None
    with pytest.raises(tf.errors.ResourceExhaustedError) as exhausted:
        tf.zeros((10**6, 10**6, 10**3))  # 4 PB, more than any machine promises
    assert isinstance(memory.out_of_memory(exhausted.value), OutOfMemory)
