"""tools/try_on_tpu.py, as far as it goes without a TPU."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf

import kgan
from tools import try_on_tpu

ROOT = Path(kgan.__file__).parents[1]


@pytest.mark.slow
def test_what_it_does_is_right_on_any_device(tmp_path, capsys):
    small = {"size": (16, 16), "filters": 2, "batch_size": 16, "steps": 3}
    try_on_tpu.try_on(tf.distribute.get_strategy(), tmp_path, **small, precision="mixed_bfloat16")
    begin, *trained, end = capsys.readouterr().out.splitlines()
    assert begin.startswith("1 replicas")
    assert [line.split(":")[0] for line in trained] == ["3 steps in mixed_bfloat16"] * 2
    assert end.endswith(f"exported: {tmp_path / 'export' / '1'}")


@pytest.mark.slow
def test_without_a_tpu_it_is_one_line():
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "try_on_tpu.py"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert last.startswith("try_on_tpu: No TPU can be used here.")
    assert "Traceback" not in done.stderr
