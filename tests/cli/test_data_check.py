"""`kgan data check`: what it prints, writes and exits with."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kgan.cli.main import main
from kgan.data.decode import decode


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working directory with a folder of two pictures, 20x20."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (2, 20, 20, 3), np.uint8)
    for index, picture in enumerate(noise):
        Image.fromarray(picture).save(tmp_path / "photos" / f"{index}.png")
    return tmp_path


def entries(place):
    return sorted(str(path.relative_to(place)) for path in place.rglob("*"))


def test_a_sound_folder_is_0_and_the_last_line_is_the_sheet(place, capsys):
    before = entries(place)
    assert main(["data", "check", "photos/", "--size", "20x20"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[-2:] == ["2 pictures that training can use, as 20x20x3", "photos-check.png"]
    assert entries(place) == sorted([*before, "photos-check.png"])


def test_pictures_that_training_would_skip_are_1(place, capsys):
    (place / "photos" / "cut.png").write_bytes(b"")
    assert main(["data", "check", "photos"]) == 1
    printed = capsys.readouterr().out
    assert "photos/cut.png: an empty file" in printed
    assert "remark: smaller than 64x64, scaled up (2)" in printed
    assert (place / "photos-check.png").is_file()


def test_the_report_is_json_too(place, capsys):
    (place / "photos" / "cut.png").write_bytes(b"")
    shutil.copy(place / "photos" / "0.png", place / "photos" / "again.png")
    assert main(["data", "check", "photos", "--size", "20x24", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    names = [str(Path("photos") / name) for name in ("0.png", "1.png", "again.png", "cut.png")]
    facts = {"format": "PNG", "channels": "colour", "size": [20, 20]}
    assert found["image_shape"] == [20, 24, 3]
    assert found["images"] == [{"file": names[index]} | facts for index in (0, 1, 2)]
    assert found["problems"] == [[names[3], "an empty file"]]
    assert found["same"] == [[names[0], names[2]]]
    assert not (place / "photos-check.png").exists()
    assert main(["data", "check", "photos", "--json", "-o", "a.png"]) == 2
    assert "--json draws no sheet. Received: --output a.png" in capsys.readouterr().err


def test_a_folder_of_broken_pictures_alone_is_1_without_a_sheet(place, capsys):
    (place / "bad").mkdir()
    (place / "bad" / "a.png").write_bytes(b"")
    assert main(["data", "check", "bad", "-o", "sheet.png"]) == 1
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1] == "0 pictures that training can use, as 64x64x3; it skips 1"
    assert not (place / "sheet.png").exists()


def test_the_options_are_those_of_training(place, capsys):
    arguments = "--size 12x30x1 --fit pad --background 9,9,9 --augment none -o new/sheet.png"
    assert main(["data", "check", "photos", *arguments.split()]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "new/sheet.png"
    sheet = np.asarray(Image.open(place / "new" / "sheet.png"))
    for index in range(2):
        expected = decode(place / "photos" / f"{index}.png", (12, 30, 1), "pad", (9, 9, 9))[..., 0]
        left = 2 + index * 32
        np.testing.assert_array_equal(sheet[2:14, left : left + 30], expected)
        np.testing.assert_array_equal(sheet[16:28, left : left + 30], expected)


def test_arrays_lists_and_other_shards_are_checked_as_training_reads_them(place, capsys):
    noise = np.random.default_rng(1).integers(0, 256, (4, 20, 20, 1), np.uint8)
    np.savez(place / "a.npz", images=noise[[0, 1, 2, 3, 0]], labels=[0, 1, 1, 1, 1])
    assert main(["data", "check", "a.npz", "--augment", "none"]) == 0
    printed = capsys.readouterr().out
    assert "array   grey             5" in printed
    assert "  picture 0, picture 4" in printed  # the same
    assert printed.splitlines()[-1] == "a-check.png"
    sheet = np.asarray(Image.open(place / "a-check.png"))
    np.testing.assert_array_equal(sheet[2:22, 2:22], noise[0, ..., 0])

    (place / "photos" / "2.png").write_bytes((place / "photos" / "0.png").read_bytes()[:90])
    rows = "file_name,label\nphotos/0.png,a\nphotos/1.png,b\nphotos/2.png,a\n"
    (place / "list.csv").write_text(rows, encoding="utf-8")
    assert main(["data", "check", "list.csv", "--size", "20x20", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    names = [str(place / "photos" / f"{n}.png") for n in range(3)]
    assert [image["file"] for image in found["images"]] == names[:2]
    assert found["classes"] == {"a": 1, "b": 1}
    assert [name for name, _ in found["problems"]] == names[2:]


def test_no_sheet_goes_into_the_folder_itself(place, monkeypatch, capsys):
    before = entries(place)
    for output in ("photos/sheet.png", "photos/new/sheet.png"):
        assert main(["data", "check", "photos", "-o", output]) == 2
        assert "one of the pictures" in capsys.readouterr().err
    monkeypatch.chdir(place / "photos")
    assert main(["data", "check", "."]) == 0
    assert "no preview" in capsys.readouterr().out.splitlines()[-1]
    assert main(["data", "check", ".", "-o", "../here.png"]) == 0
    assert entries(place) == sorted([*before, "here.png"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["data"], "COMMAND"),
        (["data", "draw"], "'draw'"),
        (["data", "check"], "DATA"),
        (["data", "check", "missing/"], "No such folder. Received: missing"),
        (["data", "check", "empty"], "No pictures in this folder"),
        (["data", "check", "photos/0.png"], "embedded:faces. Received: photos/0.png"),
        (["data", "check", "x" * 300], "name too long"),
        (["data", "check", "loop"], "loop"),
        (["data", "check", "photos", "--feature", "x"], "feature applies to hf:PATH, TFRecord"),
        (["data", "check", "a.npy"], "No such file"),
        (["data", "check", "photos", "--size", "64"], "'64'"),
        (["data", "check", "photos", "--size", "0x4"], "'0x4' is not a size"),
        (["data", "check", "photos", "--augment", "flop"], "flop"),
        (["data", "check", "photos", "-o", "sheet.jpg"], "sheet.jpg"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_mistake_is_one_line_and_2(place, capsys, arguments, says):
    (place / "empty").mkdir()
    (place / "loop").symlink_to("loop")
    before = entries(place)
    try:
        code = main(arguments)
    except SystemExit as stop:  # argparse's own complaints
        code = stop.code
    captured = capsys.readouterr()
    assert code == 2
    (line,) = captured.err.splitlines()
    assert says in line
    assert captured.out == ""
    assert entries(place) == before


def test_a_place_that_cannot_be_written_is_named_after_the_report(place, capsys):
    (place / "notes.txt").write_text("a file")
    assert main(["data", "check", "photos", "-o", "notes.txt/sheet.png"]) == 2
    captured = capsys.readouterr()
    assert "Cannot write there" in captured.err
    assert "2 pictures that training can use" in captured.out


@pytest.mark.slow
def test_a_real_process_prints_nothing_but_the_report(place):
    code = "import sys; from kgan.cli.main import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "data", "check", "photos"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout.splitlines()[-1] == "photos-check.png"


@pytest.mark.parametrize("command", [["data"], ["data", "check"]])
def test_help_is_instant_and_tells_the_exit_codes(command, capsys):
    code = (
        "import sys; from kgan.cli.main import main\n"
        f"try: main({[*command, '--help']!r})\n"
        "except SystemExit as stop: assert not stop.code\n"
        "sys.exit(bool({'tensorflow', 'keras', 'imagehash', 'scipy'} & set(sys.modules)))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    assert "check" in finished.stdout
    if "check" in command:
        assert "Exit code: 0" in finished.stdout
