"""Names and messages from files and other programs: a terminal shows them and obeys none."""

import io
import json
import logging
import sys
import warnings

import numpy as np
import pytest
from PIL import Image

from kgan.cli import train
from kgan.cli.main import main
from kgan.streams import Steady
from tests.untrusted.tiny import promise

# Colours, a title, a line's end, the start of the line, another direction, and an 8-bit escape.
HOSTILE = "a\x1b[31m\x1b]0;b\x07\nkgan: error: c\rd\u202ee\x9b2J"


def run_alone(monkeypatch, arguments):
    """Runs a command as in a process of its own, where nothing of pytest's takes what is logged."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    try:
        return main(arguments)
    except SystemExit as stop:
        return stop.code


def set_of(folder, name):
    """Two classes of pictures, one of them broken, all of that name."""
    rng = np.random.default_rng(0)
    for index in range(4):
        file = folder / f"{name}{index % 2}" / f"{name}{index}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8)).save(file)
    (file.parent / f"{name}x.png").write_bytes(file.read_bytes()[:150])
    (file.parent / f"{name}.{name}").write_bytes(b"")
    (folder / f"{name}z").symlink_to(folder)


def shelf_of(folder, name):
    """An export whose manifest says that name wherever it can, and one that is none."""
    place = folder / name / "1"
    place.mkdir(parents=True)
    labels = {"name": "labels", "dtype": "int64", "shape": ["batch"], "num_classes": 1}
    said = {"name": name, "licence": name, "training": {name: name, "data": name, "preset": name}}
    said |= {"labels": labels | {"class_names": [name]}, "versions": {name: name}}
    (place / "manifest.json").write_text(json.dumps(promise() | said))
    (folder / f"{name}2" / "1").mkdir(parents=True)
    (folder / f"{name}2" / "1" / "manifest.json").write_text(json.dumps({"format": name}))


COMMANDS = [
    ["data", "check", "DATA", "-o", "NAME.png"],
    ["data", "pack", "DATA", "-o", "NAME", "--size", "8x8"],
    ["train", "DATA", "--preset", "autoencoder", "--conditional", "--name", "a"],
    ["train", "NAMEq"],
    ["train", "NAME.npz"],
    ["train", "--resume", "NAME"],
    ["generate", "NAME.keras"],
    ["generate", "SHELF/NAME", "--class", "NAME"],
    ["export", "NAME.keras", "--name", "NAME"],
    ["export", "--list", "SHELF"],
    ["export", "--inspect", "SHELF/NAME"],
    ["export", "--inspect", "SHELF/NAME2"],
    ["export", "--delete", "NAME/1"],
    ["NAME"],
    ["train", "-v", "NAMEq"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_line_of_a_command_is_a_line_whatever_the_names(
    tmp_path, monkeypatch, capsys, command
):
    lines = {}
    for name in ("plain", HOSTILE):
        place = tmp_path / str(len(lines))
        set_of(place / name, name)
        shelf_of(place / f"{name}s", name)
        monkeypatch.chdir(place)
        (place / f"{name}.keras").write_bytes(b"")
        (place / f"{name}.npz").write_bytes(name.encode())
        words = {"DATA": name, "SHELF": f"{name}s", "NAME": name}
        arguments = list(command)
        for word, stands_for in words.items():
            arguments = [argument.replace(word, stands_for) for argument in arguments]
        run_alone(monkeypatch, arguments)
        written = capsys.readouterr()
        lines[name] = (written.out + written.err).split("\n")
    assert all(line.isprintable() for line in lines[HOSTILE]), lines[HOSTILE]
    if "-v" not in command:  # a traceback has as many lines as the message
        assert len(lines[HOSTILE]) == len(lines["plain"]), lines[HOSTILE]


@pytest.mark.parametrize("name", ["", "..", ".hidden", "a/b", "/abs", "a\\b", HOSTILE])
def test_a_run_is_named_by_the_rules_of_exports(tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--name", name]) == 2
    run = capsys.readouterr().err
    assert main(["export", "a.keras", "--name", name]) == 2
    assert capsys.readouterr().err == run.replace("a run must", "an export must")
    assert "one directory name, not hidden" in run
    assert not list(tmp_path.iterdir())


def test_what_libraries_say_is_a_line(monkeypatch, capsys):
    def run(arguments):
        logging.getLogger("PIL").warning("read %s", HOSTILE)
        # As `warnings.warn` does where pytest does not take them.
        sys.stderr.write(warnings.formatwarning(HOSTILE, UserWarning, "a.py", 1))
        raise RuntimeError(HOSTILE)  # unforeseen

    monkeypatch.setattr(train, "run", run)
    assert run_alone(monkeypatch, ["train"]) == 1
    logged, warned, *traceback = capsys.readouterr().err.split("\n")
    assert logged.startswith("read a\\x1b[31m")
    assert warned.startswith("UserWarning: a\\x1b[31m")
    assert logged.isprintable()
    assert warned.isprintable()
    assert traceback[0].startswith("Traceback")
    assert all(line.isprintable() for line in traceback)


def test_a_live_line_begins_anew_and_nothing_in_it_does():
    out = io.StringIO()
    Steady(out).rewrite(f"3 of {HOSTILE}")
    assert out.getvalue()[0] == "\r"
    assert out.getvalue()[1:].isprintable()
