"""Two generators, their pages served, and visits to them in Chromium."""

import numpy as np
import pytest

import kgan
from kgan.errors import InputError
from kgan.export.web_runtime import find_runtime
from tests.export.web.browser import CHROMIUM, CLASSES, Visit, chromium, serving


@pytest.fixture(scope="package")
def unpacked(tmp_path_factory):
    """The pinned onnxruntime-web, unpacked."""
    try:
        _, files = find_runtime()
    except InputError as error:
        pytest.skip(str(error))
    package = tmp_path_factory.mktemp("runtime")
    (package / "dist").mkdir()
    (package / "package.json").write_text('{"name": "onnxruntime-web", "version": "1.30.0"}')
    for name, content in files.items():
        (package / "dist" / name.replace(".min.js", ".min.mjs")).write_bytes(content)
    return package


@pytest.fixture(scope="package")
def browser():
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium-headless-shell)")
    with chromium() as started:
        yield started


@pytest.fixture(scope="package")
def plain(exported):
    """A grey, upright generator with normal latents of 8: the path of its export."""
    return exported.path


@pytest.fixture(scope="package")
def classes(tmp_path_factory):
    """A coloured one with classes, uniform latents of 30 and float images."""
    made = kgan.GAN.from_preset(
        "dcgan", image_shape=(16, 16, 3), latent_dim=30, filters=2, num_classes=3, seed=0
    )
    rng = np.random.default_rng(0)
    for weight in made.generator.trainable_variables:  # as they start, all pictures are grey
        weight.assign(rng.normal(0, 0.3, weight.shape) + ("gamma" in weight.path))
    gan = kgan.GAN(
        made.generator,
        made.discriminator,
        latent_distribution="uniform",
        num_classes=3,
        class_names=CLASSES,
    )
    directory = tmp_path_factory.mktemp("classes") / "things"
    return kgan.export.to_onnx(gan, directory, float_output=True).path


@pytest.fixture(scope="package")
def attributes(tmp_path_factory):
    """A coloured one with a switch and a number."""
    # Ends that a slider of a hundred steps does not reach.
    ends = [[0, -0.9040974], [1, 0.90165275]]
    known = kgan.Attributes.of(["smile", "yaw"], [*ends, [0, 0.5], [1, -0.25], [1, 0]])
    gan = kgan.GAN.from_preset(
        "dcgan", image_shape=(16, 16, 3), latent_dim=6, filters=2, attributes=known, seed=0
    )
    rng = np.random.default_rng(0)
    for weight in gan.generator.trainable_variables:
        weight.assign(rng.normal(0, 0.3, weight.shape) + weight.path.endswith("gamma"))
    return kgan.export.to_onnx(gan, tmp_path_factory.mktemp("attributes") / "faces").path


def page_url(export, unpacked, place):
    kgan.export.to_web(export, place / "page", runtime=unpacked)
    return serving(place / "page")


@pytest.fixture(scope="package")
def plain_url(plain, browser, unpacked, tmp_path_factory):
    with page_url(plain, unpacked, tmp_path_factory.mktemp("page")) as url:
        yield url


@pytest.fixture(scope="package")
def classes_url(classes, browser, unpacked, tmp_path_factory):
    with page_url(classes, unpacked, tmp_path_factory.mktemp("page")) as url:
        yield url


@pytest.fixture(scope="package")
def attributes_url(attributes, browser, unpacked, tmp_path_factory):
    with page_url(attributes, unpacked, tmp_path_factory.mktemp("page")) as url:
        yield url


@pytest.fixture
def visit(browser):
    """Opens pages; each must be silent in the console and ask its own server alone."""
    visits = []

    def open_page(url, **context):
        visits.append((url.partition("#")[0], Visit(browser, url, **context)))
        return visits[-1][1].ready()

    yield open_page
    for url, made in visits:
        made.context.close()
        assert made.messages == []
        assert made.requests
        assert [one for one in made.requests if not one.startswith(url)] == []
