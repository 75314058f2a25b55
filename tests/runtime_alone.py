"""Tries `kgan-runtime` where it alone is installed: test_distributions.py and .ci/wheel run this.

It works in the current directory. What docs/runtime.md shows works, whatever else is asked for
says in one line what to install, and every module that is there can be imported.
"""

import contextlib
import importlib.util
import io
import json
import pkgutil
import re
import shlex
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np
from PIL import Image

import kgan
from kgan.cli.main import export_main, main

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/runtime.md"
EXPORT = "saved_models/photos"  # as the page calls it
REFUSED = (
    "train photos/ --size 64x64",
    "train --help",
    "watch",
    "evaluate runs/photos",
    "explore all runs/photos",
    "data check photos/",
    "environment",
    "export",
    "generate .",
    f"generate {EXPORT} --video walk.mp4",
)
OF_AN_EXTRA = ("prometheus_client", "starlette", "uvicorn")  # kgan-runtime[serve]
COMPLETION = "--print-completion bash"  # works where shtab happens to be installed


def run(words, program=main):
    """(exit code, output, errors) of a command."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        with contextlib.redirect_stderr(io.StringIO()) as errors:
            try:
                code = program(words)
            except SystemExit as stop:
                code = stop.code
    return code, out.getvalue(), errors.getvalue()


def shown(language):
    """The block of a language on the page."""
    return re.search(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]


def check_what_the_page_shows():
    """Its Python and its commands, which draw one seed as the same picture."""
    exec(shown("python"), {})
    first = np.asarray(Image.open("first.png"))
    images = kgan.runtime.Generator(EXPORT).generate(16, seed=0)
    np.testing.assert_array_equal(first, images[0, ..., 0])
    lines = re.findall(r"^kgan (.*)", shown("sh"), re.MULTILINE)
    commands = [shlex.split(line, comments=True) for line in lines]
    assert [words[0] for words in commands] == ["generate", "export", "export", "serve-page"]
    examples = re.findall(r"^  kgan (.*)", run(["--help"])[1], re.MULTILINE)
    assert [shlex.split(line) for line in examples] == commands
    draw, inspect, write, serve = commands
    assert run([*draw, "--mosaic"])[0] == 0
    drawn = np.asarray(Image.open("grid.png")).reshape(4, 28, 4, 28).swapaxes(1, 2)
    images = kgan.runtime.Generator(EXPORT).generate(16, seed=7)
    np.testing.assert_array_equal(drawn.reshape(16, 28, 28), images[..., 0])
    code, out, _ = run(inspect)
    assert code == 0
    assert "fashion_dcgan" in out
    assert json.loads(run([*inspect[1:], "--json"], export_main)[1])
    assert run([*write, "--web-runtime", str(stand_in())])[0] == 0
    check_served(serve)


def stand_in():
    """A package with the names of onnxruntime-web's, for whose content only browsers ask."""
    package = Path("package")
    (package / "dist").mkdir(parents=True)
    (package / "package.json").write_text('{"name": "onnxruntime-web", "version": "9.8.7"}')
    for name in ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"):
        (package / "dist" / name).write_text(name)
    return package


def check_served(words):
    """A page's model comes as it was exported."""
    # Without what is installed beside, if this process is.
    alone = ["-S"] if sys.flags.no_site else []
    command = [sys.executable, *alone, "-m", "kgan", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            url = server.stdout.readline().split()[0]
            with urllib.request.urlopen(f"{url}model.onnx", timeout=10) as answer:
                assert answer.read() == Path(EXPORT, "1/model.onnx").read_bytes()
        finally:
            server.terminate()


def check_refusals():
    """One line, exit code 2; in Python an ImportError."""
    without_shtab = importlib.util.find_spec("shtab") is None
    for words in (*REFUSED, COMPLETION) if without_shtab else REFUSED:
        code, _, errors = run(words.split())
        assert (code, errors.count("\n")) == (2, 1), (words, code, errors)
        assert re.search("needs the whole kgan.*: pip install kgan$", errors), errors
    assert "kgan train needs" in run(["train"])[2]
    if importlib.util.find_spec("uvicorn") is None:
        code, _, errors = run(["serve", EXPORT])
        assert (code, errors.count("\n")) == (2, 1), errors
        assert "pip install kgan-runtime[serve]. Not found: uvicorn" in errors, errors
    assert "No such model. Received: none" in run(["generate", "none"])[2]
    for module, name in ((kgan, "GAN"), (kgan, "data"), (kgan.export, "to_onnx")):
        said = ""
        try:
            getattr(module, name)
        except ImportError as problem:
            said = str(problem)
        assert said.startswith(f"{module.__name__}.{name} needs the whole kgan"), said
    assert not hasattr(kgan, "GANN")


def check_that_all_can_be_imported():
    """What a module imports is installed with it, or of an extra; TensorFlow never."""
    for found in pkgutil.walk_packages(kgan.__path__, "kgan."):
        if found.name != "kgan.__main__":
            try:
                importlib.import_module(found.name)
            except ModuleNotFoundError as missing:
                if missing.name not in OF_AN_EXTRA:
                    raise
    assert not {"tensorflow", "keras"} & set(sys.modules)


if __name__ == "__main__":
    Path("saved_models").mkdir()
    Path(EXPORT).symlink_to(ROOT / "saved_models/fashion_dcgan")
    check_what_the_page_shows()
    check_refusals()
    check_that_all_can_be_imported()
    print(Path(kgan.__file__).parent)
