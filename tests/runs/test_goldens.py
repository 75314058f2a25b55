"""Files that the commit before the rooms were rebuilt wrote load, resume and draw the same."""

import csv
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

import kgan
from kgan.cli.main import main

GOLDENS = Path(__file__).parents[1] / "goldens" / "before_house"  # make.py there wrote them
LEVELS = 1  # another processor adds in another order


@pytest.fixture(scope="module")
def drawn():
    with np.load(GOLDENS / "drawn.npz") as arrays:
        return {name: arrays[name].astype(int) for name in arrays}


@pytest.fixture
def run(tmp_path):
    """A copy, to be trained further."""
    return shutil.copytree(GOLDENS / "run", tmp_path / "run")


def test_they_are_small():
    sizes = [path.stat().st_size for path in GOLDENS.rglob("*")]
    assert sum(sizes) < 1_000_000


@pytest.mark.parametrize("load", [kgan.load_gan, keras.models.load_model])
def test_models_draw_the_same(drawn, load):
    own = load(GOLDENS / "own.keras")
    np.testing.assert_allclose(own.generate(6, seed=2), drawn["own"], atol=LEVELS)
    assert type(own.adversarial_loss).__name__ == "Hinge"
    assert (own.d_steps, own.average.begun_late, own.ema_half_life_images) == (2, True, 100)


def test_an_autoencoder_reconstructs_the_same(drawn):
    model = kgan.load_autoencoder(GOLDENS / "autoencoder.keras")
    shown = model.reconstruct(drawn["shown"].astype(np.uint8))
    np.testing.assert_allclose(shown, drawn["reconstructed"], atol=LEVELS)


def test_an_export_draws_the_same(drawn):
    generator = kgan.runtime.Generator(GOLDENS / "export")
    np.testing.assert_allclose(generator.generate(10, seed=3), drawn["export"], atol=LEVELS)


@pytest.mark.slow
def test_a_run_is_resumed_and_ends_the_same(run, drawn, capsys):
    np.testing.assert_allclose(kgan.load_gan(run).generate(10, seed=3), drawn["run"], atol=LEVELS)
    assert main(["train", "--resume", str(run), "--steps", "5"]) == 0
    assert "12 steps done, 5 more, 17 in all" in capsys.readouterr().err
    resumed = kgan.load_gan(run)
    assert int(resumed.batches_seen) == 17
    # Five steps of training may carry the rounding of another processor further.
    np.testing.assert_allclose(resumed.generate(10, seed=3), drawn["resumed"], atol=4 * LEVELS)
    with (run / "history.csv").open() as file:
        assert [row["batches_seen"] for row in csv.DictReader(file)] == ["12", "17"]


@pytest.mark.slow
def test_a_run_without_a_goal_on_record_says_what_it_does(run, caplog):
    found = kgan.runs.Run.open(run)
    assert found.options.epochs is None
    assert found.options.steps is None
    found.train(steps=1)
    assert not caplog.records  # a length was given
    assert kgan.runs.Run.open(run).options.steps == 13
