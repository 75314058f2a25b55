"""What continuous integration may not skip, and what it may."""

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import pytest

def test_passes(): pass

def test_missing(): pytest.skip("Chromium is not installed")

@pytest.mark.skipif(True, reason="root may write anywhere")
def test_allowed(): pass

@pytest.mark.xfail
def test_known(): raise ValueError
"""


@pytest.mark.parametrize("strict", [True, False])
def test_a_skip_fails_where_it_is_forbidden(strict, tmp_path):
    (tmp_path / "test_some.py").write_text(TESTS)
    (tmp_path / "test_module.py").write_text("import pytest\npytest.importorskip('no_such')\n")
    options = ["-q", "-p", "tests.strict_skips", "-p", "no:cacheprovider", "--rootdir", tmp_path]
    options += ["--continue-on-collection-errors", *(["--strict-skips"] if strict else [])]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, tmp_path],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    counts = done.stdout.splitlines()[-1]
    if strict:
        assert done.returncode == 1
        assert "1 failed, 1 passed, 1 skipped, 1 xfailed, 1 error" in counts
        assert "forbids: Skipped: Chromium is not installed" in done.stdout
    else:
        assert done.returncode == 0
        assert "1 passed, 3 skipped, 1 xfailed" in counts
