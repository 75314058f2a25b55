"""A run mirrors its pictures by itself only where they do not care, and says why."""

import numpy as np
import pytest

from kgan.data import mirroring
from kgan.runs import Run, RunOptions, goal, heading

SMALL = {"size": (16, 16), "filters": 1, "preset": "dcgan", "steps": 1, "batch_size": 8}


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    """An array file of noise lit from the left, or of noise alone."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0).integers(0, 200, (500, 16, 16, 1), np.uint8)
    for name, light in (("noise", 0), ("lit", np.linspace(55, 0, 16)[None, None, :, None])):
        np.savez(f"{name}.npz", images=(noise + light).astype(np.uint8))
    np.savez("few.npz", images=noise[:100])
    return tmp_path


def told_of(options):
    return heading.of_options(options, goal.Progress(0, 0.0, 1))["augment"]


def header_of(data, **options):
    run = Run.create(RunOptions(data=data, **SMALL, **options), data[:-4])
    return run.options.augment, told_of(run.options)


@pytest.mark.slow
def test_the_default_asks_the_pictures(pictures, monkeypatch):
    augment, header = header_of("noise.npz")
    assert augment == ["flip"]
    assert header.startswith("flip; mirrored (")
    augment, header = header_of("lit.npz")
    assert augment == []
    assert header.startswith("not mirrored (")
    assert "of 500 pictures told from their mirror images" in header
    monkeypatch.setattr(mirroring, "ask", None)  # a resumed run does not ask again
    assert Run.open("lit").options.augment == []
    assert told_of(Run.open("lit").options) == header


def test_few_are_not_mirrored_and_what_is_said_is_done(pictures):
    augment, header = header_of("few.npz")
    assert augment == []
    assert header.startswith("not mirrored (100 pictures are too few to tell")
    augment, header = header_of("few.npz", augment=["all"])
    assert augment == ["crop", "brightness", "contrast", "saturation", "hue"]
    assert "; not mirrored (100 pictures are too few to tell" in header
    augment, header = header_of("lit.npz", augment=["flip"])
    assert augment == ["flip"]
    assert "mirrored" not in header
