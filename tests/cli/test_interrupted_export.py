"""An export that is told to stop takes away what it began."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import kgan

ENTRY = "import sys; from kgan.cli.main import main; sys.exit(main())"


@pytest.mark.slow
def test_sigterm_leaves_nothing_behind(trained_gan, tmp_path):
    trained_gan.save(tmp_path / "clothes.keras")
    child = subprocess.Popen(
        [sys.executable, "-c", ENTRY, "export", "clothes.keras"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(kgan.__file__).parents[1])},
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("saved_models/clothes/.kgan-*")):
        assert child.poll() is None, child.stderr.read()[-2000:]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    child.send_signal(signal.SIGTERM)
    _, said = child.communicate(timeout=120)
    assert child.returncode == 1
    assert said.strip().splitlines()[-1] == "kgan: interrupted"
    assert not (tmp_path / "saved_models").exists()
