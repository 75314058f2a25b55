"""Models of presets whose numbers were mended load, draw and train on as they were saved."""

from pathlib import Path

import numpy as np
import pytest

import kgan

GOLDENS = Path(__file__).parents[1] / "goldens" / "before_doors"  # make.py there wrote them
LEVELS = 1  # another processor adds in another order


@pytest.fixture(scope="module")
def drawn():
    with np.load(GOLDENS / "drawn.npz") as arrays:
        return {name: arrays[name].astype(int) for name in arrays}


@pytest.mark.parametrize("name", ["dcgan_upsample", "dcgan_tanh"])
def test_a_gan_draws_the_same(drawn, name, tmp_path):
    gan = kgan.load_gan(GOLDENS / f"{name}.keras")
    np.testing.assert_allclose(gan.generate(4, seed=0), drawn[name], atol=LEVELS)
    assert (gan.d_update, gan.d_share) == ("joint", 1.0)
    assert not gan.adversarial_loss.one_mean
    gan.save(tmp_path / "again.keras")
    again = kgan.load_gan(tmp_path / "again.keras")
    np.testing.assert_array_equal(again.generate(4, seed=0), gan.generate(4, seed=0))


def test_an_autoencoder_reconstructs_the_same(drawn):
    model = kgan.load_autoencoder(GOLDENS / "conv_autoencoder.keras")
    shown = model.reconstruct(drawn["shown"].astype(np.uint8))
    np.testing.assert_allclose(shown, drawn["conv_autoencoder"], atol=LEVELS)
