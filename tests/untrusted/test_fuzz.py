"""Hundreds of spoiled exports: each is refused with one line or draws what it promises."""

import subprocess
import sys
from pathlib import Path

import pytest

import kgan

pytestmark = pytest.mark.slow

ROOT = Path(kgan.__file__).parents[1]
LONGEST_SECONDS = 60.0  # a second alone; other work may have the machine
MOST_KILOBYTES = 3_000_000


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """Exports of few weights: one with labels, one whose shapes are computed."""
    place = tmp_path_factory.mktemp("good")
    common = {"image_shape": (16, 16, 1), "latent_dim": 8}
    gans = {
        "classes": kgan.GAN.from_preset(
            "dcgan", filters=2, num_classes=3, class_names=["a", "b", "c"], **common
        ),
        "upsample": kgan.GAN.from_preset("dcgan_upsample", filters=4, **common),
    }
    return {name: kgan.export.to_onnx(gan, place / name).path for name, gan in gans.items()}


@pytest.mark.parametrize(("name", "first"), [("classes", 0), ("upsample", 200)])
def test_spoiled_exports_neither_crash_nor_hang_nor_surprise(good, tmp_path, name, first):
    count = 200
    # A process of its own, so that a crash in native code is seen, and which file it was.
    child = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.untrusted.fuzz_child",
            str(good[name] / "model.onnx"),
            str(tmp_path),
            str(first),
            str(count),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    lines = child.stdout.splitlines()
    assert child.returncode == 0, f"{lines[-1:]} {child.stderr[-2000:]}"
    outcomes = [line.split(" ", 2)[1:] for line in lines[1:-1:2]]
    assert len(outcomes) == count
    assert max(float(seconds) for seconds, _ in outcomes) < LONGEST_SECONDS
    drawn = sum(result == "drawn" for _, result in outcomes)
    assert 10 < drawn < count / 2  # neither is all refused, nor nothing spoiled
    assert int(lines[-1]) < MOST_KILOBYTES
