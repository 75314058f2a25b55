"""Every kind of model on the command line: presets, classes, averages, autoencoders."""

import contextlib
import csv
import json
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest
from PIL import Image

import kgan
from kgan import memory
from kgan.cli.main import main
from kgan.runs import build
from kgan.training import fast_precision
from tests.terminal import COLUMNS, Terminal

TERMINAL = Terminal()  # on which the run of clothes is trained
SMALL = ["--size", "16x16", "--batch-size", "16", "--steps", "6"]


def train(out, name, *arguments):
    assert main(["train", *arguments, *SMALL, "--name", name, "--out", str(out)]) == 0
    return out / name


@pytest.fixture(scope="module")
def clothes(tmp_path_factory):
    """A conditional run on the embedded set, averaged."""
    out = tmp_path_factory.mktemp("runs")
    arguments = ("--conditional", "--filters", "2", "--ema-half-life-images", "64")
    with pytest.MonkeyPatch.context() as patched, contextlib.redirect_stderr(TERMINAL):
        patched.setenv("TERM", "xterm")
        patched.setenv("COLUMNS", str(COLUMNS))
        patched.setattr("kgan.telling.BRIEF", 0.0)  # a fast machine would not show all of it
        return train(out, "clothes", *arguments)


@pytest.fixture(scope="module")
def codes(tmp_path_factory):
    """An autoencoder's run on the embedded set."""
    return train(tmp_path_factory.mktemp("runs"), "codes", "--preset", "conv_autoencoder")


