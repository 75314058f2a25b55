"""Spoiled files of every kind: each is told in one line, or taken."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
KINDS = "config history skipped progress checkpoint keras npz shards manifest".split()


def test_all_is_imported_without_what_an_extra_has(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tools")
    tool = importlib.import_module("fuzz_files")
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "kgan.http_server.export_server", raising=False)
    tool.import_all()
    assert "kgan.http_server.export_server" not in sys.modules


@pytest.mark.slow
def test_fifty_spoiled_files_of_every_kind():
    # One process for all, which imports TensorFlow once.
    command = [sys.executable, "tools/fuzz_files.py", *KINDS, "-n", "50"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=2000)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    lines = done.stdout.splitlines()[-len(KINDS) :]
    assert {line.split(":")[0] for line in lines} == {*KINDS}
    for line in lines:
        counts = re.findall(r"(\d+) (\w+)", line.split(";")[0])
        assert sum(int(count) for count, _ in counts) == 50
