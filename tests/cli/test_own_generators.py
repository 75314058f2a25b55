"""`kgan-export` of networks that kgan did not make."""

import json

import keras
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf

import kgan
from kgan.cli.main import export_main, main

L = keras.layers


def tour(side=16, latent_dim=8, filters=2):
    """The MNIST tour's generator as its own code has it; 28, 100 and 64 there."""
    base = side // 4
    network = keras.Sequential(
        [
            keras.Input((latent_dim,)),
            *(L.Dense(16 * filters), L.Activation("tanh")),
            *(L.Dense(base * base * 2 * filters), L.BatchNormalization(), L.Activation("tanh")),
            *(L.Reshape((base, base, 2 * filters)), L.UpSampling2D(2)),
            *(L.Conv2D(filters, 5, padding="same"), L.Activation("tanh"), L.UpSampling2D(2)),
            *(L.Conv2D(1, 5, padding="same"), L.Activation("tanh")),
        ]
    )
    random = np.random.default_rng(0)
    for variable in network.variables:
        if variable.path.endswith("moving_variance"):
            variable.assign(random.uniform(0.3, 2, variable.shape))
        elif variable.path.endswith(("moving_mean", "beta")):
            variable.assign(random.normal(0, 0.3, variable.shape))
    return network


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def images_of(place, latents):
    session = onnxruntime.InferenceSession(f"{place}/model.onnx")
    return session.run(["images"], {"latents": latents})[0]


def test_a_generator_is_exported_and_what_was_assumed_is_said(here, capsys):
    network = tour()
    network.save("digits.keras")
    assert export_main(["--onnx", "digits.keras", "--float-output"]) == 0
    *lines, place = capsys.readouterr().out.splitlines()
    assert place == "saved_models/digits/1"
    assert lines[-1].startswith("latents: taken as normal, N(0, 1)")
    latents = kgan.latents.from_seeds(range(4), 8)
    expected = network.predict(latents, verbose=0)
    np.testing.assert_allclose(images_of(place, latents), expected, atol=1e-4)
    assert main(["generate", "saved_models/digits", "-n", "4"]) == 0
    capsys.readouterr()
    assert export_main(["digits.keras", "--onnx", "--latents", "uniform"]) == 0
    assert "latents:" not in capsys.readouterr().out
    manifest = json.loads((here / "saved_models/digits/2/manifest.json").read_text())
    assert manifest["latents"]["distribution"] == "uniform"
    line = error_line(capsys, ["--onnx", "saved_models/digits"])
    assert "This is an export already: digits, version 2, a generator of 16x16x1 pictures" in line


@pytest.mark.slow
def test_weights_alone_are_a_presets_with_its_distribution(here, capsys):
    network = tour()
    network.save_weights("w.weights.h5")
    (here / "w.weights.h5").rename("generator")
    sizes = ["--size", "16x16", "--latent-dim", "8", "--filters", "2"]
    asked = ["--onnx", "generator", "--preset", "dcgan_tanh", *sizes, "--float-output"]
    assert export_main(asked) == 0
    place = capsys.readouterr().out.splitlines()[-1]
    latents = kgan.latents.from_seeds(range(4), 8)
    expected = network.predict(latents, verbose=0)
    np.testing.assert_allclose(images_of(place, latents), expected, atol=1e-4)
    manifest = json.loads((here / place / "manifest.json").read_text())
    assert manifest["training"]["preset"] == "dcgan_tanh"
    assert manifest["latents"]["distribution"] == "uniform"
    assert "assumed" not in manifest["latents"]


def error_line(capsys, arguments):
    assert export_main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_mistakes_are_one_line_and_write_nothing(here, capsys):
    latents = keras.Input((4,))
    keras.Model(latents, L.Reshape((4, 4, 1))(L.Dense(16)(latents))).save("linear.keras")
    kgan.models.DCGANTanhDiscriminator((16, 16, 1), 1).save_weights("d.weights.h5")
    tour().save("whole.h5")
    preset = ["--preset", "dcgan_tanh", "--size", "16x16", "--filters", "1"]
    for arguments, says in (
        (["linear.keras"], "such as --value-range=-1,1"),
        (["linear.keras", "--plain", "--web", "page"], "A page shows images"),
        (["linear.keras", "--filters", "2"], "--filters is for weights alone, with --preset"),
        (["linear.keras", "--plain", "--latents", "uniform", "--float-output"], "float32 already"),
        (["d.weights.h5"], "weights alone: say whose"),
        (["d.weights.h5", *preset], "the weights of dcgan_tanh's discriminator"),
        (["d.weights.h5", "--preset", "dcgan_tanh"], "28x28x1, latents of 100 and filters 64"),
        (["whole.h5", *preset], "a whole network, not weights alone"),
        (["whole.h5", "--preset", "tour"], "Unknown preset"),
    ):
        assert says in error_line(capsys, arguments)
    with pytest.raises(SystemExit) as stop:
        export_main(["whole.h5", "--value-range=1,0"])
    assert stop.value.code == 2
    assert "two numbers, the lower first" in capsys.readouterr().err
    assert not (here / "saved_models").exists()


@pytest.mark.slow
@pytest.mark.parametrize("form", ["keras", "h5", "saved_model"])
def test_the_tours_generator_in_its_own_size(here, capsys, form):
    network = tour(28, 100, 64)
    path = {"keras": "tour.keras", "h5": "tour.h5"}.get(form, "tour")
    if form == "saved_model":
        tf.saved_model.save(network, path)
    else:
        network.save(path)
    assert export_main(["--onnx", path, "--float-output", "--latents", "uniform"]) == 0
    place = capsys.readouterr().out.splitlines()[-1]
    latents = np.random.default_rng(5).uniform(-1, 1, (9, 100)).astype("float32")
    expected = network.predict(latents, verbose=0)
    np.testing.assert_allclose(images_of(place, latents), expected, atol=1e-4)
    assert expected.std() > 0.01
