"""Spoiled files of every kind: each is told in one line, or taken."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# The good files are made once for those of a line.
KINDS = ("config history skipped", "progress checkpoint keras", "npz shards manifest")


@pytest.mark.slow
@pytest.mark.parametrize("kinds", KINDS)
def test_fifty_spoiled_files(kinds):
    command = [sys.executable, "tools/fuzz_files.py", *kinds.split(), "-n", "50"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1500)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    lines = done.stdout.splitlines()[-3:]
    assert {line.split(":")[0] for line in lines} == {*kinds.split()}
    for line in lines:
        counts = re.findall(r"(\d+) (\w+)", line.split(";")[0])
        assert sum(int(count) for count, _ in counts) == 50
