"""The notebooks of docs/ run from top to bottom in Jupyter's kernel, and show what they say."""

import base64
import io
import re

import nbclient
import nbformat
import numpy as np
import pytest
from PIL import Image

from kgan.errors import InputError
from kgan.export.web_runtime import find_runtime
from tests.documents import ROOT

PLACE = ROOT / "docs/notebooks"
NAMES = ("own-images", "own-networks", "to-the-browser")
# What is shown -> what is run: smaller networks, fewer steps, data of which less is read.
SMALL = {
    "own-images": {
        "SIZE = (32, 32)": "SIZE = (16, 16)",
        "MINUTES = 10": "MINUTES = None",
        "minutes=MINUTES, recipe": 'steps=3, preset="dcgan", filters=2, batch_size=16, recipe',
        "options, RUN, choose_width=True)": "options, RUN)",
    },
    "own-networks": {
        "FILTERS = 32": "FILTERS = 2",
        "EPOCHS = 10": "EPOCHS = 1",
        "batch_size=64, image_shape=SHAPE)": "batch_size=64, image_shape=SHAPE).take(3)",
        "every_steps=50": "every_steps=1",
    },
    "to-the-browser": {
        "FILTERS = 16": "FILTERS = 2",
        "EPOCHS = 20": "EPOCHS = 1",
        "batch_size=64, labels=True)": "batch_size=64, labels=True).take(2)",
    },
}
# Cells after those of a notebook, which look at what it has left; the last line is shown.
THEN = {
    "own-images": """\
from urllib.request import urlopen

address = f"http://127.0.0.1:{server.server_port}"
files = ("index.html", "model.onnx", "ort/ort-wasm-simd-threaded.wasm")
sizes = [len(urlopen(f"{address}/{file}").read()) for file in files]
assert sizes == [(Path("page") / file).stat().st_size for file in files]
assert min(sizes) > 1000
Run.open(RUN).train().steps""",
    "own-networks": """\
import numpy as np

np.save("shown.npy", kgan.images.as_shown(kgan.images.grid(gan.generate(64))))""",
    "to-the-browser": "",
}


def read(name):
    return nbformat.read(PLACE / f"{name}.ipynb", as_version=4)


def small(name):
    """A notebook whose training takes seconds."""
    notebook = read(name)
    for shown, instead in SMALL[name].items():
        (cell,) = [cell for cell in notebook.cells if shown in cell.source]
        cell.source = cell.source.replace(shown, instead)
    return notebook


def test_they_are_kept_without_what_a_run_of_them_shows():
    assert sorted(path.name for path in PLACE.iterdir()) == sorted(f"{n}.ipynb" for n in NAMES)
    page = (ROOT / "docs/notebooks.md").read_text(encoding="utf-8")
    for name in NAMES:
        notebook = read(name)
        nbformat.validate(notebook)
        assert f"](notebooks/{name}.ipynb)" in page
        for cell in notebook.cells:
            if cell.cell_type == "code":
                assert cell.outputs == []
                assert cell.execution_count is None
            for link in re.findall(r"\]\(([^)]+)\)", cell.source):
                assert cell.cell_type == "code" or (PLACE / link).resolve().is_file(), link
    versions = (ROOT / "setup.cfg").read_text(encoding="utf-8")
    for package, text in (("tensorflow", "TensorFlow"), ("keras", "Keras"), ("numpy", "numpy")):
        (least,) = re.findall(rf"^    {package}>=(\S+)$", versions, re.MULTILINE)
        assert f"{text} from {least}" in read("own-images").cells[1].source


def shown(cell, kind):
    return [
        output.data[kind]
        for output in cell.outputs
        if output.output_type in ("display_data", "execute_result") and kind in output.data
    ]


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))))


def printed(cell):
    outputs = cell.get("outputs", [])
    return "".join(output.text for output in outputs if output.output_type == "stream")


@pytest.mark.slow
def test_they_run_from_top_to_bottom(tmp_path, monkeypatch):
    """One after the other in one kernel, which takes its time to start; `%reset` takes all names.

    What `%pip` would install is here, and it is no Colab.
    """
    try:
        find_runtime()
    except InputError as error:
        pytest.skip(str(error))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    code = nbformat.v4.new_code_cell
    parts = {name: [*small(name).cells, code(THEN[name])] for name in NAMES}
    whole = nbformat.v4.new_notebook()
    for cells in parts.values():
        whole.cells += [code("%reset -f"), *cells]
    here = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(whole, timeout=120, kernel_name="python3", resources=here).execute()

    def cell(name, words):
        (found,) = [c for c in parts[name] if c.cell_type == "code" and words in c.source]
        return found

    # A run on disk, which is at its goal: the same cell again would not begin anew.
    assert (tmp_path / "runs/faces/samples/latest.png").is_file()
    assert parts["own-images"][-1].outputs[-1].data["text/plain"] == "0"
    # A model, as a table and a picture.
    (table,) = shown(cell("own-images", "load_gan(RUN)"), "text/html")
    assert "3 batches" in table
    assert "data:image/png;base64," in table
    # Images, in the grid of 64 that `show` makes: 8 * 18 + 2 pixels, which fit 3 times into 512.
    (sheet,) = shown(cell("own-images", "generate(64, seed=0)"), "image/png")
    assert pixels(sheet).shape == (438, 438, 3)
    # The pages.
    (watched,) = shown(cell("own-images", "kgan watch"), "text/html")
    assert "&lt;!doctype html&gt;" in watched.lower()
    (framed,) = shown(cell("to-the-browser", "IFrame("), "text/html")
    assert re.search(r'src="http://127\.0\.0\.1:\d+/"', framed)
    # A fit draws one picture, which at its end is that of the trained model.
    (last,) = shown(cell("own-networks", "display=True"), "image/png")
    np.testing.assert_array_equal(pixels(last), np.load(tmp_path / "shown.npy"))
    assert len(shown(cell("own-networks", "diagram(gan)"), "image/svg+xml")) == 2
    assert "largest difference" in printed(cell("to-the-browser", "difference.max()"))
