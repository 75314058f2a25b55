"""`kgan environment`: what a training finds here, against other sources."""

import importlib.metadata
import os
import re
import time

import pytest

import kgan
from kgan.cli import environment
from kgan.cli.main import main
from kgan.training.this_machine import why_no_gpu


@pytest.mark.slow
def test_it_names_versions_processors_room_and_precision_and_trains(capsys, monkeypatch):
    monkeypatch.setattr(environment, "SECONDS", 0.3)
    began = time.monotonic()
    assert main(["environment"]) == 0
    took = time.monotonic() - began
    lines = capsys.readouterr().out.splitlines()
    shown = dict(re.split(r"\s{2,}", line, maxsplit=1) for line in lines)
    assert shown["kgan"] == kgan.__version__
    assert shown["keras"] == importlib.metadata.version("keras")
    assert shown["processors"] == str(len(os.sched_getaffinity(0)))
    assert re.fullmatch(r"[\d.,]+ [MGT]B", shown["disk free here"])
    assert re.fullmatch(r"[\d.,]+ [MGT]B", shown["memory free"])
    # tests/conftest.py keeps bfloat16 from processors; on GPUs it is another.
    assert shown["GPUs"].startswith("none: ") == (shown["--precision auto"] == "float32")
    found = re.match(
        r"([\d,]+) images/s after (\d+) s of compiling, loss D ([\d.]+) G ([\d.]+) \(dcgan, 28x28",
        shown["training"],
    )
    pace, compiling, d_loss, g_loss = (float(text.replace(",", "")) for text in found.groups())
    assert pace > 0
    assert compiling < took
    assert 0 < d_loss < 5 > g_loss > 0  # a few steps from 1.39 and 0.69


@pytest.mark.parametrize(
    ("built", "driver", "visible", "says"),
    [
        (False, True, None, "built without CUDA"),
        (True, False, "0", "no NVIDIA driver"),
        (True, True, "-1", "CUDA_VISIBLE_DEVICES=-1 hides them"),
        (True, True, "", "CUDA_VISIBLE_DEVICES= hides them"),
        (True, True, "0", "kgan[gpu]"),
        (True, True, None, "kgan[gpu]"),
    ],
)
def test_why_there_is_no_gpu(built, driver, visible, says):
    assert says in why_no_gpu(built, driver, visible)
