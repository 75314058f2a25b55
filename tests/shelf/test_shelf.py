"""Exports inspected, listed and deleted, by function and by command."""

import hashlib
import json
import shutil
import subprocess
import sys
import threading

import onnx
import pytest

import kgan
from kgan import shelf
from kgan.cli.main import main
from tests.untrusted.test_promise import AUTOENCODER, NETWORK, PROBE
from tests.untrusted.tiny import model, promise


@pytest.fixture(scope="module")
def made(trained_gan, tmp_path_factory):
    """saved_models with a generator in two versions and an autoencoder."""
    place = tmp_path_factory.mktemp("made")
    kgan.export.export(
        trained_gan,
        place / "clothes",
        saved_model=False,
        training={"data": "Fashion-MNIST"},
        licence="CC0 | mine",
    )
    kgan.export.export(trained_gan, place / "clothes")
    autoencoder = kgan.Autoencoder.from_preset("conv_autoencoder", image_shape=(8, 8, 3))
    kgan.export.to_onnx(autoencoder, place / "codes")
    return place


@pytest.fixture
def place(made, tmp_path):
    """A copy of it, with what is no export among it."""
    shutil.copytree(made, tmp_path / "saved_models")
    place = tmp_path / "saved_models"
    (place / "notes").mkdir()
    (place / "grid.png").write_bytes(b"")
    (place / ".hidden").mkdir()
    (place / "broken" / "1").mkdir(parents=True)
    (place / "broken" / "1" / "manifest.json").write_text('{"format": "kgan-export"')
    return place


def everything(place):
    """Every file below, with what is in it."""
    return {
        str(path.relative_to(place)): path.read_bytes()
        for path in place.rglob("*")
        if path.is_file()
    }


