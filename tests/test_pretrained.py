"""The generator that ships: whole, small, and what its card and its manifest say."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import kgan
from kgan.cli.main import main

PRETRAINED = Path(kgan.__file__).parents[1] / "saved_models" / "fashion_dcgan"


def test_its_files_are_those_of_the_manifest():
    place = PRETRAINED / "1"
    files = json.loads((place / "manifest.json").read_text())["files"]
    assert set(files) | {"manifest.json"} == {path.name for path in place.iterdir()}
    for name, facts in files.items():
        assert hashlib.sha256((place / name).read_bytes()).hexdigest() == facts["sha256"], name
    assert sum(facts["bytes"] for facts in files.values()) < 8e6
    card = (place / "card.md").read_text()
    for said in ("command | kgan train", "minutes |", "| seed | 0 |", "judge sees", "samples.png"):
        assert said in card, said


def test_it_draws_the_pictures_of_its_sheet():
    generator = kgan.runtime.Generator(PRETRAINED)
    made = generator.grid(64)
    sheet = np.asarray(Image.open(PRETRAINED / "1" / "samples.png")).reshape(made.shape)
    assert np.abs(made.astype(int) - sheet).max() <= 1
    assert made.std() > 50


def test_the_readmes_command_draws_a_class(tmp_path):
    sheet = tmp_path / "bags.png"
    options = ["--class", "Bag", "-n", "16", "-o", str(sheet)]
    assert main(["generate", str(PRETRAINED), *options]) == 0
    bags = kgan.runtime.Generator(PRETRAINED).generate(16, labels=8)
    np.testing.assert_array_equal(np.asarray(Image.open(sheet)), kgan.images.grid(bags).squeeze())
    # Bags are wide and trousers are not: it has learned the classes.
    trousers = kgan.runtime.Generator(PRETRAINED).generate(16, labels=1)
    wide, narrow = ((made[:, :, 2:26] > 60).mean() for made in (bags, trousers))
    assert wide == pytest.approx(0.55, abs=0.25)
    assert wide > 1.2 * narrow
