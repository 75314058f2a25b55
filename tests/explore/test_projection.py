"""Projection: generated pictures come back, and what is not a GAN's says so."""

import json

import numpy as np
import pytest
from PIL import Image

import kgan
from kgan import explore
from kgan.cli.main import main
from kgan.errors import InputError
from kgan.explore.projection import psnr


@pytest.mark.parametrize("loss", ["pixels", pytest.param("features", marks=pytest.mark.slow)])
def test_generated_pictures_are_recovered(trained_gan, loss):
    pictures = trained_gan.generate(2, seed=50)
    found = explore.project(trained_gan, pictures, loss=loss, starts=4, steps=200)
    for picture, figure in zip(pictures, found.figures["pictures"], strict=True):
        back = explore.Subject(trained_gan).draw(figure["latent"][None])[0]
        error = np.mean((back.astype(float) - picture) ** 2)
        assert figure["psnr_db"] == pytest.approx(min(99, 10 * np.log10(255**2 / error)))
        assert figure["psnr_db"] > 30
        assert figure["loss"] == min(figure["losses"])
        assert len(figure["losses"]) == 4


def test_a_class_that_is_not_known_is_sought():
    gan = kgan.GAN.from_preset(
        "dcgan", image_shape=(16, 16, 1), latent_dim=4, filters=2, num_classes=2, seed=0
    )
    rng = np.random.default_rng(0)
    for weight in gan.generator.weights:  # classes that differ
        if weight.path.endswith(("gamma", "beta")):
            weight.assign(rng.normal(1.0, 0.5, weight.shape))
    pictures = gan.generate(2, seed=3, labels=[1, 0])
    found = explore.project(gan, pictures, starts=4, steps=150)
    assert [figure["label"] for figure in found.figures["pictures"]] == [1, 0]
    known = explore.project(gan, pictures, starts=2, steps=3, labels=1)
    assert [figure["label"] for figure in known.figures["pictures"]] == [1, 1]


def test_uniform_latents_stay_within_their_bounds(small_gan):
    gan = kgan.GAN(small_gan.generator, small_gan.discriminator, latent_distribution="uniform")
    pictures = np.random.default_rng(0).integers(0, 256, (1, 16, 20, 1), np.uint8)
    found = explore.project(gan, pictures, starts=2, steps=60)
    assert np.abs(found.figures["pictures"][0]["latent"]).max() <= 1.0


def test_psnr():
    black = np.zeros((2, 2), np.uint8)
    assert psnr(black, black) == 99.0
    assert psnr(black, black + 255) == 0.0
    assert psnr(black, [[0, 0], [0, 51]]) == pytest.approx(20.0)  # an error of a hundredth


def test_others_are_refused(small_gan):
    pictures = np.zeros((1, 16, 20, 1), np.uint8)
    with pytest.raises(InputError, match="loss must be one of"):
        explore.project(small_gan, pictures, loss="l1")
    with pytest.raises(InputError, match="steps must be a whole number"):
        explore.project(small_gan, pictures, steps=0)
    with pytest.raises(InputError, match="Images must be uint8"):
        explore.project(small_gan, pictures[:, :8])
    codes = kgan.Autoencoder.from_preset("autoencoder", image_shape=(16, 16, 1))
    with pytest.raises(InputError, match="has an encoder"):
        explore.project(codes, pictures)


def test_the_command(trained_gan, tmp_path, capsys):
    trained_gan.save(tmp_path / "gan.keras")
    (picture,) = trained_gan.generate(1, seed=9)
    Image.fromarray(picture[..., 0]).save(tmp_path / "me.png")
    out = tmp_path / "project.png"
    given = ["explore", "project", str(tmp_path / "gan.keras"), str(tmp_path / "me.png")]
    assert main([*given, "-o", str(out), "--starts", "2", "--steps", "30"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(out)
    (figure,) = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))["pictures"]
    assert figure["name"] == "me.png"
    assert len(figure["latent"]) == 8
    assert main([*given[:3], str(tmp_path / "none.png")]) == 2