def error_line(capsys, arguments):
    """Runs a command that must fail; returns its one line on stderr."""
    assert main([str(argument) for argument in arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    return line


def shown(lines):
    """First word of each line -> the rest."""
    rows = (line.strip().partition("  ") for line in lines)
    return {key: value.strip() for key, _, value in rows}


def test_a_file_describes_itself(made, tmp_path, capsys):
    alone = tmp_path / "alone.onnx"
    shutil.copy(made / "clothes" / "1" / "model.onnx", alone)
    assert main(["export", "--inspect", str(alone)]) == 0
    printed = capsys.readouterr().out.splitlines()
    rows = shown(printed)
    assert printed == shelf.inspect(alone)
    assert printed[0] == str(alone)
    graph = onnx.load(alone).graph
    assert rows["operators"].startswith(f"{len(graph.node)}: ")
    # Of the two, the one of 16 channels became its phases.
    assert sum(node.op_type == "ConvTranspose" for node in graph.node) == 1
    assert "1 ConvTranspose" in rows["operators"]
    assert rows["size"] == f"{alone.stat().st_size / 1000:.1f} kB"
    assert rows["opset"] == "17"
    assert rows["input"] == "latents float32 (batch, 8)"
    assert rows["output"] == "images uint8 (batch, 16, 20, 1)"
    assert "those of its manifest" in rows["contract"]
    assert rows["kind"] == "generator of 16x20x1 pictures"
    assert rows["latents"] == "8, normal"
    assert rows["latent of a seed"] == kgan.latents.law(8)
    assert rows["values"] == "uint8, 0 (black) to 255 (white)"
    assert rows["data"] == "Fashion-MNIST"
    assert rows["licence"] == "CC0 | mine"
    assert rows["kgan"] == kgan.__version__
    assert rows["batches seen"] == "24"
    assert "floats within" in rows["parity of onnx"]
    assert "tensorflow" in rows


def test_alone_in_an_empty_folder_it_draws(made, tmp_path):
    (tmp_path / "empty").mkdir()
    alone = tmp_path / "empty" / "alone.onnx"
    shutil.copy(made / "clothes" / "1" / "model.onnx", alone)
    code = (
        "import sys, kgan\n"
        "made = kgan.runtime.Generator('alone.onnx').generate(3, seed=7)\n"
        "import hashlib; print(hashlib.sha256(made.tobytes()).hexdigest())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=alone.parent, capture_output=True, text=True, check=True
    )
    expected = kgan.runtime.Generator(made / "clothes" / "1").generate(3, seed=7)
    assert done.stdout.strip() == hashlib.sha256(expected.tobytes()).hexdigest()


def test_the_manifest_in_the_file_says_all(made):
    manifest = kgan.runtime.Generator(made / "clothes" / "1").info
    assert manifest["opset"] == 17
    assert manifest["licence"] == "CC0 | mine"
    assert manifest["training"]["data"] == "Fashion-MNIST"
    assert manifest["versions"].keys() >= {"kgan", "tensorflow", "keras"}
    assert manifest["parity"]["onnx"]["float_max_abs_difference"] <= 1e-4
    assert {"law", "distribution", "dim"} <= manifest["latents"].keys()
    assert "| licence | CC0 \\| mine |" in (made / "clothes" / "1" / "README.md").read_text()


def test_directories_are_inspected_against_their_files(place):
    rows = shown(shelf.inspect(place / "clothes"))
    assert rows["export"] == "clothes, version 2"
    assert rows["checked"] == "every file has the size and SHA-256 of the manifest"
    assert shown(shelf.inspect(place / "clothes" / "latest"))["export"] == "clothes, version 2"
    assert shown(shelf.inspect(place / "clothes" / "1"))["export"] == "clothes, version 1"
    codes = shelf.inspect(place / "codes")
    assert str(place / "codes" / "1" / "encoder.onnx") in codes
    assert shown(codes)["codes"] == "2x2x16"
    encoder, decoder = (
        shown(shelf.inspect(place / "codes" / "1" / f"{half}.onnx"))
        for half in ("encoder", "decoder")
    )
    assert encoder["input"] == "images uint8 (batch, 8, 8, 3)"
    assert decoder["input"] == "codes float32 (batch, 2, 2, 16)"
    (place / "clothes" / "2" / "README.md").write_text("other words")
    (place / "clothes" / "2" / "samples.png").unlink()
    (place / "clothes" / "2" / "more.txt").write_text("")
    rows = shown(shelf.inspect(place / "clothes"))
    assert rows["not as exported"] == "README.md"
    assert rows["missing"] == "samples.png"
    assert rows["not in the manifest"] == "more.txt"
    assert "checked" not in rows


def test_what_a_terminal_would_obey_is_only_shown(tmp_path):
    spoiled = promise() | {"name": "\x1b[2Jgone\nnext", "training": {"\x07data": "\x9b31m"}}
    (tmp_path / "a.onnx").write_bytes(model(info=spoiled).SerializeToString())
    lines = shelf.inspect(tmp_path / "a.onnx")
    assert all(line.isprintable() for line in lines)
    assert any("gone" in line for line in lines)


@pytest.mark.parametrize(
    ("spoiled", "shown_as"),
    [
        (PROBE | {"classes": PROBE["classes"] | {"attributes": [1]}}, "2: 0 a, 1 b"),
        (AUTOENCODER | {"labels": {"attributes": [1]}}, None),
        (NETWORK | {"encoder": 5}, None),
    ],
    ids=["probe", "autoencoder", "network"],
)
def test_fields_that_a_kind_does_not_have_are_passed_over(tmp_path, spoiled, shown_as):
    (tmp_path / "manifest.json").write_text(json.dumps(spoiled), encoding="utf-8")
    rows = shown(shelf.inspect(tmp_path))
    assert rows["kind"].split()[0] == spoiled["kind"]
    assert rows.get("classes") == shown_as
    assert "attributes" not in rows
    assert "encoder" not in rows


def test_inspecting_what_is_no_export(place, capsys):
    (place / "cut.onnx").write_bytes((place / "clothes" / "1" / "model.onnx").read_bytes()[:5000])
    assert "cut.onnx" in error_line(capsys, ["export", "--inspect", place / "cut.onnx"])
    assert "Not an export" in error_line(capsys, ["export", "--inspect", place / "notes"])
    assert "Not an export" in error_line(capsys, ["export", "--inspect", place / "missing"])
    assert "Not the manifest" in error_line(capsys, ["export", "--inspect", place / "broken"])


def test_for_programs_both_are_json(place, capsys):
    def answer(*words):
        assert main(["export", *map(str, words), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    listed = {each["name"]: each for each in answer("--list", place)}
    assert listed["clothes/2"]["forms"] == ["onnx", "saved_model"]
    assert listed["clothes/2"]["latest"] is True
    assert listed["notes"]["problem"]
    assert listed["notes"]["manifest"] is None
    version = place / "clothes" / "1"
    manifest = json.loads((version / "manifest.json").read_text(encoding="utf-8"))
    found = answer("--inspect", version)
    assert (found["path"], found["manifest"]) == (str(version), manifest)
    assert found["differences"] == []
    assert found["files"] == manifest["files"]
    alone = answer("--inspect", version / "model.onnx")
    assert alone["onnx"] == found["onnx"]
    assert alone["onnx"]["model.onnx"]["bytes"] == (version / "model.onnx").stat().st_size
    assert alone["manifest"]["output"] == manifest["output"]
    (version / "README.md").write_text("more", encoding="utf-8")
    (version / "new.txt").write_text("", encoding="utf-8")
    changed = answer("--inspect", version)["differences"]
    assert changed == [["not as exported", "README.md"], ["not in the manifest", "new.txt"]]
    line = error_line(capsys, ["export", "--delete", "clothes/1", "--out", place, "--json"])
    assert "--json goes with --inspect or --list. Received: clothes/1" in line
    assert version.is_dir()


def test_the_list_has_every_version_and_says_what_is_none(place, capsys):
    listed = {each.name: each for each in shelf.list_exports(place)}
    assert list(listed) == ["broken/1", "clothes/1", "clothes/2", "codes/1", "notes"]
    assert listed["clothes/1"].forms == ("onnx",)
    assert listed["clothes/2"].forms == ("onnx", "saved_model")
    assert [name for name, each in listed.items() if each.latest] == [
        "broken/1",
        "clothes/2",
        "codes/1",
    ]
    files = [path for path in (place / "clothes" / "1").iterdir() if path.is_file()]
    assert listed["clothes/1"].bytes == sum(path.stat().st_size for path in files)
    assert main(["export", "--list", str(place)]) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split() == ["export", "forms", "size", "preset", "pictures", "trained"]
    assert len(lines) == 5
    assert "Not the manifest of a kgan export" in lines[0]
    for part in ("clothes/1 ", " onnx ", "dcgan", "16x20x1", "24 steps", "Fashion-MNIST"):
        assert part in lines[1]
    assert "clothes/2 (latest)" in lines[2]
    assert "onnx + saved_model" in lines[2]
    assert "floats within" in lines[2]
    assert "no manifest.json" in lines[4]


def test_the_list_of_nothing(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "No such directory" in error_line(capsys, ["export", "--list"])
    (tmp_path / "saved_models").mkdir()
    assert main(["export", "--list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_one_version_is_deleted_and_nothing_else(place, capsys):
    before = everything(place)
    assert main(["export", "--delete", "clothes/2", "--out", str(place)]) == 0
    assert capsys.readouterr().out == f"deleted {place / 'clothes' / '2'}\n"
    kept = {name: data for name, data in before.items() if not name.startswith("clothes/2/")}
    assert everything(place) == kept
    assert [entry.name for entry in (place / "clothes").iterdir()] == ["1"]
    shelf.delete(place, "clothes/1")
    assert not (place / "clothes").exists()


@pytest.mark.parametrize(
    ("which", "says"),
    [
        ("clothes", "NAME/VERSION"),
        ("clothes/latest", "NAME/VERSION"),
        ("clothes/01", "NAME/VERSION"),
        ("clothes/1/", "NAME/VERSION"),
        ("../saved_models/clothes/1", "NAME/VERSION"),
        ("../1", "NAME/VERSION"),
        ("/clothes/1", "NAME/VERSION"),
        ("clothes/../codes/1", "NAME/VERSION"),
        ("", "NAME/VERSION"),
        ("clothes/3", "No such export"),
        ("missing/1", "No such export"),
        ("broken/1", "Not the manifest"),
        ("foreign/1", "no manifest.json"),
        ("linked/1", "a link"),
        ("inside/1", "a link"),
    ],
)
def test_what_is_not_deleted(place, capsys, which, says):
    (place / "foreign" / "1").mkdir(parents=True)
    (place / "foreign" / "1" / "thesis.txt").write_text("years of work")
    (place / "linked").symlink_to(place / "clothes")
    (place / "inside").mkdir()
    (place / "inside" / "1").symlink_to(place / "clothes" / "1")
    before = everything(place)
    assert says in error_line(capsys, ["export", "--delete", which, "--out", place])
    assert everything(place) == before


def test_a_foreign_manifest_is_not_enough_to_be_deleted(place):
    (place / "foreign" / "1").mkdir(parents=True)
    (place / "foreign" / "1" / "manifest.json").write_text(json.dumps({"name": "a web app"}))
    with pytest.raises(kgan.InputError, match="Not the manifest of a kgan export"):
        shelf.delete(place, "foreign/1")


def test_one_thing_at_a_time(capsys):
    for arguments in (["model", "--list"], ["--inspect", "a", "--delete", "b/1"]):
        with pytest.raises(SystemExit) as stop:
            main(["export", *arguments])
        assert stop.value.code == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_none_of_it_imports_tensorflow(place):
    code = (
        "import sys; from kgan.cli.main import main\n"
        f"assert main(['export', '--list', {str(place)!r}]) == 0\n"
        f"assert main(['export', '--inspect', {str(place / 'clothes')!r}]) == 0\n"
        f"assert main(['export', '--delete', 'clothes/1', '--out', {str(place)!r}]) == 0\n"
        "sys.exit(bool({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("licence", ["", "  ", "two\nlines", 7])
def test_a_licence_is_one_line(trained_gan, tmp_path, licence):
    with pytest.raises(kgan.InputError, match="licence must be one line of text"):
        kgan.export.export(trained_gan, tmp_path / "a", licence=licence)
    assert not (tmp_path / "a").exists()


def test_a_highest_number_that_holds_no_export_is_named(made, tmp_path):
    shutil.copytree(made / "clothes", tmp_path / "clothes")
    (tmp_path / "clothes" / "98").write_text("a file")  # no version
    for path in (tmp_path / "clothes", tmp_path / "clothes" / "latest"):
        assert kgan.runtime.Generator(path).info["version"] == 2
    (tmp_path / "clothes" / "99").mkdir()
    (export,) = [one for one in shelf.list_exports(tmp_path) if one.latest]
    assert export.name == "clothes/99"
    assert export.problem
    for path in (tmp_path / "clothes", tmp_path / "clothes" / "latest"):
        with pytest.raises(kgan.InputError, match=r"Not an export: .*99, the highest version"):
            kgan.runtime.Generator(path)
    assert kgan.runtime.Generator(tmp_path / "clothes" / "2").info["version"] == 2


def test_versions_are_numbers_as_tensorflow_serving_reads_them(made, tmp_path):
    (tmp_path / "a").mkdir()
    shutil.copytree(made / "clothes" / "1", tmp_path / "a" / "01")
    (tmp_path / "a" / "\u0662").mkdir()  # a digit that is none of ASCII's
    assert kgan.runtime.Generator(tmp_path / "a").path == tmp_path / "a" / "01" / "model.onnx"
    assert [each.name for each in shelf.list_exports(tmp_path)] == ["a/1"]
    assert shelf.delete(tmp_path, "a/1") == tmp_path / "a" / "01"
    assert not (tmp_path / "a" / "01").exists()


def test_a_version_too_high_for_a_server_is_not_written(trained_gan, tmp_path):
    (tmp_path / "a" / str(2**63 - 1)).mkdir(parents=True)
    with pytest.raises(kgan.InputError, match="at most 9223372036854775807, and a higher one is"):
        kgan.export.to_onnx(trained_gan, tmp_path / "a", optimize=False)
    assert [path.name for path in (tmp_path / "a").iterdir()] == [str(2**63 - 1)]


def test_a_list_beside_deletions_shows_what_there_is(made, tmp_path):
    for version in range(1, 61):
        shutil.copytree(made / "clothes" / "1", tmp_path / "a" / str(version))

    def delete():
        for version in range(1, 60):
            shelf.delete(tmp_path, f"a/{version}")

    deleting = threading.Thread(target=delete)
    deleting.start()
    lists = [shelf.list_exports(tmp_path)]
    while deleting.is_alive():
        lists.append(shelf.list_exports(tmp_path))
    deleting.join()
    counts = [len(each) for each in lists]
    assert counts == sorted(counts, reverse=True)
    assert all(each.problem is None for exports in lists for each in exports)
    assert [each.name for each in shelf.list_exports(tmp_path)] == ["a/60"]
