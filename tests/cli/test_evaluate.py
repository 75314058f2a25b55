"""`kgan evaluate`: tables, files beside the model, comparisons, memorisation, autoencoders."""

import copy
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import kgan
from kgan.cli.main import main
from kgan.data.choosing import pick
from kgan.metrics import read_evaluation
from kgan.metrics.evaluation import with_error
from kgan.runs import quality
from kgan.runs.directory import read_options
from kgan.runs.reconstruction import compare_images
from tests.metrics.weights import needs_weights
from tests.tiny_features import write_network

SMALL = ["--size", "16x16", "--batch-size", "16", "--filters", "2"]


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    path = write_network(tmp_path_factory.mktemp("features") / "means.onnx")
    return ["--features", str(path), "--features-scale", "unit"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of 8 steps with classes, a twentieth of whose images are held out."""
    out = tmp_path_factory.mktemp("runs")
    given = [*SMALL, "--conditional", "--steps", "8", "--hold-out", "0.05", "--name", "clothes"]
    assert main(["train", *given, "--out", str(out)]) == 0
    return out / "clothes"


def lines_of(capsys, *arguments):
    capsys.readouterr()
    assert main([str(argument) for argument in arguments]) == 0
    return capsys.readouterr().out.splitlines()


def test_figures_of_a_run_stand_in_a_table_and_beside_it(run, features, capsys):
    lines = lines_of(capsys, "evaluate", run, "-n", "100", *features)
    assert [line.split("  ")[0] for line in lines[1:4]] == [
        "kernel distance",
        "sliced wasserstein",
        "frechet distance",
    ]
    assert "held out" in lines[-2]
    assert lines[-1] == str(run / "evaluation.png")
    assert Image.open(run / "evaluation.png").size == (160, 4 * (14 + 20))
    found = read_evaluation(run / "evaluation.json")
    assert (found.model["step"], found.protocol.n_fake, found.protocol.split) == (
        8,
        100,
        "held out",
    )
    assert found.by_class == {}  # 10 of each class are too few
    # Of a model that has never seen the classes' images, by no means good.
    assert found.figures["kernel_distance"].value > 20 * abs(found.figures["kernel_distance"].floor)


def test_held_out_images_are_those_the_run_was_not_trained_on(run):
    options = read_options(run)
    source = kgan.data.open_source(None, image_shape=(16, 16, 1))
    held = quality.held_out(source, options)
    assert 200 < len(held) < 400  # 300 by chance
    rest = quality.to_train_on(source, options)
    assert rest.good == 6000 - len(held)
    apart = {image.tobytes() for image in pick(source, held)[0]}
    assert not apart & {image.tobytes() for image in rest.images}
    # More images move none of the others to the other side.
    few = copy.copy(source)
    few.usable = few.count = 3000
    np.testing.assert_array_equal(quality.held_out(few, options), held[held < 3000])


@pytest.mark.slow
def test_an_export_needs_data_and_carries_its_runs_figures(
    run, features, tmp_path, capsys, monkeypatch
):
    lines_of(capsys, "evaluate", run, "-n", "60", "--metrics", "kernel_distance", *features)
    (tmp_path / "runs").symlink_to(run.parent)
    with monkeypatch.context() as patch:
        patch.chdir(tmp_path)
        os.utime(run / "config.json", (2e9, 2e9))
        said, *_, exported = lines_of(capsys, "export", "--onnx", "--out", tmp_path)
    assert said == f"the newest run: {Path('runs') / run.name}"
    manifest = json.loads((tmp_path / "clothes" / "1" / "manifest.json").read_text())
    figure = read_evaluation(run / "evaluation.json").figures["kernel_distance"]
    kept = manifest["evaluation"]["figures"]["kernel_distance"]
    assert (kept["value"], kept["floor"], kept["halves"]) == (figure.value, figure.floor, [])
    card = (tmp_path / "clothes" / "1" / "README.md").read_text()
    assert f"| kernel distance | {figure.value:.4g} ± " in card
    assert "at 32 pixels" in card
    assert "60 images of the trained weights, seeds from 0, against 60 of the embedded" in card
    assert any(
        "kernel distance" in line for line in lines_of(capsys, "export", "--inspect", exported)
    )
    assert main(["evaluate", exported, *features]) == 2
    assert "Name the data to compare with" in capsys.readouterr().err
    images = kgan.data.open_source(None, image_shape=(16, 16, 1)).images[::30]
    labels = np.arange(6000)[::30] // 600
    np.savez(tmp_path / "data.npz", images=images, labels=labels)
    given = [tmp_path / "data.npz", "-n", "100", "--metrics", "precision_recall", *features]
    lines = lines_of(capsys, "evaluate", exported, *given)
    assert "exported weights" in lines[-2]
    assert (tmp_path / "clothes" / "1" / "evaluation.json").is_file()
    checked = lines_of(capsys, "export", "--inspect", exported)
    assert any("every file has the size and SHA-256" in line for line in checked)


@pytest.mark.slow
def test_figures_of_another_state_are_not_exported(run, features, tmp_path, capsys):
    lines_of(capsys, "evaluate", run, "-n", "60", "--metrics", "kernel_distance", *features)
    path = run / "evaluation.json"
    values = json.loads(path.read_text())
    values["model"]["sha256"] = "0" * 64
    path.write_text(json.dumps(values))
    lines_of(capsys, "export", run, "--out", tmp_path)
    assert "evaluation" not in json.loads(
        (tmp_path / "clothes" / "1" / "manifest.json").read_text()
    )
    path.write_text("{")
    assert main(["export", str(run), "--out", str(tmp_path)]) == 0


@pytest.mark.slow
def test_classes_are_matched_by_name(run, features, tmp_path, capsys):
    source = kgan.data.open_source(None, image_shape=(16, 16, 1))
    for label in (8, 1):  # in another order, and only two of them
        for image in source.images[source.labels == label][:60]:
            place = tmp_path / "d" / source.class_names[label]
            kgan.images.save_png(place / f"{hash(image.tobytes())}.png", image)
    given = ["-n", "60", "--metrics", "kernel_distance", *features]
    lines_of(capsys, "evaluate", run, tmp_path / "d", *given)
    assert set(read_evaluation(run / "evaluation.json").by_class) == {"Bag", "Trouser"}
    (tmp_path / "d" / "Bag").rename(tmp_path / "d" / "Bags")
    assert main(["evaluate", str(run), str(tmp_path / "d"), *given]) == 2
    assert "the model's classes" in capsys.readouterr().err


@pytest.mark.slow
def test_two_models_are_compared_on_the_same_images(run, features, tmp_path, capsys):
    twin = tmp_path / "copy.keras"
    twin.write_bytes((run / "model.keras").read_bytes())
    given = ["-n", "60", "--metrics", "kernel_distance,precision_recall", *features]
    assert main(["evaluate", str(run), "--compare", str(twin), *given]) == 2
    assert "may know what" in capsys.readouterr().err
    source = kgan.data.open_source(None, image_shape=(16, 16, 1))
    np.savez(tmp_path / "d.npz", images=source.images[::40], labels=source.labels[::40])
    lines = lines_of(capsys, "evaluate", run, tmp_path / "d.npz", "--compare", twin, *given)
    assert "differ by no more than the noise" in lines[-2]
    assert lines[-1] == str(run / "comparison.png")
    words = [run, tmp_path / "d.npz", "--compare", twin, *given, "--json"]
    compared = json.loads("".join(lines_of(capsys, "evaluate", *words)))
    assert list(compared["models"]) == [str(run), str(twin)]
    assert compared["sheet"] == str(run / "comparison.png")
    figures = [
        read_evaluation(path).figures
        for path in (run / "evaluation.json", tmp_path / "copy.evaluation.json")
    ]
    assert figures[0] == figures[1]


def test_training_images_are_sought_among_the_generated(run, features, capsys):
    lines = lines_of(capsys, "evaluate", run, "--memorisation", "-n", "50", *features)
    assert re.match(r"by features: \d+ of 50 images \(.*%\) are nearer", lines[0])
    assert "where chance alone gives 1%" in lines[0]
    assert lines[1].startswith("by pixels: ")
    assert lines[-1] == str(run / "memorisation.png")
    words = [run, "--memorisation", "-n", "50", *features, "--json"]
    found = json.loads("".join(lines_of(capsys, "evaluate", *words)))
    assert f"by features: {found['features']['suspicious']} of 50" in lines[0]
    assert found["sheet"] == lines[-1]


def test_figures_are_json_too(run, features, capsys):
    words = [run, "-n", "60", "--metrics", "kernel_distance", *features, "--json"]
    found = json.loads("".join(lines_of(capsys, "evaluate", *words)))
    sheet = found.pop("sheet")
    assert found == json.loads((run / "evaluation.json").read_text(encoding="utf-8"))
    assert sheet == str(run / "evaluation.png")


@pytest.mark.slow
@needs_weights
def test_training_keeps_its_best_state_and_everything_uses_it(tmp_path, capsys, caplog):
    given = [*SMALL, "--steps", "40", "--evaluate-every", "0.001", "--name", "a"]
    assert main(["train", *given, "--out", str(tmp_path)]) == 0
    assert "against the 10% of the pictures that are held out" in capsys.readouterr().err
    run = tmp_path / "a"
    config = json.loads((run / "config.json").read_text())
    assert (config["evaluate_every"], config["hold_out"]) == (0.001, 0.1)
    found = read_evaluation(run / "checkpoints" / "best.evaluation.json")
    assert 500 < found.protocol.n_real < 700
    assert main(["generate", str(run), "-n", "4", "-o", str(tmp_path / "grid.png")]) == 0
    figure, since = found.figures["kernel_distance"], found.model["evaluations_since"]
    why = f"its images were the best, kernel distance {with_error(figure)}"
    if since:
        why += f", and {since} later evaluation"
    assert f"best.keras is used, of step {found.model['step']}: {why}" in caplog.text
    # What trains further goes on from the last state, with the same images held out.
    assert main(["train", "--resume", str(run), "--steps", "2"]) == 0
    assert kgan.runs.load_model(run, best=False).batches_seen.numpy() == 42
    lines_of(capsys, "export", run, "--out", tmp_path / "exports")
    manifest = json.loads((tmp_path / "exports" / "a" / "1" / "manifest.json").read_text())
    assert manifest["evaluation"]["model"]["step"] == manifest["training"]["batches_seen"]


@pytest.mark.slow
@needs_weights
def test_no_better_images_end_a_training(tmp_path, caplog, monkeypatch):
    from kgan.callbacks import measure_quality

    monkeypatch.setattr(measure_quality, "COST", 1e9)
    given = [*SMALL, "--learning-rate", "1e-12", "--early-stop", "1", "--evaluate-every", "0.0001"]
    assert main(["train", *given, "--steps", "500", "--name", "a", "--out", str(tmp_path)]) == 0
    assert "stopped early: no better images in 1 evaluation since" in caplog.text
    assert kgan.runs.load_model(tmp_path / "a", best=False).batches_seen.numpy() < 500


def structural_similarity(left, right, size=11, sigma=1.5):
    """SSIM of two images (H, W, 1) by the formula of Wang et al. 2004, window by window."""
    place = np.arange(size) - (size - 1) / 2
    weights = np.exp(-(place**2) / (2 * sigma**2))
    weights = np.outer(weights, weights) / weights.sum() ** 2
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    found = []
    for top in range(left.shape[0] - size + 1):
        for start in range(left.shape[1] - size + 1):
            x, y = (
                image[top : top + size, start : start + size, 0].astype(float)
                for image in (left, right)
            )
            mx, my = (weights * x).sum(), (weights * y).sum()
            vx, vy = (weights * (x - mx) ** 2).sum(), (weights * (y - my) ** 2).sum()
            both = (weights * (x - mx) * (y - my)).sum()
            found.append(
                (2 * mx * my + c1) * (2 * both + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
            )
    return np.mean(found)


def test_reconstructions_are_judged_by_the_formulas():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (2, 16, 20, 1), np.uint8)
    outputs = np.clip(images + rng.normal(0, 30, images.shape), 0, 255).astype(np.uint8)
    errors, similarities = compare_images(images, outputs)
    mse = ((images.astype(float) - outputs) ** 2).mean(axis=(1, 2, 3)) / 255**2
    np.testing.assert_allclose(errors, mse)
    expected = [structural_similarity(*pair) for pair in zip(images, outputs, strict=True)]
    np.testing.assert_allclose(similarities, expected, rtol=1e-4)


@pytest.mark.slow
def test_an_autoencoder_reconstructs_a_folder_by_name(tmp_path, capsys):
    given = ["--preset", "conv_autoencoder", "--size", "16x16", "--steps", "4", "--name", "codes"]
    assert main(["train", *given, "--out", str(tmp_path)]) == 0
    images = kgan.data.open_source(None, image_shape=(16, 16, 1)).images[:6]
    for index, image in enumerate(images):
        kgan.images.save_png(tmp_path / "test" / "x" / f"bag {index}.png", image)
    run, output = tmp_path / "codes", tmp_path / "out"
    lines = lines_of(capsys, "evaluate", run, tmp_path / "test", "-o", output, "--pairs")
    assert lines[0].startswith("6 pictures (all): MSE ")
    made = np.asarray(Image.open(output / "x" / "bag 3.png"))[..., None]
    outputs = kgan.load_autoencoder(run).reconstruct(images)
    np.testing.assert_allclose(made.astype(int), outputs[3].astype(int), atol=1)
    mse = ((outputs.astype(float) - images) ** 2).mean() / 255**2
    assert float(lines[0].split("MSE ")[1].split()[0]) == pytest.approx(mse, rel=1e-2)
    assert f"PSNR {10 * np.log10(1 / mse):.1f}" in lines[0]
    assert (output / "pairs" / "0001.png").is_file()
    found = json.loads("".join(lines_of(capsys, "evaluate", run, tmp_path / "test", "--json")))
    assert found["mse"] == pytest.approx(mse, rel=1e-5)
    before = (tmp_path / "test" / "x" / "bag 3.png").read_bytes()
    assert main(["evaluate", str(run), str(tmp_path / "test"), "-o", str(tmp_path / "test")]) == 2
    assert "a folder of their own" in capsys.readouterr().err
    assert (tmp_path / "test" / "x" / "bag 3.png").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--metrics", "fid"], "No such metric; there are kernel_distance"),
        (["--features-size", "32"], "--features-size needs --features ONNX. Received: 32"),
        (["--pairs"], "--pairs needs --output DIR"),
        (["--output", "x"], "--output is for an autoencoder"),
        (["--features", "none.onnx"], "none.onnx"),
        (["nowhere"], "No such folder. Received: nowhere"),
        (["--compare", "nowhere"], "No such model. Received: nowhere"),
        (["--memorisation", "--metrics", "recall"], "--memorisation is a report of its own"),
    ],
)
def test_mistakes_are_one_line(run, features, arguments, says, capsys):
    given = features if arguments[0] in ("nowhere", "--compare") else []
    capsys.readouterr()
    assert main(["evaluate", str(run), *arguments, *given]) == 2
    said = capsys.readouterr().err.splitlines()
    assert says in said[-1]
