"""`kgan train` and `kgan evaluate` on transparent pictures, deep arrays and many channels."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import kgan
from kgan.cli.main import main
from kgan.runs.directory import read_options
from tests.data.test_transparency import disc
from tests.tiny_features import write_network

pytestmark = pytest.mark.slow
SMALL = ["--steps", "2", "--filters", "2", "--batch-size", "8", "--augment", "none"]


@pytest.fixture
def features(tmp_path):
    path = write_network(tmp_path / "means.onnx")
    return ["--features", str(path), "--features-scale", "unit"]


@pytest.fixture
def discs(tmp_path, monkeypatch):
    """Forty transparent pictures of 16x16; the working directory is around them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "icons").mkdir()
    for index in range(40):
        image = disc(16, (index * 6, 255 - index * 3, 40))
        Image.fromarray(image).save(tmp_path / "icons" / f"{index}.png")
    return tmp_path / "icons"


def header(capsys, *arguments):
    """What a training prints, its header among it."""
    capsys.readouterr()
    assert main(["train", *arguments, *SMALL, "--out", "runs"]) == 0
    told = capsys.readouterr()
    return told.out + told.err


def test_icons_are_trained_drawn_measured_and_resumed(discs, features, capsys):
    told = header(capsys, "icons", "--size", "16x16x4", "--name", "icons")
    assert "; transparency kept\n" in told
    options = read_options("runs/icons")
    assert (options.size, options.transparency) == ((16, 16, 4), "transparency kept")
    assert Image.open("runs/icons/samples/step-000002.png").mode == "RGBA"
    assert main(["train", "--resume", "runs/icons", "--steps", "1"]) == 0
    assert main(["evaluate", "runs/icons", "-n", "16", *features]) == 0
    assert "over white" in capsys.readouterr().out
    protocol = json.loads(Path("runs/icons/evaluation.json").read_text())["protocol"]
    assert protocol["data"] == "folder icons, 40 pictures, over white"
    assert Image.open("runs/icons/evaluation.png").mode == "RGB"
    few = ["evaluate", "runs/icons", "-n", "16", "--compare", "runs/icons/model.keras"]
    assert main([*few, *features]) == 0
    assert Image.open("runs/icons/comparison.png").mode == "RGB"
    capsys.readouterr()
    assert main(["explore", "interpolate", "runs/icons", "-o", "walk.png"]) == 0
    assert Image.open("walk.png").mode == "RGB"  # over a checkerboard


def test_without_a_fourth_channel_nothing_is_new_but_the_header(discs, capsys):
    told = header(capsys, "icons", "--size", "16x16", "--name", "filled")
    assert "; transparency filled with 255,255,255 (--size HxWx4 keeps it)\n" in told
    assert read_options("runs/filled").size == (16, 16, 3)
    assert Image.open("runs/filled/samples/step-000002.png").mode == "RGB"


def test_five_channels_of_sixteen_bits_train_and_are_not_measured(
    discs, features, capsys, monkeypatch
):
    images = np.random.default_rng(0).integers(0, 2**16, (24, 16, 16, 5), np.uint16)
    np.save("five.npy", images)
    told = header(capsys, "five.npy", "--name", "five")
    assert "sheets show the 5 channels side by side, each as grey" in told
    assert Image.open("runs/five/samples/step-000002.png").size == (8 * (5 * 16 + 2) + 2, 146)
    assert main(["generate", "runs/five", "-n", "3"]) == 0
    assert np.load("images.npy").shape == (3, 16, 16, 5)
    for command in (
        ["evaluate", "runs/five", *features],
        ["evaluate", "runs/five", "--memorisation", *features],
        ["train", "five.npy", *SMALL, "--evaluate-every", "1", "--out", "runs", "--name", "no"],
    ):
        capsys.readouterr()
        assert main(command) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "Only pictures are measured" in line
    assert not (discs.parent / "runs" / "no").exists()
    assert kgan.load_gan("runs/five").image_shape == (16, 16, 5)
