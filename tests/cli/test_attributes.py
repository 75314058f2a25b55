"""Attributes on the command line: from a CSV file to pictures with a smile."""

import json

import numpy as np
import pytest
from PIL import Image

import kgan
from kgan.cli.main import main
from kgan.data.choosing import pick
from kgan.runs import quality
from kgan.runs.directory import read_options
from kgan.runs.exploring import open_subject
from kgan.runs.exploring_data import real_images
from tests.tiny_features import write_network

SMALL = ["--size", "16x16", "--filters", "2", "--batch-size", "16"]


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder of 64 embedded faces and the CSV file of their attributes beside it."""
    place = tmp_path_factory.mktemp("data")
    (place / "faces").mkdir()
    source = kgan.data.open_source("embedded:faces")
    lines = [",".join(["file", *source.attributes.names])]
    for index in range(64):
        Image.fromarray(source.images[index]).save(place / "faces" / f"{index}.png")
        lines.append(",".join([f"{index}.png", *map(str, source.labels[index])]))
    (place / "faces.csv").write_text("\n".join(lines) + "\n")
    return place


@pytest.fixture(scope="module")
def run(pictures, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    given = [str(pictures / "faces"), "--attributes", str(pictures / "faces.csv"), *SMALL]
    given += ["--steps", "4", "--hold-out", "0.3", "--name", "faces", "--out", str(out)]
    assert main(["train", *given]) == 0
    return out / "faces"


def error_of(capsys, *arguments):
    capsys.readouterr()
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as stop:  # argparse's own complaints
        code = stop.code
    assert code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_the_run_keeps_the_file_and_the_model_its_attributes(run, pictures):
    config = json.loads((run / "config.json").read_text())
    assert config["conditional"] is True
    assert config["attributes"] == str((pictures / "faces.csv").resolve())
    gan = kgan.load_gan(run)
    assert gan.attributes.names == ("smile", "glasses", "yaw", "blond")
    assert len(gan.attributes.rows) == 64
    assert (run / "samples" / "step-000004.png").is_file()


@pytest.mark.slow
def test_it_is_resumed_and_started_from(run, pictures, capsys):
    before = int(kgan.load_gan(run).batches_seen)
    assert main(["train", "--resume", str(run), "--steps", "2"]) == 0
    assert int(kgan.load_gan(run).batches_seen) == before + 2
    given = [pictures / "faces", "--attributes", pictures / "faces.csv", "--from", run]
    given += ["--steps", "2", "--name", "second", "--out", run.parent]
    assert main(["train", *map(str, given)]) == 0
    assert kgan.load_gan(run.parent / "second").attributes.names[0] == "smile"
    message = error_of(capsys, "train", pictures / "faces", "--from", run, "--steps", 2)
    assert "no classes" in message


def test_other_columns_are_refused_before_a_word_of_training(run, pictures, capsys, caplog):
    file = pictures / "faces.csv"
    before = file.read_text()
    rows = [line.split(",") for line in before.splitlines()]
    file.write_text("\n".join(",".join([name, *rest, first]) for name, first, *rest in rows))
    message = error_of(capsys, "train", "--resume", run, "--steps", 1)
    file.write_text(before)
    assert "The data's attributes are no longer those of the run, smile, glasses" in message
    assert "changed" not in caplog.text


def test_generate_asks_by_name_of_a_run_and_of_an_export(run, tmp_path, capsys):
    gan = kgan.load_gan(run)
    assert main(["export", str(run), "--onnx", "--out", str(tmp_path)]) == 0
    for model in (run, tmp_path / "faces"):
        sheet = tmp_path / "sheet.png"
        asked = ["--attributes", "Smile=1,yaw=-0.5", "-n", "4", "-o", str(sheet)]
        assert main(["generate", str(model), *asked]) == 0
        expected = kgan.images.grid(gan.generate(4, labels={"smile": 1, "yaw": -0.5}))
        shown = np.asarray(Image.open(sheet)).astype(int)
        np.testing.assert_allclose(shown, expected, atol=1)
        for text, says in (
            ("hat=1", "No such attribute. Known: smile, glasses, yaw, blond. Received: hat"),
            ("smile=3", "smile is a number from 0 to 1. Received: 3"),
            ("smile", "is not numbers by name such as smile=1,yaw=-0.5"),
            ("yaw=nan", "yaw is a number from"),
            ("yaw=0,Yaw=0.5", "yaw is asked for twice. Received: 'yaw' and 'Yaw'"),
        ):
            assert says in error_of(capsys, "generate", model, "--attributes", text)
        message = error_of(capsys, "generate", model, "--class", "1")
        assert "has no classes" in message


def test_a_run_is_looked_into_with_its_attributes(run, tmp_path, capsys):
    sheet = tmp_path / "judged.png"
    assert main(["explore", "judge", str(run), "-n", "3", "-o", str(sheet)]) == 0
    figures = json.loads(sheet.with_suffix(".json").read_text(encoding="utf-8"))
    assert {"real", "generated"} == set(figures["means"])
    message = error_of(capsys, "explore", "interpolate", run, "--class", "1", "-o", sheet)
    assert "has no classes" in message


def test_real_images_are_drawn_by_seed_of_those_held_out(run):
    subject = open_subject(run)
    drawn = [real_images(run, subject, None, 5, seed) for seed in (0, 1, 0)]
    np.testing.assert_array_equal(drawn[0].images, drawn[2].images)
    assert not np.array_equal(drawn[0].images, drawn[1].images)
    options = read_options(run)
    source = kgan.data.open_source(
        options.data, image_shape=(16, 16, 3), labels=True, attributes=options.attributes
    )
    images, labels = pick(source, quality.held_out(source, options))
    for found in drawn[:2]:
        for image, row in zip(found.images, found.labels, strict=True):
            (place,) = np.flatnonzero((images == image).all((1, 2, 3)))
            np.testing.assert_array_equal(row, labels[place])


def test_what_is_not_there_yet_says_so(run, pictures, tmp_path, capsys):
    place = tmp_path / "shards"
    assert main(["data", "pack", "embedded:faces", "-o", str(place)]) == 0
    assert "without attributes: shards hold none of smile" in capsys.readouterr().out
    assert (place / "manifest.json").is_file()


def test_evaluate_asks_for_the_real_pictures_attributes(run, pictures, tmp_path, capsys):
    network = write_network(tmp_path / "means.onnx")
    features = ["--features", network, "--features-scale", "unit", "-n", "8"]
    assert main([str(word) for word in ["evaluate", run, *features]]) == 0
    protocol = json.loads((run / "evaluation.json").read_text())["protocol"]
    assert protocol["labels"] == "those of the real images"
    assert main([str(word) for word in ["evaluate", run, "embedded:faces", *features]]) == 0
    message = error_of(capsys, "evaluate", run, pictures / "faces", *features)
    assert "must have the model's attributes, smile, glasses, yaw, blond" in message
    assert "without smile" in message


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--attributes", "none.csv"], "none.csv"),
        (["--attributes", "FILE", "--preset", "gan"], "these can: r3gan, dcgan, sagan"),
        (["--attributes", "FILE", "--preset", "autoencoder"], "--attributes applies to GANs only"),
        (["--attributes", "FILE", "--balance"], "Classes can be balanced, attributes not"),
    ],
)
def test_what_cannot_be_trained_is_one_line(pictures, tmp_path, capsys, arguments, says):
    arguments = [str(pictures / "faces.csv") if word == "FILE" else word for word in arguments]
    given = [pictures / "faces", *SMALL, *arguments, "--steps", 1, "--out", tmp_path]
    if "autoencoder" in arguments:
        given = [word for word in given if word not in ("--filters", "2")]
    assert says in error_of(capsys, "train", *given)
    assert list(tmp_path.iterdir()) == []


def test_the_embedded_faces_train_with_and_without_attributes(tmp_path):
    for name, more in (("with", ["--conditional", "--ada"]), ("without", [])):
        given = ["embedded:faces", *SMALL, "--steps", "1", *more, "--name", name]
        assert main(["train", *given, "--out", str(tmp_path)]) == 0
        gan = kgan.load_gan(tmp_path / name)
        assert (gan.attributes is None) == (not more)
        config = json.loads((tmp_path / name / "config.json").read_text())
        assert (config["data"], config["augment"]) == ("embedded:faces", [])
    seen = kgan.load_gan(tmp_path / "with").diff_augment.policy.split(",")
    assert "rotation" in seen  # of ADA's; the mirror image of a face has another yaw
    assert not {"flip", "rotate90", "bgc"} & set(seen)