def error_of(capsys, *arguments):
    capsys.readouterr()
    assert main([str(argument) for argument in arguments]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    return lines[0]


def test_the_config_holds_what_was_resolved(clothes, codes):
    config = json.loads((clothes / "config.json").read_text())
    assert (config["conditional"], config["ema_half_life_images"]) == (True, 64)
    gan = kgan.load_gan(clothes)
    assert gan.class_names[0] == "T-shirt/top"
    assert gan.ema_generator is not None
    config = json.loads((codes / "config.json").read_text())
    assert (config["preset"], config["filters"], config["latent_dim"]) == (
        "conv_autoencoder",
        32,
        None,
    )


def test_on_a_terminal_a_training_leaves_its_heading_and_its_last_line(clothes):
    sent, shown = TERMINAL.getvalue(), TERMINAL.screen()
    phases = ("starting TensorFlow", "opening the data", "compiling the step", "drawing a latent")
    places = [sent.index(phase) for phase in phases]
    assert places == sorted(places)
    assert shown[0].startswith("data      the embedded 6,000 pictures")
    assert "images    6,000 of 16x16, grey, 10 classes" in shown
    *heading, last = shown
    assert re.match(r"step 6/6  epoch 1  left 0:00  \d+ images/s  loss D \d", last)
    assert all("/" in line for line in heading if len(line) > COLUMNS)  # paths stay whole
    assert not [line for line in heading if "..." in line]


def test_samples_of_a_conditional_run_have_a_column_a_class(clothes):
    sheet = Image.open(clothes / "samples" / "step-000006.png")
    assert sheet.size == (10 * 18 + 2, 6 * 18 + 2)


def test_generate_draws_a_class_by_name_and_number(clothes, tmp_path, capsys):
    for word in ("Bag", "8"):
        sheet = tmp_path / f"{word}.png"
        arguments = ["generate", str(clothes), "--class", word, "-n", "4", "-o", str(sheet)]
        assert main(arguments) == 0
        expected = kgan.images.grid(kgan.load_gan(clothes).generate(4, labels=8))
        np.testing.assert_allclose(np.asarray(Image.open(sheet)).astype(int), expected[..., 0])
    message = error_of(capsys, "generate", clothes, "--class", "Hat")
    assert "Known: T-shirt/top, Trouser" in message
    assert main(["export", str(clothes), "--onnx", "--out", str(tmp_path)]) == 0
    sheet = tmp_path / "exported.png"
    arguments = ["generate", str(tmp_path / "clothes"), "--class", "Bag", "-n", "4"]
    assert main([*arguments, "-o", str(sheet)]) == 0
    np.testing.assert_allclose(
        np.asarray(Image.open(sheet)).astype(int), expected[..., 0].astype(int), atol=1
    )
    config = json.loads((tmp_path / "clothes" / "1" / "manifest.json").read_text())
    assert config["labels"]["class_names"][8] == "Bag"


@pytest.mark.slow
def test_a_conditional_run_is_resumed(clothes):
    before = int(kgan.load_gan(clothes).batches_seen)
    assert main(["train", "--resume", str(clothes), "--steps", "2"]) == 0
    assert int(kgan.load_gan(clothes).batches_seen) == before + 2


@pytest.mark.slow
def test_an_autoencoder_runs_reconstructs_and_exports(codes, tmp_path, capsys):
    sheets = {path.name for path in (codes / "samples").iterdir()}
    assert sheets == {"step-000000.png", "step-000006.png", "latest.png"}
    with (codes / "history.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert float(row["loss"]) > 0
    sheet = tmp_path / "strip.png"
    assert main(["generate", str(codes), "-n", "8", "-o", str(sheet)]) == 0
    shown = np.asarray(Image.open(sheet))
    model = kgan.load_autoencoder(codes)
    originals = shown[2:18, 2:18][None, ..., None]
    np.testing.assert_array_equal(shown[20:36, 2:18], model.reconstruct(originals)[0, ..., 0])
    assert main(["export", str(codes), "--out", str(tmp_path)]) == 0
    path = tmp_path / "codes" / "1"
    assert {entry.name for entry in path.iterdir()} >= {"encoder.onnx", "decoder.onnx"}
    session = onnxruntime.InferenceSession(path / "encoder.onnx")
    (made,) = session.run(["codes"], {"images": originals})
    np.testing.assert_allclose(made, model.encode(originals), atol=1e-4)
    assert "--pictures DATA" in error_of(capsys, "generate", path)
    assert "for a GAN" in error_of(capsys, "generate", path, "--seed", "1")
    np.save(tmp_path / "originals.npy", originals)
    strip = tmp_path / "exported.png"
    arguments = ["generate", str(path.parent), "--pictures", str(tmp_path / "originals.npy")]
    assert main([*arguments, "-o", str(strip)]) == 0
    again = np.asarray(Image.open(strip)).astype(int)
    np.testing.assert_array_equal(again[2:18, 2:18], originals[0, ..., 0])
    np.testing.assert_allclose(again[20:36, 2:18], shown[20:36, 2:18].astype(int), atol=1)


def test_an_autoencoder_reconstructs_other_pictures(codes, tmp_path, capsys, monkeypatch):
    np.savez(tmp_path / "other.npz", images=np.full((3, 16, 16), 200, np.uint8))
    with monkeypatch.context() as patch:  # a sheet holds each picture and what comes back
        many = SimpleNamespace(count=10**9, image_shape=(16, 16, 1))
        patch.setattr(memory, "free", lambda: 10**9)
        patch.setattr(build, "source_of", lambda *_: many)
        said = error_of(capsys, "generate", codes, "-n", 10**8, "--pictures", "x")
        assert f"fit: -n {10**9 // (2 * 2 * 256)}. Received: -n 100000000" in said
    sheet = tmp_path / "strip.png"
    arguments = ["--pictures", str(tmp_path / "other.npz"), "-o", str(sheet)]
    assert main(["generate", str(codes), *arguments]) == 0
    assert (np.asarray(Image.open(sheet))[2:18, 2:18] == 200).all()
    (tmp_path / "alone.keras").write_bytes((codes / "model.keras").read_bytes())
    assert main(["generate", str(tmp_path / "alone.keras"), *arguments]) == 0
    assert "--pictures DATA" in error_of(capsys, "generate", tmp_path / "alone.keras")


def test_mistakes_are_one_line(clothes, codes, tmp_path, capsys):
    out = ["--out", tmp_path / "runs"]
    for name in ("a", "b"):
        Image.new("L", (8, 8)).save(tmp_path / f"{name}.png")
    assert "no classes" in error_of(capsys, "train", tmp_path, "--conditional", *out)
    message = error_of(capsys, "train", "--preset", "gan", "--conditional", *out)
    assert "these can: r3gan, dcgan, sagan. Received: gan" in message
    message = error_of(capsys, "train", "--preset", "autoencoder", "--filters", "4", *out)
    assert "autoencoder has no filters" in message
    message = error_of(capsys, "train", "--preset", "autoencoder", "--conditional", *out)
    assert "--conditional applies to GANs only" in message
    message = error_of(capsys, "train", "--preset", "sagan", "--size", "28x28", *out)
    assert "8, 16, 32, 64, 128 or 256" in message
    assert "for a GAN" in error_of(capsys, "generate", codes, "--class", "1")
    assert "for an autoencoder" in error_of(capsys, "generate", clothes, "--pictures", tmp_path)
    assert not (tmp_path / "runs").exists()


@pytest.fixture
def folder(tmp_path):
    """24 pictures in three classes, one of them broken."""
    rng = np.random.default_rng(0)
    for index in range(24):
        place = tmp_path / "photos" / "abc"[index % 3]
        place.mkdir(parents=True, exist_ok=True)
        picture = rng.integers(0, 256, (16, 16, 3), np.uint8)
        Image.fromarray(picture).save(place / f"{index}.png")
    (tmp_path / "photos" / "a" / "0.png").write_bytes(b"broken")
    return tmp_path / "photos"


@pytest.mark.slow
def test_an_autoencoder_trains_on_files_that_are_few_or_broken(folder, tmp_path, capsys):
    arguments = [str(folder), "--preset", "conv_autoencoder", "--size", "16x16", "--epochs", "1"]
    name = ["--batch-size", "8", "--name", "ae", "--out", str(tmp_path)]
    assert main(["train", *arguments, *name]) == 0
    assert int(kgan.load_autoencoder(tmp_path / "ae").batches_seen) == 2  # 23 good ones
    assert main(["generate", str(tmp_path / "ae"), "-o", str(tmp_path / "strip.png")]) == 0
    assert Image.open(tmp_path / "strip.png").size == (8 * 18 + 2, 6 * 18 + 2)
    assert "--seed" in error_of(capsys, "generate", tmp_path / "ae", "--seed", "1")


@pytest.mark.slow
def test_a_conditional_run_does_not_resume_on_other_classes(folder, tmp_path, capsys):
    arguments = [str(folder), "--conditional", "--filters", "2", "--size", "16x16"]
    name = ["--batch-size", "8", "--epochs", "1", "--name", "abc", "--out", str(tmp_path)]
    assert main(["train", *arguments, *name]) == 0
    resume = ["train", "--resume", str(tmp_path / "abc"), "--epochs", "1"]
    assert main(resume) == 0
    (folder / "c").rename(folder / "0c")
    assert "no longer those of the run, a, b, c. Received: 0c, a, b" in error_of(capsys, *resume)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "policy", "target"),
    [
        (["--diffaugment"], "color,translation,cutout", None),
        (["--ada", "--diffaugment", "cutout"], "cutout", 0.6),
        (["--ada"], "bgc", 0.6),
    ],
)
def test_diffaugment_is_trained_with_kept_and_resumed(arguments, policy, target, tmp_path):
    run = train(tmp_path, "few", *arguments, "--filters", "2")
    assert main(["train", "--resume", str(run), "--steps", "2"]) == 0
    layer = kgan.load_gan(run).diff_augment
    assert (layer.policy, layer.target) == (policy, target)
    with (run / "history.csv").open() as file:
        row = next(csv.DictReader(file))
    assert ("augment_probability" in row) == (target is not None)


