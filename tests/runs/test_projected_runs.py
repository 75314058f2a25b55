"""Runs with the projected discriminator: options, resume, fine-tuning, and who may judge them."""

import json

import pytest

import kgan
from kgan.cli.main import main
from kgan.runs import RunOptions
from tests.metrics.weights import needs_weights

pytestmark = needs_weights

SMALL = ["--size", "16x20", "--filters", "2", "--latent-dim", "4", "--batch-size", "8"]


def test_the_option_is_part_of_the_presets_name():
    options = RunOptions(preset="sagan", discriminator="projected")
    assert options.preset == "sagan+projected"
    # As config.json gives it back.
    again = RunOptions(preset=options.preset, discriminator=options.discriminator)
    assert again.preset == options.preset


def test_only_what_is_trained_counts_as_a_layer_to_freeze():
    gan = kgan.GAN.from_preset(
        "dcgan", image_shape=(16, 20, 1), filters=2, latent_dim=4, discriminator="projected"
    )
    trained = len(gan.discriminator.trainable_weights)
    gan.freeze_discriminator(1)
    assert gan.frozen_d_layers == ["spectral_judge_0_shrink_32"]
    # Its kernel, and the scale and shift of the normalisation that follows.
    assert len(gan.discriminator.trainable_weights) == trained - 3


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    words = ["--discriminator", "projected", "--steps", "2", "--out", str(out), "--name", "judged"]
    assert main(["train", *SMALL, *words]) == 0
    return out / "judged"


def config(path):
    return json.loads((path / "config.json").read_text(encoding="utf-8"))


@pytest.mark.slow
def test_a_run_is_resumed_and_started_from(run, tmp_path):
    assert config(run)["preset"] == "dcgan+projected"
    assert (config(run)["loss"], config(run)["diffaugment"]) == (
        "hinge",
        "color,translation,cutout",
    )
    assert main(["train", "--resume", str(run), "--steps", "1"]) == 0
    assert kgan.load_gan(run).batches_seen.numpy() == 3
    words = ["--from", str(run), "--steps", "1", "--out", str(tmp_path), "--name", "more"]
    assert main(["train", "--batch-size", "8", "--freeze-d", "1", *words]) == 0
    assert config(tmp_path / "more")["preset"] == "dcgan+projected"
    assert config(tmp_path / "more")["frozen"] == "spectral_judge_0_shrink_32"


@pytest.mark.slow
def test_it_is_not_judged_by_what_its_discriminator_sees_with(run, tmp_path, capsys):
    assert main(["export", str(run), "--onnx", "--out", str(tmp_path), "--name", "judged"]) == 0
    for model in (run, tmp_path / "judged"):
        capsys.readouterr()
        assert main(["evaluate", str(model), "-n", "20"]) == 2
        error = capsys.readouterr().err
        assert "--anyway" in error
        assert str(model) in error
    assert not (run / "evaluation.json").exists()
    assert main(["evaluate", str(run), "--memorisation", "-n", "20"]) == 2
    assert "--anyway" in capsys.readouterr().err
    assert not (run / "memorisation.png").exists()
    words = ["-n", "20", "--metrics", "kernel_distance", "--anyway"]
    assert main(["evaluate", str(run), *words]) == 0
    assert (run / "evaluation.json").exists()


@pytest.mark.slow
def test_an_export_of_networks_of_ones_own_is_not_either(tmp_path, capsys):
    generator = kgan.models.DCGANGenerator((16, 20, 1), latent_dim=4, filters=1)
    judges = kgan.models.ProjectedDiscriminator((16, 20, 1), filters=1)
    export = kgan.export.to_onnx(kgan.GAN(generator, judges), tmp_path / "own")
    assert main(["evaluate", str(export.path), "-n", "20"]) == 2
    assert "--anyway" in capsys.readouterr().err


@pytest.mark.slow
def test_evaluations_in_training_say_what_they_are_worth(tmp_path, caplog):
    words = ["--discriminator", "projected", "--steps", "1", "--evaluate-every", "5"]
    words += ["--out", str(tmp_path), "--name", "watched"]
    assert main(["train", *SMALL, *words]) == 0
    assert "seem better than they are" in caplog.text
