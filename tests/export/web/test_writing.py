"""`kgan export --web`: the files it writes, whole or not at all, and where the runtime is from."""

import json
import resource
import shlex
from pathlib import Path

import pytest

import kgan
from kgan.cli.main import main
from kgan.errors import FullDisk, InputError
from kgan.export.web_runtime import find_runtime
from tests.documents import ROOT


@pytest.fixture
def stand_in(tmp_path):
    """A package with the right names; what is in the files matters to browsers alone."""
    package = tmp_path / "package"
    (package / "dist").mkdir(parents=True)
    (package / "package.json").write_text('{"name": "onnxruntime-web", "version": "9.8.7"}')
    for name in ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"):
        (package / "dist" / name).write_text(name)
    return package


def test_the_command_writes_a_page_of_a_model_and_of_an_export(
    trained_gan, stand_in, tmp_path, capsys
):
    trained_gan.save(tmp_path / "clothes.keras")
    out, page, again = (tmp_path / name for name in ("out", "page", "deep/again"))
    runtime = ["--web-runtime", str(stand_in)]
    of_model = ["export", str(tmp_path / "clothes.keras"), "--onnx", "--out", str(out)]
    assert main([*of_model, "--web", str(page), *runtime]) == 0
    export, see, last = capsys.readouterr().out.splitlines()[-3:]
    assert (export, last) == (str(out / "clothes" / "1"), str(page))
    command = shlex.split(see.removeprefix("to see it: "))
    assert Path(command[0]).name == "kgan"
    assert command[1:] == ["serve-page", str(page)]
    assert main(["export", str(out / "clothes"), "--web", str(again), *runtime]) == 0
    see, last = capsys.readouterr().out.splitlines()
    assert see.endswith(f"kgan serve-page {again}")
    assert last == str(again)
    written = {
        path.relative_to(page).as_posix(): path.read_bytes()
        for path in page.rglob("*")
        if path.is_file()
    }
    assert set(written) >= {"index.html", "page.js", "style.css", "model.onnx", "manifest.json"}
    assert written["ort/ort.wasm.bundle.min.js"] == b"ort.wasm.bundle.min.mjs"
    assert written["model.onnx"] == (out / "clothes" / "1" / "model.onnx").read_bytes()
    manifest = json.loads(written["manifest.json"])
    assert manifest["web_runtime"] == "onnxruntime-web 9.8.7"
    assert manifest["latents"]["dim"] == 8
    assert manifest["figures"] == []
    loaded = ("model.onnx", "ort/ort.wasm.bundle.min.js", "ort/ort-wasm-simd-threaded.wasm")
    assert manifest["web_bytes"] == {name: len(written[name]) for name in loaded}
    assert all((again / name).read_bytes() == content for name, content in written.items())
    assert not [path for path in page.iterdir() if path.name.startswith(".")]


def test_mistakes_leave_nothing_behind(plain, stand_in, tmp_path, capsys):
    runtime = ["--web-runtime", str(stand_in)]
    (tmp_path / "text.onnx").write_text("not a model")
    (tmp_path / "file").write_text("")
    before = sorted(tmp_path.rglob("*"))
    for arguments, says in (
        ([tmp_path / "text.onnx", "--web", tmp_path / "page"], "text.onnx"),
        ([plain, "--web", tmp_path / "file" / "page"], "Cannot write a page there"),
        ([plain, "--web", tmp_path / "page", "--name", "other"], "--name is for a run"),
        ([plain, "--web", tmp_path / "page", "--float-output"], "--float-output is for a run"),
    ):
        assert main(["export", *map(str, arguments), *runtime]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert says in line
        assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("exists", [False, True])
def test_a_page_that_cannot_be_written_whole_is_not_there(plain, stand_in, tmp_path, exists):
    page = tmp_path / "deep" / "page"
    if exists:
        page.mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))  # the model is larger
    try:
        with pytest.raises(FullDisk, match=r"Cannot write a page there .*File too large"):
            kgan.export.to_web(plain, page, runtime=stand_in)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert sorted(tmp_path.rglob("*")) == before


def test_npm_that_is_missing_fails_or_brings_something_else(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"npm is not installed.*--web-runtime"):
        find_runtime()
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho 'npm error code ENOTFOUND' >&2\nexit 1\n")
    npm.chmod(0o755)
    with pytest.raises(InputError, match=r"could not fetch .*npm error code ENOTFOUND"):
        find_runtime()
    npm.write_text("#!/bin/sh\necho other > onnxruntime-web-1.30.0.tgz\n")
    with pytest.raises(InputError, match=r"not the one kgan was tested with.*sha512"):
        find_runtime()
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("asked", "file"),
    [("float16", "model.float16.onnx"), ("float16,int8", "model.onnx")],
)
def test_a_page_draws_in_the_one_precision_that_was_asked_for(
    asked, file, trained_gan, stand_in, tmp_path
):
    trained_gan.save(tmp_path / "clothes.keras")
    words = ["--precision", asked, "--out", str(tmp_path / "out"), "--web", str(tmp_path / "page")]
    arguments = [str(tmp_path / "clothes.keras"), "--onnx", *words]
    assert main(["export", *arguments, "--web-runtime", str(stand_in)]) == 0
    drawn = (tmp_path / "page" / "model.onnx").read_bytes()
    assert drawn == (tmp_path / "out" / "clothes" / "1" / file).read_bytes()


def test_a_page_has_the_figures_that_were_measured(stand_in, tmp_path):
    kgan.export.to_web(ROOT / "saved_models/fashion_dcgan", tmp_path / "page", runtime=stand_in)
    facts = json.loads((tmp_path / "page" / "manifest.json").read_text())
    figures = dict(facts["figures"])
    assert figures["kernel distance"] == "0.03378 ± 0.0023; real against real -0.001019"
    assert "seeds from 0, against 2,000" in figures["measured with"]
    gpu = "ort-wasm-simd-threaded.jspi.wasm"
    assert f"ort/{gpu}" not in facts["web_bytes"]  # an older package has none
    for name in (gpu, "ort.jspi.bundle.min.mjs"):
        (stand_in / "dist" / name).write_text(name)
    _, files = find_runtime(stand_in)
    assert len(files) == 4
    assert files[gpu] == gpu.encode()
