"""Memory: what is free, what is refused, and what is said where it runs out."""

import resource
import subprocess
import sys

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


@pytest.mark.parametrize(
    ("version", "line", "names"),
    [
        (2, "0::/box/inner", ("memory.max", "memory.current", "inactive_file", "active_file")),
        (
            1,
            "4:cpu,memory:/box/inner",
            (
                "memory.limit_in_bytes",
                "memory.usage_in_bytes",
                "total_inactive_file",
                "total_active_file",
            ),
        ),
    ],
)
def test_a_control_group_around_that_of_the_process_counts(
    tmp_path, monkeypatch, version, line, names
):
    group = tmp_path / "box"
    (group / "inner").mkdir(parents=True)
    for name, value in zip(names[:2], (3 * GB, GB), strict=True):
        (group / name).write_text(f"{value}\n")
    (group / "memory.stat").write_text(f"anon 5\n{names[2]} 200000000\n{names[3]} 300000000\n")
    monkeypatch.setitem(memory.CGROUP_FILES, version, (tmp_path, *memory.CGROUP_FILES[version][1:]))
    monkeypatch.setattr(memory, "OWN_GROUPS", tmp_path / "groups")
    (tmp_path / "groups").write_text(f"{line}\n")
    assert list(memory._left_by_cgroups()) == [3 * GB - GB + 500_000_000]
    (group / names[0]).write_text("max\n" if version == 2 else f"{2**63 - 4096}\n")
    assert min([*memory._left_by_cgroups(), 10**18]) >= 10**18


def test_what_fits_is_not_refused_and_what_does_not_is_with_both_numbers(one_gb):
    memory.check("A sheet", GB)
    with pytest.raises(kgan.InputError) as refused:
        memory.check("A sheet", 3 * GB, "-n 5", "-n 15")
    assert str(refused.value) == (
        "A sheet needs at least 3 GB of memory; 1 GB are free; what would fit: -n 5. "
        "Received: -n 15"
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


def test_tensorflows_own_is_known_and_a_full_disk_is_another():
    import tensorflow as tf

    full = tf.errors.ResourceExhaustedError(None, None, "f; No space left on device")
    assert memory.out_of_memory(full) is None
    assert memory.out_of_memory(ValueError("x")) is None
    with pytest.raises(tf.errors.ResourceExhaustedError) as exhausted:
        tf.zeros((10**6, 10**6, 10**3))  # 4 PB, more than any machine promises
    assert isinstance(memory.out_of_memory(exhausted.value), OutOfMemory)
