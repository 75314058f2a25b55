"""A type checker sees through kgan's lazy face: it passes right scripts and refuses wrong ones."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy")
ROOT = Path(__file__).parents[1]
RIGHT = """
import kgan

gan = kgan.GAN.from_preset("dcgan", image_shape=(64, 64, 3), latent_dim=3)
gan.compile()
images = kgan.data.from_folder("photos/", image_shape=(64, 64, 3), batch_size=64, augment=["flip"])
gan.fit(images, epochs=25, callbacks=[kgan.callbacks.SampleGrid("samples")])
gan.evaluate(images)
gan.generate(16, seed=0)
gan.save("photos.keras")
kgan.export.to_onnx(gan, "saved_models/photos", opset=17)
kgan.runtime.Generator("saved_models/photos").generate(16, seed=0)
"""
# Each line has one mistake.
WRONG = """
import kgan

gan = kgan.GAN.from_preset("dcgan", latent_dimm=3)
kgan.data.from_folder("photos/", image_shap=(64, 64, 3))
kgan.export.to_onnx(gan, "saved_models/photos", opsett=3)
kgan.callbacks.SampleGrid("samples", evry=3)
kgan.runtime.Generator("saved_models/photos").generate(16, sed=0)
kgan.load_gan("photos.keras", compil=False)
kgan.GANN
"""


@pytest.mark.slow
def test_misspelt_names_are_refused_and_right_ones_pass(tmp_path):
    (tmp_path / "right.py").write_text(RIGHT)
    (tmp_path / "wrong.py").write_text(WRONG)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", tmp_path / "right.py", tmp_path / "wrong.py"],
        cwd=ROOT,  # where its settings and its cache are
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert not re.search(r"right\.py:\d+: error", done.stdout), done.stdout
    refused = re.findall(r"wrong\.py:(\d+): error: .*?\"(\w+)\"", done.stdout)
    words = ["latent_dimm", "image_shap", "opsett", "evry", "sed", "compil", "GANN"]
    assert [(int(line), word) for line, word in refused] == list(enumerate(words, 4))


def test_the_types_ship():
    assert (ROOT / "kgan" / "py.typed").is_file()
