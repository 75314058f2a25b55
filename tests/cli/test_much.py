"""Commands that are asked for more than memory holds."""

import errno
import os
import shutil

import numpy as np
import pytest
from PIL import Image

import kgan
from kgan import memory
from kgan.cli import generate
from kgan.cli.main import main


@pytest.fixture(scope="module")
def export(trained_gan, tmp_path_factory):
    place = tmp_path_factory.mktemp("exports") / "photos"
    kgan.export.export(trained_gan, place, saved_model=False)
    return place


def error_line(capsys, arguments):
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_a_sheet_of_too_many_says_how_many_fit_and_what_takes_any(
    export, capsys, monkeypatch, tmp_path
):
    monkeypatch.setattr(memory, "free", lambda: 10**9)
    monkeypatch.chdir(tmp_path)
    line = error_line(capsys, ["generate", str(export), "-n", "1000000000"])
    assert "--separate" in line
    assert "640 GB" in line
    assert f"what would fit: -n {10**9 // (2 * 16 * 20)}" in line
    assert not any(tmp_path.iterdir())


def test_separate_pictures_and_the_sheet_are_those_of_one_call(export, tmp_path, monkeypatch):
    monkeypatch.setattr(generate, "BATCH", 4)
    sheet, folder = tmp_path / "sheet.png", tmp_path / "each"
    command = ["generate", str(export), "-n", "10", "--seed", "5", "-o", str(sheet)]
    assert main([*command, "--separate", str(folder)]) == 0
    expected = kgan.runtime.Generator(export).generate(10, seed=5)
    names = [f"seed-{seed:06d}.png" for seed in range(5, 15)]
    assert sorted(path.name for path in folder.iterdir()) == names
    for name, picture in zip(names, expected, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(folder / name)), picture[..., 0])
    np.testing.assert_array_equal(np.asarray(Image.open(sheet)), kgan.images.grid(expected)[..., 0])


def test_where_it_cannot_be_written_is_named_and_what_cannot_be_read_is_not_told_as_that(
    export, tmp_path, capsys, monkeypatch
):
    (tmp_path / "file").touch()
    command = ["generate", str(export), "-n", "2", "--separate", str(tmp_path / "each")]
    for place in ("-o", "--separate"):
        line = error_line(capsys, [*command, place, str(tmp_path / "file" / "a.png")])
        assert line.startswith("kgan: error: Cannot write there (")
        assert line.endswith(str(tmp_path / "file" / "a.png"))

    def unread(*_, **__):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "picture.png")

    monkeypatch.setattr(kgan.runtime.Generator, "from_seeds", unread)
    line = error_line(capsys, [*command, "--separate", str(tmp_path / "other")])
    assert line == "kgan: error: No such file or directory: picture.png"


def test_a_page_is_not_put_into_the_export_that_it_shows(export, capsys):
    for place in (export / "1", export / "page", export.parent):
        line = error_line(capsys, ["export", str(export), "--web", str(place)])
        assert "A page cannot be a version of an export" in line
    assert not (export / "page").exists()


def test_an_export_in_python_refuses_too_many(export, monkeypatch):
    generator = kgan.runtime.Generator(export)
    monkeypatch.setattr(memory, "free", lambda: 10**9)
    with pytest.raises(kgan.InputError, match=r"320 GB.*n=3125000\."):
        generator.generate(10**9)
    assert generator.generate(3).shape == (3, 16, 20, 1)


def test_a_page_does_not_publish_what_was_not_checked(export, tmp_path, monkeypatch):
    from kgan.export import web_page

    monkeypatch.setattr(web_page, "find_runtime", lambda given: ("onnxruntime-web 0", {}))
    copy = shutil.copyfile

    def swapped(source, target):  # as another program would, between the check and the copy
        copy(source, target)
        if target.name == "model.onnx":
            target.write_bytes(target.read_bytes() + b"\0")

    page = tmp_path / "page"
    monkeypatch.setattr(web_page.shutil, "copyfile", swapped)
    with pytest.raises(kgan.InputError, match="changed while it was published"):
        kgan.export.to_web(export, page)
    assert not page.exists()
    monkeypatch.setattr(web_page.shutil, "copyfile", copy)
    kgan.export.to_web(export, page)
    assert (page / "model.onnx").read_bytes() == (export / "1" / "model.onnx").read_bytes()
