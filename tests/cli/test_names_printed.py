"""Names that a terminal or a locale does not know: printed as escapes, kept as UTF-8 in files."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import kgan
from kgan.cli.main import main
from kgan.runs import RunOptions
from kgan.runs.directory import make_directory, read_options

pytestmark = pytest.mark.skipif(os.name != "posix", reason="names that are no UTF-8 are POSIX's")
CLASSES = {b"caf\xe9": "caf\\xe9", "\u732b".encode(): "\u732b", b"a\nb": "a\\nb"}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working directory with a folder of three classes of four pictures each."""
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0).integers(0, 256, (12, 16, 16, 3), np.uint8)
    for number, picture in enumerate(noise):
        folder = b"set/" + list(CLASSES)[number % 3]
        os.makedirs(folder, exist_ok=True)
        with open(folder + b"/\xff%d.png" % number, "wb") as file:
            Image.fromarray(picture).save(file, "PNG")
    return tmp_path


@pytest.mark.parametrize("encoding", ["ascii", "cp932", "utf-8"])
def test_a_check_prints_every_name_in_any_encoding(place, monkeypatch, encoding):
    out = io.TextIOWrapper(io.BytesIO(), encoding)
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["data", "check", "set", "-o", "sheet.png"]) == 0
    out.flush()
    lines = out.buffer.getvalue().decode(encoding).splitlines()
    for name in CLASSES.values():
        shown = name.encode(encoding, "backslashreplace").decode(encoding)
        assert [line for line in lines if line.split() == [shown, "4"]]


def test_an_error_is_one_line_whatever_the_name(place, capsys):
    for name in ("a\nb", os.fsdecode(b"\xe9"), "\x1b[31m"):
        assert main(["train", name]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_run_finds_its_data_again_by_the_text_of_its_path(place):
    for name in ("\u732b", os.fsdecode(b"\xe9ta"), "a\\xe9"):
        (place / name).mkdir()
        options = RunOptions(data=str(place / name), split="all")
        make_directory(place / "runs" / name, options)
        config = (place / "runs" / name / "config.json").read_bytes()
        json.dumps(json.loads(config), ensure_ascii=False).encode()  # no surrogate
        assert read_options(place / "runs" / name) == options
        # As an editor of Windows saves it.
        (place / "runs" / name / "config.json").write_bytes(b"\xef\xbb\xbf" + config)
        assert read_options(place / "runs" / name) == options


EVERY_COMMAND = """
import os, sys
from kgan.cli.main import main
small = "--conditional --size 16x16 --filters 2 --steps 1".split()
cat, dog, bytes_ = sys.argv[1:]
run = f"runs/{dog}"
for arguments in (
    ["train", "set", *small, "--name", dog],
    ["train", "--resume", run, "--steps", "1"],
    ["generate", run, "--class", cat, "-n", "2", "-o", "a.png"],
    ["generate", run, "--class", bytes_, "-n", "2", "-o", "b.png"],
    ["export", run, "--onnx", "--saved-model", "--out", "sm"],
    ["export", "--inspect", f"sm/{dog}"],
):
    if main(arguments):
        sys.exit(str(arguments))
"""


@pytest.mark.slow
def test_from_training_to_an_export_under_a_locale_that_knows_ascii_alone(place):
    environment = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}
    environment["PYTHONPATH"] = str(Path(kgan.__file__).parents[1])
    names = ["\u732b".encode(), "\u72ac".encode(), b"caf\xe9"]
    command = [sys.executable, "-c", EVERY_COMMAND, *names]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    assert "runs/\\u72ac" in done.stdout.decode("ascii")
    export = "sm/\u72ac/1"
    assert sorted(os.listdir(os.fsencode(export))) == sorted(
        b"assets README.md fingerprint.pb manifest.json model.onnx samples.png saved_model.pb "
        b"variables".split()
    )
    manifest = json.loads((place / export / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["name"] == "\u72ac"
    assert manifest["labels"]["class_names"] == ["a\nb", "caf\\xe9", "\u732b"]
    assert "0 a\\nb, 1 caf\\xe9, 2 \u732b" in (place / export / "README.md").read_text("utf-8")
    generator = kgan.runtime.Generator(place / export)
    assert generator.generate(2, labels=2).shape == (2, 16, 16, 3)