def test_a_policy_that_is_not_known_is_one_line(tmp_path, capsys):
    message = error_of(capsys, "train", "--diffaugment", "colour", "--out", tmp_path / "runs")
    assert "color, translation, cutout, flip" in message
    assert "bgc. Received: 'colour'" in message
    adaptive = ("train", "--ada", "--diffaugment", "none", "--out", tmp_path / "runs")
    assert "Received: --ada and --diffaugment none" in error_of(capsys, *adaptive)
    message = error_of(capsys, "train", "--preset", "autoencoder", "--ada", "--out", tmp_path)
    assert "--ada applies to GANs only" in message


@pytest.mark.slow
def test_the_precision_that_the_machine_computes_fast_stays_with_the_run(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA")
    monkeypatch.setattr(fast_precision, "CPUINFO", tmp_path / "cpuinfo")

    def computed_in(flags, *arguments):
        """What config.json, the header and the layers say after a training."""
        (tmp_path / "cpuinfo").write_text(f"flags : {flags}\n")
        assert main(["train", *arguments]) == 0
        run = next(tmp_path.glob("new*"))
        header = re.search(r"^computes +in (\w+)", capsys.readouterr().err, re.MULTILINE)[1]
        layer = kgan.load_gan(run).generator.get_layer("project")
        stored = json.loads((run / "config.json").read_text())["precision"]
        assert (stored, layer.compute_dtype) == (header, header.removeprefix("mixed_"))
        return stored

    new = ["--filters", "2", *SMALL, "--name", "new", "--out", str(tmp_path)]
    assert computed_in("avx2", *new) == "float32"
    resumed = ("--resume", str(tmp_path / "new"), "--steps", "1")
    shutil.rmtree(tmp_path / "new")
    assert computed_in("avx2 avx512_bf16", *new) == "mixed_bfloat16"
    assert computed_in("avx2", *resumed) == "mixed_bfloat16"


@pytest.mark.slow
def test_precision_stays_with_the_run_and_devices_do_not(tmp_path):
    arguments = ("--precision", "mixed_float16", "--ada", "--filters", "2")
    # In a process of its own: here it would take all four test devices, and the collectives of
    # the tests of two replicas, whose group cannot change in a process.
    command = ["train", *arguments, "--strategy", "mirrored", *SMALL, "--name", "half"]
    code = "import sys; from kgan.cli.main import main; sys.exit(main(sys.argv[1:]))"
    subprocess.run([sys.executable, "-c", code, *command, "--out", str(tmp_path)], check=True)
    run = tmp_path / "half"
    assert json.loads((run / "config.json").read_text())["precision"] == "mixed_float16"
    assert main(["train", "--resume", str(run), "--steps", "2", "--strategy", "none"]) == 0
    gan = kgan.load_gan(run)
    assert gan.generator.get_layer("project").compute_dtype == "float16"
    assert type(gan.d_optimizer).__name__ == "LossScaleOptimizer"
    assert gan.batches_seen.numpy() == 8
    assert kgan.layers.DiffAugment().compute_dtype == "float32"  # the process's own policy is back
    assert main(["export", str(run), "--onnx", "--out", str(tmp_path / "exports")]) == 0
