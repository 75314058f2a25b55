"""The commands at work: train, generate, export, and the model in between."""

import contextlib
import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import kgan
from kgan.cli.main import export_main, main
from kgan.data import order, pipeline
from kgan.runs.heading import ORDER
from kgan.training.generating import sample

SMALL = ["--size", "16x16", "--filters", "2", "--batch-size", "16"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """(a run of 30 steps on the embedded set, what its training told)."""
    out, told = tmp_path_factory.mktemp("runs"), io.StringIO()
    with contextlib.redirect_stderr(told):
        assert main(["train", *SMALL, "--steps", "30", "--name", "clothes", "--out", str(out)]) == 0
    return out / "clothes", told.getvalue()


@pytest.fixture(scope="module")
def run(trained):
    return trained[0]


def last_line(capsys):
    return capsys.readouterr().out.splitlines()[-1]


def test_train_leaves_a_whole_run(run):
    assert {entry.name for entry in run.iterdir()} >= {
        "config.json",
        "samples",
        "logs",
        "history.csv",
        "model.keras",
        "curves.csv",
        "curves.png",
    }
    config = json.loads((run / "config.json").read_text())
    assert config["size"] == [16, 16, 1]
    assert config["batch_size"] == 16
    assert config["latent_dim"] == 100
    assert "Fashion-MNIST" in config["source"]
    sheets = {path.name for path in (run / "samples").iterdir()}
    assert sheets >= {"step-000000.png", "step-000030.png", "step-000030.webp", "latest.png"}
    newest = [(run / "samples" / name).read_bytes() for name in ("latest.png", "step-000030.png")]
    assert newest[0] == newest[1]
    assert config["sample_every"] is None  # by time
    with (run / "history.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert float(row["d_loss"]) > 0
    assert any((run / "logs").iterdir())


def test_without_a_terminal_a_training_tells_lines_and_all_that_takes_long(trained):
    run, told = trained
    lines = told.splitlines()
    assert not re.search(r"[\r\x1b]", told)
    names = [line.split()[0] for line in lines]
    begun = lines.index("compiling the step ...")
    assert names[:begun] == [name for name in ORDER if name not in ("augment", "quality")]
    assert f"run       {run}" in lines
    last = next(i for i, line in enumerate(lines) if line.startswith("step 30/30  epoch 1  left"))
    assert {line[:10] for line in lines[begun + 1 : last]} <= {"step 30/30"}
    assert lines[last + 1 :] == [
        *("drawing samples ...", "calibrating ...", "drawing a latent walk ...", "saving ..."),
    ]


@pytest.mark.slow
def test_the_same_command_makes_the_same_weights_however_often_it_draws(run, tmp_path):
    arguments = ["--sample-every", "7", "--name", "again", "--out", str(tmp_path)]
    main(["train", *SMALL, "--steps", "30", *arguments])
    models = [kgan.load_gan(path) for path in (run, tmp_path / "again")]
    for one, other in zip(*(model.weights for model in models), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)
    pictures = [kgan.load_gan(path).generate(4) for path in (run, tmp_path / "again")]
    np.testing.assert_allclose(pictures[0].astype(int), pictures[1].astype(int), atol=1)


def test_generate_from_a_run_a_file_and_an_export_draws_the_same(run, tmp_path, capsys):
    assert main(["export", str(run), "--out", str(tmp_path)]) == 0
    exported = last_line(capsys)
    assert exported == str(tmp_path / "clothes" / "1")
    sheets = []
    for number, model in enumerate((run, run / "model.keras", exported, tmp_path / "clothes")):
        sheet = tmp_path / f"{number}.png"
        assert main(["generate", str(model), "-n", "9", "--seed", "5", "-o", str(sheet)]) == 0
        assert last_line(capsys) == str(sheet)
        sheets.append(np.asarray(Image.open(sheet)).astype(int))
    assert sheets[0].shape == (3 * 18 + 2, 3 * 18 + 2)
    for sheet in sheets[1:]:
        np.testing.assert_allclose(sheet, sheets[0], atol=1)


def test_generate_separate_names_each_picture_by_its_seed(run, tmp_path, capsys):
    directory = tmp_path / "pictures"
    arguments = ["generate", str(run), "-n", "2", "--seed", "7", "--separate", str(directory)]
    assert main(arguments) == 0
    assert last_line(capsys) == str(directory)
    assert sorted(path.name for path in directory.iterdir()) == [
        "seed-000007.png",
        "seed-000008.png",
    ]
    expected = kgan.load_gan(run).generate(2, seed=7)
    picture = np.asarray(Image.open(directory / "seed-000008.png")).astype(int)
    np.testing.assert_allclose(picture, expected[1, ..., 0], atol=1)


def test_generate_nice_keeps_seeds_that_make_the_same_pictures(run, tmp_path):
    directory = tmp_path / "nice"
    assert main(["generate", str(run), "-n", "3", "--nice", "4", "--separate", str(directory)]) == 0
    _, seeds = sample(kgan.load_gan(run), 3, nice=4)
    assert {path.name for path in directory.iterdir()} == {f"seed-{s:06d}.png" for s in seeds}


def test_generating_from_an_export_never_imports_tensorflow(run, tmp_path):
    main(["export", str(run), "--onnx", "--out", str(tmp_path)])
    arguments = ["generate", str(tmp_path / "clothes"), "-o", str(tmp_path / "grid.png")]
    code = (
        "import sys; from kgan.cli.main import main\n"
        f"assert main({arguments!r}) == 0\n"
        "sys.exit(bool({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_kgan_export_chooses_forms_name_opset_and_type(run, tmp_path, capsys):
    common = [str(run), "--out", str(tmp_path), "--name", "mine"]
    licence = ["--licence", "CC0-1.0"]
    assert export_main([*common, "--onnx", "--opset", "15", "--float-output", *licence]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1] == str(tmp_path / "mine" / "1")
    assert printed[0].startswith("onnx: floats within ")
    manifest = json.loads((tmp_path / "mine" / "1" / "manifest.json").read_text())
    assert (manifest["opset"], manifest["output"]["dtype"]) == (15, "float32")
    assert "Fashion-MNIST" in manifest["training"]["data"]
    assert manifest["licence"] == "CC0-1.0"
    assert not (tmp_path / "mine" / "1" / "saved_model.pb").exists()
    assert export_main([*common, "--saved-model"]) == 0
    assert (tmp_path / "mine" / "2" / "saved_model.pb").is_file()
    assert not (tmp_path / "mine" / "2" / "model.onnx").exists()


def test_resume_trains_the_same_model_further(run, tmp_path, capsys):
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("config.json", "model.keras", "history.csv"):
        (copy / name).write_bytes((run / name).read_bytes())
    assert main(["train", "--resume", str(copy), "--steps", "5"]) == 0
    assert last_line(capsys) == str(copy)
    gan = kgan.load_gan(copy)
    assert int(gan.batches_seen) == 35
    assert int(gan.d_optimizer.iterations) == 35
    with (copy / "history.csv").open() as file:
        rows = [(row["epoch"], row["batches_seen"]) for row in csv.DictReader(file)]
    assert rows == [("0", "30"), ("0", "35")]  # two parts of the first epoch


@pytest.mark.slow
def test_a_run_on_a_folder_resumes_from_another_directory(tmp_path, monkeypatch):
    (tmp_path / "photos").mkdir()
    for index in range(16):
        Image.new("RGB", (16, 16), (16 * index,) * 3).save(tmp_path / "photos" / f"{index}.png")
    monkeypatch.chdir(tmp_path)
    assert main(["train", "photos", *SMALL, "--epochs", "1", "--name", "colour"]) == 0
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert main(["train", "--resume", "../runs/colour", "--epochs", "2"]) == 0
    assert int(kgan.load_gan(tmp_path / "runs" / "colour").batches_seen) == 3


def test_another_programs_config_beside_a_model_is_left_alone(run, tmp_path, capsys):
    (tmp_path / "mine.keras").write_bytes((run / "model.keras").read_bytes())
    (tmp_path / "config.json").write_text('{"a": 1}')
    assert main(["export", str(tmp_path / "mine.keras"), "--onnx", "--out", str(tmp_path)]) == 0
    assert last_line(capsys) == str(tmp_path / "mine" / "1")


@pytest.mark.slow
@pytest.mark.parametrize("met", ["before a step", "in training"])
def test_damaged_shards_end_training_with_one_line_and_what_was_learned(
    tmp_path, capsys, monkeypatch, met
):
    if met == "in training":  # blocks of few pictures: the damage lies behind the first batches
        monkeypatch.setattr(pipeline, "LARGEST_CACHE_BYTES", 0)
        monkeypatch.setattr(order, "BLOCK_BYTES", 32 * 400)
    shard = tmp_path / "train.tfrecord-00000-of-00001"
    picture = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (16, 16), np.uint8)).save(
        picture, "PNG"
    )
    value = tf.train.Feature(bytes_list=tf.train.BytesList(value=[picture.getvalue()]))
    example = tf.train.Example(features=tf.train.Features(feature={"image": value}))
    with tf.io.TFRecordWriter(str(shard)) as writer:
        for _ in range(400):
            writer.write(example.SerializeToString())
    written = bytearray(shard.read_bytes())
    written[-20] ^= 255  # one byte that a checksum tells of
    shard.write_bytes(written)
    arguments = ["train", str(shard), *SMALL, "--epochs", "9", "--name", "a", "--out"]
    code = main([*arguments, str(tmp_path)])
    (line,) = [text for text in capsys.readouterr().err.splitlines() if "error" in text]
    assert code == 2
    assert "amaged" in line
    assert shard.name in line
    trained = met == "in training"
    assert ("what was trained so far is saved" in line) == trained
    assert (tmp_path / "a").exists() == trained
    if trained:
        assert int(kgan.load_gan(tmp_path / "a").batches_seen) > 0


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["SIGINT", "SIGTERM"])
def test_a_signal_saves_what_there_is_and_says_how_to_go_on(tmp_path, ending):
    code = "import sys; from kgan.cli.main import main; sys.exit(main(sys.argv[1:]))"
    arguments = ["train", *SMALL, "--name", "cut", "--out", str(tmp_path)]
    # A process that a shell starts in the background ignores SIGINT; this one must not.
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    log = tmp_path / "cut" / "samples"
    for _ in range(600):
        if log.is_dir() and any(log.iterdir()):
            break
        time.sleep(0.1)
    time.sleep(1)
    process.send_signal(signal.Signals[ending])
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1  # not done
    *_, hint, path = output.splitlines()
    assert hint.startswith("interrupted and saved; to go on: ")
    assert hint.endswith(f"kgan train --resume {tmp_path / 'cut'}")
    assert path == str(tmp_path / "cut")
    steps = int(kgan.load_gan(tmp_path / "cut").batches_seen)
    assert steps > 0
    assert main(["train", "--resume", path, "--steps", "2"]) == 0
    assert int(kgan.load_gan(path).batches_seen) == steps + 2


@pytest.mark.slow
def test_a_run_killed_in_its_first_steps_can_be_resumed(tmp_path):
    code = "import sys; from kgan.cli.main import main; sys.exit(main(sys.argv[1:]))"
    arguments = ["train", *SMALL, "--name", "killed", "--out", str(tmp_path)]
    process = subprocess.Popen([sys.executable, "-c", code, *arguments])
    checkpoint = tmp_path / "killed" / "checkpoints" / "last.keras"
    for _ in range(600):
        if checkpoint.exists():
            break
        time.sleep(0.1)
    process.kill()
    process.wait()
    assert main(["train", "--resume", str(tmp_path / "killed"), "--steps", "3"]) == 0
    assert int(kgan.load_gan(tmp_path / "killed").batches_seen) == 3
