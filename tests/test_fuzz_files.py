"""Spoiled files of every kind: each is told in one line, or taken."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
KINDS = "config history skipped progress checkpoint keras npz shards manifest".split()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_fifty_spoiled_files(kind):
    command = [sys.executable, "tools/fuzz_files.py", kind, "-n", "50"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    counts = re.findall(r"(\d+) (\w+)", done.stdout.splitlines()[-1].split(";")[0])
    assert sum(int(count) for count, _ in counts) == 50
