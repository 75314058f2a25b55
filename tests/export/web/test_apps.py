"""docs/apps/: what its programs for Node and for the browser draw is what kgan draws."""

import shutil
import subprocess
import tarfile

import numpy as np
import pytest
from PIL import Image

import kgan
from kgan.export.web_runtime import FILES, PACKAGE, VERSION
from kgan.files import cache_directory
from tests.documents import ROOT
from tests.export.web.browser import LEVELS, Visit, assert_drawn
from tests.export.web.conftest import page_url

pytestmark = pytest.mark.slow
APPS = ROOT / "docs/apps"
EXPORT = ROOT / "saved_models/fashion_dcgan"


@pytest.fixture
def draw(unpacked, tmp_path):
    """A folder as docs/apps/README.md makes it, with what npm would install of the package."""
    shutil.copy(APPS / "draw.mjs", tmp_path)
    shutil.copy(ROOT / "kgan/export/web/latents.js", tmp_path / "latents.mjs")
    with tarfile.open(cache_directory() / f"{PACKAGE}-{VERSION}.tgz") as package:
        for name in ("package.json", "dist/ort-wasm-simd-threaded.mjs", *FILES.values()):
            member = package.getmember(f"package/{name}")
            member.name = f"node_modules/{PACKAGE}/{name}"
            package.extract(member, tmp_path, filter="data")
    return tmp_path


def test_node(draw):
    generator = kgan.runtime.Generator(EXPORT)
    for seed in (0, 2**45 + 3):
        command = ["node", "draw.mjs", EXPORT / "1/model.onnx", str(seed), "picture.png"]
        subprocess.run(command, cwd=draw, check=True)
        picture = np.asarray(Image.open(draw / "picture.png"))
        assert picture.std() > 10
        expected = generator.generate(1, seed=seed)[0, ..., 0]
        assert np.abs(picture.astype(int) - expected).max() <= LEVELS


def test_a_page_of_ones_own(browser, unpacked, tmp_path):
    with page_url(EXPORT, unpacked, tmp_path) as url:
        shutil.copy(APPS / "draw.html", tmp_path / "page")
        visit = Visit(browser, f"{url}draw.html")
        visit.tab.wait_for_function(
            "document.querySelector('canvas').getContext('2d').getImageData(0, 0, 1, 1).data[3]"
        )
        assert_drawn(visit.pixels("canvas"), kgan.runtime.Generator(EXPORT).generate(1, seed=0))
        visit.context.close()
