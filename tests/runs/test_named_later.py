"""A run of classes without names, begun by a version that did not read an .npz's `class_names`."""

import logging

import numpy as np
import pytest

import kgan
from kgan.data import open_source
from kgan.runs import Run, RunOptions, quality


def write(path, count=2, **names):
    images = np.random.default_rng(0).integers(0, 256, (4 * count, 16, 16), np.uint8)
    np.savez(path, images=images, labels=np.arange(4 * count) % count, **names)


@pytest.mark.slow
def test_it_goes_on_with_the_names_it_has(tmp_path, caplog):
    data = tmp_path / "set.npz"
    write(data)
    options = RunOptions(
        data=str(data), size=(16, 16), filters=1, steps=1, batch_size=4, conditional=True
    )
    Run.create(options, tmp_path / "run").train()
    write(data, class_names=["pear", "apple"])
    caplog.clear()
    Run.open(tmp_path / "run").train(steps=1)
    assert kgan.load_gan(tmp_path / "run").class_names == ["0", "1"]
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert [line for line in said if "have changed" in line] == []
    source = open_source(data, labels=True)
    assert quality.as_counted(source.labels, source, ["0", "1"]).tolist() == [0, 1] * 4
    write(data, 3, class_names=["pear", "apple", "fig"])
    with pytest.raises(kgan.InputError, match=r"of the run, 0, 1\. Received: pear"):
        Run.open(tmp_path / "run").train(steps=1)
