"""The web page: a folder for any static server that runs the exported generator in a browser."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from kgan import manifest as manifests
from kgan.directions import as_json, beside_onnx, read_directions
from kgan.errors import InputError
from kgan.export.web_runtime import find_runtime
from kgan.files import printable, put_in_place, staging_directory, writing
from kgan.leftovers import sweep
from kgan.reading import sha256
from kgan.runtime import Generator

PAGE = Path(__file__).parent / "web"
FIRST_FILE = "index.html"
RUNTIME = "ort"
MODEL = (manifests.ONNX_FILE, manifests.MANIFEST_FILE)


class WebPage:
    """A page to be written; its place and runtime are checked before a model is exported for it.

    Args:
        directory: where the page goes: a directory that is empty or does not exist.
        runtime: an unpacked onnxruntime-web package; None to let npm fetch it.

    Raises:
        InputError: `directory` is not empty or not a directory, or there is no runtime.
    """

    def __init__(
        self, directory: str | os.PathLike[str], runtime: str | os.PathLike[str] | None = None
    ) -> None:
        self.directory = Path(directory)
        self._check_place()
        self.runtime, self.runtime_files = find_runtime(runtime)

    def write(self, model: str | os.PathLike[str]) -> None:
        """Writes the page of an exported generator.

        `index.html` is written last, when all other files are there.

        Args:
            model: an .onnx file of kgan's, an export's VERSION directory, or
                its NAME directory, which stands for the highest version.

        Raises:
            InputError: `model` is not a generator's export or changes meanwhile, or the directory
                cannot be written.
        """
        generator = Generator(model)
        self._check_place()  # time has passed
        where = self.directory
        with writing("Cannot write a page there", where), staging_directory(where) as staging:
            self._fill(staging, generator)
            put_in_place(staging, last=FIRST_FILE)

    def _check_place(self) -> None:
        if not self.directory.exists():
            return
        if not self.directory.is_dir():
            raise InputError(f"A page needs a directory. Received: {self.directory}")
        swept, names = sweep(self.directory), set(os.listdir(self.directory))
        if swept and _is_half_a_page(names):
            # It was killed while it put its files in place, in a directory that was empty.
            for name in names:
                path = self.directory / name
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            names.clear()
        if names:
            raise InputError(
                "A page needs a directory that is empty or does not exist. "
                f"Received: {self.directory}, which holds {printable(min(names))}"
            )

    def _fill(self, staging: Path, generator: Generator) -> None:
        for file in PAGE.iterdir():
            shutil.copyfile(file, staging / file.name)
        (staging / RUNTIME).mkdir()
        for name, content in self.runtime_files.items():
            (staging / RUNTIME / name).write_bytes(content)
        published = staging / manifests.ONNX_FILE
        shutil.copyfile(generator.path, published)
        if sha256(published) != generator.session.model.sha256:
            raise InputError(
                f"This file changed while it was published; try again. Received: {generator.path}"
            )
        loaded = [manifests.ONNX_FILE, *(f"{RUNTIME}/{name}" for name in self.runtime_files)]
        # The browser's runtime does not show the metadata inside the model.
        facts = generator.info | {
            "web_runtime": self.runtime,
            "web_bytes": {name: (staging / name).stat().st_size for name in loaded},
            "figures": manifests.figures_in_words(generator.info),
        }
        kept = read_directions(beside_onnx(generator.path), facts["latents"]["dim"])
        if kept:  # found since the export
            facts["directions"] = as_json(kept)
        text = json.dumps(facts, indent=2) + "\n"
        (staging / manifests.MANIFEST_FILE).write_text(text, encoding="utf-8")


def _is_half_a_page(names: set[str]) -> bool:
    """Whether these are of a page that is not whole, and of nothing else."""
    page = {file.name for file in PAGE.iterdir()}
    return FIRST_FILE not in names and bool(names & page) and names <= page | {RUNTIME, *MODEL}


def to_web(
    model: str | os.PathLike[str],
    directory: str | os.PathLike[str],
    *,
    runtime: str | os.PathLike[str] | None = None,
) -> None:
    """Writes a static page that runs an exported generator in the browser.

    Args:
        model: an .onnx file of kgan's, an export's VERSION directory, or its
            NAME directory, which stands for the highest version.
        directory: where the page goes: a directory that is empty or does not exist.
        runtime: an unpacked onnxruntime-web package; None to let npm fetch it.

    Raises:
        InputError: `model` is not a generator's export, there is no runtime, or `directory` is
            not empty or cannot be written.
    """
    WebPage(directory, runtime).write(model)
