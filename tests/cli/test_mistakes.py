"""Wrong use of every command: one clear line on stderr, exit code 2, nothing left behind."""

import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import kgan
from kgan.cli.main import export_main, main


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working directory with one of everything that is wrong."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("not a model\n")
    (tmp_path / "text.keras").write_text("not a model\n")
    (tmp_path / "text.npz").write_text("not an array\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / "few").mkdir()
    Image.fromarray(np.zeros((20, 20), np.uint8)).save(tmp_path / "few" / "one.png")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "notes.txt").touch()
    return tmp_path


@pytest.fixture(scope="module")
def cut_onnx(trained_gan, tmp_path_factory):
    """An .onnx file of which the second half is missing."""
    directory = tmp_path_factory.mktemp("cut")
    whole = (kgan.export.to_onnx(trained_gan, directory / "a").path / "model.onnx").read_bytes()
    path = directory / "cut.onnx"
    path.write_bytes(whole[: len(whole) // 2])
    return path


def error_line(capsys, run, arguments):
    """Runs a command that must fail; returns its one line on stderr."""
    try:
        code = run([str(argument) for argument in arguments])
    except SystemExit as stop:  # argparse's own complaints
        code = stop.code
    captured = capsys.readouterr()
    assert code == 2
    lines = captured.err.splitlines()
    assert len(lines) == 1, captured.err
    assert "Traceback" not in captured.err
    return lines[0]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["draw"], "'draw'"),
        (["train", "missing/"], "No such folder. Received: missing"),
        (["train", "empty"], "No pictures in this folder"),
        (["train", "few"], "a batch of 128. Received: 1"),
        (["train", "few", "--batch-size", "2", "--size", "16x16"], "a batch of 2. Received: 1"),
        (["train", "notes.txt"], "notes.txt"),
        (["train", "text.npz"], "text.npz"),
        (["train", "tfds:no_such_set"], "no_such_set"),
        (["train", "--preset", "dcgan9"], "'dcgan9'"),
        (["train", "--size", "64"], "'64'"),
        (["train", "--size", "8x8"], "8x8"),
        (["train", "--size", "30x30"], "30x30"),
        (["train", "few", "--batch-size", "1", "--size", "512x512"], "512x512"),
        (["train", "--size", "64x64x2"], "keep their 1. Received: 2 channels"),
        (["train", "--size", "64x64x9"], "channels from 1 to 8"),
        (["train", "few", "--size", "64x64x5"], "1 (grey), 3 (RGB) or 4 (RGBA) channels"),
        (["train", "few", "--size", "64x64x4", "--background", "0,0,0"], "give one of them"),
        (["train", "--epochs", "0"], "'0'"),
        (["train", "--steps", "-3"], "-3"),
        (["train", "--minutes", "nan"], "'nan'"),
        (["train", "--epochs", "3", "--steps", "3"], "not allowed with"),
        (["train", "--batch-size", "x"], "'x'"),
        (["train", "--augment", "flop"], "flop"),
        (["train", "--name", "taken", "--out", "."], "This run exists"),
        (["train", "--name", "a", "--out", "notes.txt"], "notes.txt"),
        (["train", "--resume", "empty"], "Not a run"),
        (["train", "--resume", "missing"], "Not a run"),
        (["train", "--resume", "taken", "--size", "64x64", "--seed", "0"], "--size --seed"),
        (["train", "--resume", "taken", "photos/", "--augment", "none"], "DATA --augment"),
        (["generate"], "MODEL"),
        (["generate", "missing"], "No such model"),
        (["generate", "notes.txt"], "notes.txt"),
        (["generate", "text.keras"], "text.keras"),
        (["generate", "empty"], "No trained model"),
        (["generate", "notes.txt", "-n", "0"], "'0'"),
        (["generate", "x" * 300], "name too long"),
        (["train", "x" * 300], "name too long"),
        (["generate", "notes.txt", "-o", "grid.xyz"], "grid.xyz"),
        (["train", "--seed", "4294967296"], "from 0 to 4294967295"),
        (["generate", "notes.txt", "--seed", "-1"], "-1"),
        (["export", "missing"], "No such model"),
        (["export", "notes.txt"], "notes.txt"),
        (["export", "text.keras"], "text.keras"),
        (["export", "missing", "--web", "few"], "empty or does not exist. Received: few"),
        (["export", "missing", "--web", "notes.txt"], "needs a directory. Received: notes.txt"),
        (["export", "missing", "--web-runtime", "few"], "goes with --web. Received: few"),
        (["export", "missing", "--tflite", "--opset", "14"], "--opset is for ONNX"),
        (["export", "missing", "--saved-model", "--no-optimize"], "--no-optimize is for ONNX"),
        (["export", "missing", "--name", "../up"], "not hidden, such as photos. Received: '../up'"),
        (["export", "missing", "--name", ""], "not hidden, such as photos. Received: ''"),
        (["export", "missing", "--name", ".hid"], "not hidden, such as photos. Received: '.hid'"),
        (["export", "--list", "--out", "x"], "--out is for a run or a .keras file"),
        (["export", "--list", "--quantize", "int8"], "--quantize is for a run or a .keras file"),
        (
            ["export", "missing", "--name", "n", "--web", "saved_models/n"],
            "A page cannot be a version of an export",
        ),
        (
            ["export", "missing", "--web", "page", "--web-runtime", "few"],
            "Not an unpacked onnxruntime-web package",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_one_clear_line_and_exit_code_2(place, capsys, arguments, says):
    before = sorted(str(path) for path in place.rglob("*"))
    assert says in error_line(capsys, main, arguments)
    assert sorted(str(path) for path in place.rglob("*")) == before


def test_models_that_cannot_be_used(place, capsys, trained_gan, cut_onnx):
    assert "cut.onnx" in error_line(capsys, main, ["generate", cut_onnx])
    assert "cut.onnx" in error_line(capsys, export_main, [cut_onnx])
    whole = cut_onnx.parent / "a"
    assert "--nice" in error_line(capsys, main, ["generate", whole, "--nice", "2"])
    trained_gan.save("gan.keras")
    trained_gan.generator.save("generator.keras")
    assert "DCGANGenerator" in error_line(capsys, main, ["generate", "generator.keras"])
    assert "from 13 to 21" in error_line(capsys, main, ["export", "gan.keras", "--opset", "99"])
    assert not (place / "saved_models").exists()


def test_places_that_cannot_be_written(place, capsys, trained_gan, cut_onnx):
    trained_gan.save("gan.keras")
    whole = cut_onnx.parent / "a"
    for arguments in (
        ["generate", whole, "-o", "notes.txt/grid.png"],
        ["generate", whole, "--separate", "notes.txt"],
        ["export", "gan.keras", "--out", "notes.txt"],
        ["train", "--size", "16x16", "--filters", "1", "--out", "notes.txt"],
    ):
        assert "notes.txt" in error_line(capsys, main, arguments)


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [["train", "missing/"], ["generate", "text.keras"], ["export", "missing"]]
)
def test_one_line_is_all_that_a_real_process_prints(place, arguments):
    code = "import sys; from kgan.cli.main import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_place(place, capsys, cut_onnx):
    (place / "locked").mkdir(mode=0o555)
    arguments = ["generate", cut_onnx.parent / "a", "-o", "locked/grid.png"]
    assert "locked" in error_line(capsys, main, arguments)


def test_help_is_grouped_and_names_every_option(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["train", "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    for word in ("data:", "model:", "training:", "run:", "--epochs", "--minutes", "--augment"):
        assert word in text


def test_an_export_of_no_run_is_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for words in (["export"], ["export", "--onnx"]):
        assert main(words) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "There is no run in this folder; name one. Received: runs" in line


def test_without_a_command_there_is_help(capsys):
    assert main([]) == 0
    text = capsys.readouterr().out
    for command in ("train", "generate", "export", "evaluate", "explore", "data", "environment"):
        assert f"\n    {command} " in text
