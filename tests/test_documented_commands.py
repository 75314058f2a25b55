"""The commands that the README and docs/ tell one to type."""

import configparser
import re
import shutil

import numpy as np
import pytest
from PIL import Image

import kgan
from kgan.cli.arguments import given_options
from kgan.cli.main import main, make_export_parser, make_parser
from kgan.cli.train_arguments import check_arguments
from kgan.runs.options import RunOptions
from tests.documents import ROOT, commands, make_photos

OURS = {"kgan": make_parser, "kgan-export": make_export_parser}
# Programs of others: a test of ours would only try them.
NOT_OURS = (
    *("curl", "docker", "hf", "mypy", "npm", "pre-commit", "ruff"),
    "tensorflow_model_server",
)


def kgan_commands():
    """(page, program, words) of every line that runs kgan."""
    return [
        (page, words[0].removeprefix(".venv/bin/"), words[1:])
        for page, words in commands()
        if words[0].removeprefix(".venv/bin/") in OURS
    ]


def test_every_command_is_one_that_kgan_takes():
    """All are parsed, and those of `kgan train` made into a run's options, which check them.

    Not run: they are for minutes to hours, and for data that are not here. What they do is in
    the tests of each option.
    """
    found = kgan_commands()
    assert len(found) > 80
    parsers = {program: make() for program, make in OURS.items()}
    for page, program, words in found:
        try:
            # A seed that the page leaves open.
            parsed = parsers[program].parse_args(["0" if word == "S" else word for word in words])
        except SystemExit:
            pytest.fail(f"{page}: {program} {' '.join(words)}")
        if words[0] == "train" and not parsed.resume:
            check_arguments(parsed)
            RunOptions(**given_options(parsed, RunOptions))


def test_other_commands_are_there():
    """What is installed are this package's extras, and tools have the options that are named."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    for page, words in commands():
        program = words[0].removeprefix(".venv/bin/")
        if program in OURS or program in NOT_OURS:
            continue
        if program == "pip":
            for extras in re.findall(r"\[(.*)\]", words[-1]):
                assert set(extras.split(",")) <= set(setup["options.extras_require"]), page
        elif words[:3] != ["python", "-m", "http.server"]:
            script = ROOT / (words[1] if program == "python" else words[0])
            for option in (word for word in words if word.startswith("--")):
                assert re.search(rf"[ \"]{option}\b", script.read_text("utf-8")), (page, option)


@pytest.mark.slow
def test_the_readmes_commands(tmp_path, monkeypatch):
    """What the README says to type, in its order; the training is short, the networks are small."""
    monkeypatch.chdir(tmp_path)
    make_photos(tmp_path / "photos")
    shutil.copytree(ROOT / "saved_models", tmp_path / "saved_models")
    short = {
        "--size 64x64": "--size 16x16 --preset gan --batch-size 4",
        "--minutes 30": "--steps 2",
    }
    ran = []
    for page, words in commands():
        line = " ".join(words)
        if page != "README.md" or words[0] != "kgan" or {"--web", "serve-page"} & set(words):
            continue  # the page has tests in a browser
        for shown, instead in short.items():
            line = line.replace(shown, instead)
        assert main(line.split()[1:]) == 0, line
        ran.append(words[1])
    assert ran == ["data", "train", "generate", "export", "generate", "generate"]
    for sheet in ("grid.png", "smiles.png"):
        assert np.asarray(Image.open(sheet)).shape[2] == 3
    assert Image.open("bags.png").mode == "L"
    assert kgan.runtime.Generator("saved_models/photos/1").image_shape == (16, 16, 3)
