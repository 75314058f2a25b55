"""The example for Gradio: what its page asks for is what `kgan generate` draws."""

import importlib.util
import inspect

import numpy as np
import pytest

import kgan
from tests.documents import ROOT

SHIPPED = ROOT / "saved_models/fashion_dcgan"


@pytest.fixture(scope="module")
def app():
    """The example, imported, which starts nothing."""
    spec = importlib.util.spec_from_file_location("gradio_app", ROOT / "docs/apps/gradio_app.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_draws_what_a_seed_and_a_class_are(app):
    generator = kgan.runtime.Generator(SHIPPED)
    draw = app.drawer(generator)
    bag = generator.generate(1, seed=7, labels=8, truncation=0.7)[0, ..., 0]
    sheet = draw(7.0, 1.0, 0.7, "Bag")
    assert (sheet.dtype, sheet.ndim) == (np.uint8, 2)
    assert min(sheet.shape) >= app.SIDE
    times = sheet.shape[0] // kgan.images.grid(bag[None, ..., None]).shape[0]
    expected = kgan.images.grid(bag[None, ..., None])[..., 0]
    np.testing.assert_array_equal(sheet[::times, ::times], expected)
    assert (draw(7, 1, 1.0) != sheet).any()
    assert (draw(None, 1, 1.0) == draw(0, 1, 1.0)).all()  # its field is cleared
    # A page gives its four inputs in this order.
    assert list(inspect.signature(draw).parameters) == ["seed", "n", "truncation", "name"]


def test_colours_stay(app, tmp_path):
    gan = kgan.GAN.from_preset("gan", image_shape=(8, 8, 3), latent_dim=4)
    export = kgan.export.to_onnx(gan, tmp_path / "colour", optimize=False)
    generator = kgan.runtime.Generator(export.path)
    assert app.classes_of(generator) == []
    assert app.drawer(generator)(0, 4, 1.0).shape[-1] == 3
