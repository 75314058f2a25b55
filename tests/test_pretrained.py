"""The generators that ship: whole, small, and what their cards and their manifests say."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import kgan
from kgan.cli.main import main
from kgan.runs import load
from kgan.training.generating import sample

SHIPPED = Path(kgan.__file__).parents[1] / "saved_models"
FASHION, CLOTHES, FACES = (
    SHIPPED / name for name in ("fashion_dcgan", "clothes_dcgan", "faces_dcgan")
)
ALL = [pytest.param(path, id=path.name) for path in (FASHION, CLOTHES, FACES)]
WHOLE = ALL[1:]  # with model.keras


@pytest.mark.parametrize("path", ALL)
def test_its_files_are_those_of_the_manifest(path):
    place = path / "1"
    files = json.loads((place / "manifest.json").read_text())["files"]
    beside = {"manifest.json"} | ({"model.keras"} if path != FASHION else set())
    assert set(files) | beside == {found.name for found in place.iterdir()}
    for name, facts in files.items():
        assert hashlib.sha256((place / name).read_bytes()).hexdigest() == facts["sha256"], name
    card = next(place.glob("*.md")).read_text()  # README.md, or card.md as it was called before
    for said in ("| command |", "kgan train", "minutes |", "| seed | 0 |", "judge sees"):
        assert said in card, said


def test_together_they_are_small():
    assert {path.name for path in SHIPPED.iterdir() if (path / "1").is_dir()} >= {
        FASHION.name,
        CLOTHES.name,
        FACES.name,
    }
    shipped = [path / "1" for path in (FASHION, CLOTHES, FACES)]
    assert sum(file.stat().st_size for place in shipped for file in place.iterdir()) < 12e6


@pytest.mark.parametrize("path", ALL)
def test_it_draws_the_pictures_of_its_sheet(path):
    generator = kgan.runtime.Generator(path)
    made = generator.grid(64)
    sheet = np.asarray(Image.open(path / "1" / "samples.png")).reshape(made.shape)
    assert np.abs(made.astype(int) - sheet).max() <= 1
    assert made.std() > 50


@pytest.mark.parametrize("path", WHOLE)
def test_its_gan_draws_what_its_onnx_file_draws(path):
    """So that what looks into the networks looks into those that draw."""
    gan = load.load_model(path / "1" / "model.keras", compile=False)
    drawn = gan.generate(8, seed=0).astype(int)
    assert np.abs(drawn - kgan.runtime.Generator(path).generate(8, seed=0)).max() <= 1
    asked = {"smile": 1} if path == FACES else 3
    # The discriminator that ships with it chooses among the candidates.
    candidates = {image.tobytes() for image in gan.generate(16, seed=0, labels=asked)}
    best = {image.tobytes() for image in gan.generate(4, seed=0, labels=asked, nice=4)}
    assert len(best) == 4
    assert best < candidates


def test_experiments_find_its_networks_by_its_name(tmp_path):
    sheet = tmp_path / "judged.png"
    options = ["--data", "embedded:clothes", "-n", "4", "-o", str(sheet)]
    assert main(["explore", "judge", str(CLOTHES), *options]) == 0
    assert Image.open(sheet).width > 4 * 28


@pytest.mark.parametrize("path", [FASHION, CLOTHES])
def test_it_has_learned_the_classes(path):
    bags, trousers = (kgan.runtime.Generator(path).generate(16, labels=label) for label in (8, 1))
    wide, narrow = ((made[:, :, 2:26] > 60).mean() for made in (bags, trousers))
    assert wide == pytest.approx(0.55, abs=0.25)
    assert wide > 1.2 * narrow


def test_blond_faces_have_lighter_hair():
    """At the top of the head, above the glasses and the brows."""
    dark, light = (
        kgan.runtime.Generator(FACES).generate(32, labels={"blond": share})[:, 6:10, 12:20].mean()
        for share in (0, 1)
    )
    assert light > dark + 60


def test_the_readmes_command_draws_a_class(tmp_path):
    sheet = tmp_path / "bags.png"
    options = ["--class", "Bag", "-n", "16", "-o", str(sheet)]
    assert main(["generate", str(FASHION), *options]) == 0
    bags = kgan.runtime.Generator(FASHION).generate(16, labels=8)
    np.testing.assert_array_equal(np.asarray(Image.open(sheet)), kgan.images.grid(bags).squeeze())


def test_its_discriminator_chooses_among_its_seeds(tmp_path, capsys):
    assert main(["generate", str(CLOTHES), "--nice", "2", "--precision", "float32"]) == 2
    assert "an export without --nice" in capsys.readouterr().err
    drawn = tmp_path / "nice"
    assert main(["generate", str(CLOTHES), "-n", "2", "--nice", "4", "--separate", str(drawn)]) == 0
    gan = load.load_model(CLOTHES / "1" / "model.keras", compile=False)
    _, seeds = sample(gan, 2, seed=0, nice=4)
    assert {path.name for path in drawn.iterdir()} == {f"seed-{seed:06d}.png" for seed in seeds}
