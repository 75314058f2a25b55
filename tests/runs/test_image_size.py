"""Where nobody says a size, a preset makes the data's own, or the next that it can."""

import json

import numpy as np
import pytest

from kgan.cli.main import main
from kgan.runs.image_size import next_size
from kgan.runs.options import RunOptions


@pytest.mark.parametrize(
    ("preset", "own", "next_one"),
    [
        ("dcgan_512", (28, 28, 1), (32, 32, 1)),  # multiples of 16
        ("dcgan", (200, 200, 3), (128, 128, 3)),  # none larger: the largest below
        ("dcgan", (30, 61, 3), (32, 64, 3)),  # multiples of 4, of about the same proportions
    ],
)
def test_the_next_size_is_larger_where_there_is_one(preset, own, next_one, caplog):
    options = next_size(RunOptions(preset=preset, filters=4), own)
    assert options.size == next_one
    said = f"images of {next_one[0]}x{next_one[1]}: {preset} cannot make the data's own "
    assert caplog.messages == [f"{said}{own[0]}x{own[1]}"]


def test_what_was_asked_for_or_is_no_matter_of_size_stays_an_error():
    assert next_size(RunOptions(size=(30, 30)), (30, 30, 3)) is None
    assert next_size(RunOptions(), (32, 32, 3)) is None
    assert next_size(RunOptions(), (50, 500, 3)) is None  # 12x128 at most


def test_a_run_of_such_data_trains_and_remembers_its_size(tmp_path, caplog):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "set.npz", images=rng.integers(0, 256, (8, 18, 18), np.uint8))
    given = ["--filters", "2", "--batch-size", "4", "--steps", "1", "--augment", "none"]
    command = ["train", tmp_path / "set.npz", *given, "--name", "run", "--out", tmp_path]
    assert main([*map(str, command)]) == 0
    assert "images of 20x20: dcgan cannot make the data's own 18x18" in caplog.text
    assert json.loads((tmp_path / "run" / "config.json").read_text())["size"] == [20, 20, 1]
