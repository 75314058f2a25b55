"""The README's own lines, run as they stand."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import kgan

README = Path(__file__).parent.parent / "README.md"
MARKER = "<!-- tests/test_readme.py runs this block -->"


@pytest.fixture
def blocks():
    """The marked code blocks: user code with `fit`, and the application's twelve lines."""
    found = re.findall(re.escape(MARKER) + r"\n```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert len(found) == 2
    return found


def test_the_applications_lines_make_a_picture_without_kgan(
    blocks, trained_gan, tmp_path, monkeypatch
):
    code = blocks[1]
    assert "kgan" not in code
    assert len(code.strip().splitlines()) <= 12
    monkeypatch.chdir(tmp_path)
    kgan.export.to_onnx(trained_gan, "saved_models/fashion")
    exec(code, {})
    picture = np.asarray(Image.open("picture.png"))
    latents = np.random.default_rng(0).standard_normal((1, 8), "float32")
    expected = kgan.runtime.Generator("saved_models/fashion").from_latents(latents)[0]
    expected = kgan.images.to_pil(expected).resize((256, 256))
    np.testing.assert_array_equal(picture, np.asarray(expected))
    assert picture.std() > 1


@pytest.mark.slow
def test_the_user_code_trains_saves_and_exports(blocks, tmp_path, monkeypatch):
    # The same lines on a small scale.
    code = blocks[0]
    for shown, small in (("(64, 64, 3)", "(16, 16, 3)"), ("batch_size=64", "batch_size=4")):
        assert shown in code
        code = code.replace(shown, small)
    code = code.replace("epochs=25", "epochs=1")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (8, 20, 20, 3), np.uint8)
    for index, picture in enumerate(noise):
        Image.fromarray(picture).save(tmp_path / "photos" / f"{index}.png")
    exec(code, {})
    assert (tmp_path / "photos.keras").is_file()
    assert (tmp_path / "runs/photos/samples/step-000002.png").is_file()
    assert kgan.runtime.Generator("saved_models/photos").generate(1).shape == (1, 16, 16, 3)
