"""The page of transparent pictures, over a checkerboard, and of channels that make no picture."""

import io

import numpy as np
import pytest
from PIL import Image

import kgan
from tests.export.web.browser import LEVELS, assert_drawn
from tests.export.web.conftest import page_url

pytestmark = pytest.mark.slow


def exported(channels, place):
    """A generator whose pictures differ from place to place, alpha too."""
    gan = kgan.GAN.from_preset(
        "dcgan", image_shape=(16, 16, channels), latent_dim=6, filters=2, seed=0
    )
    rng = np.random.default_rng(channels)
    for weight in gan.generator.trainable_variables:
        weight.assign(rng.normal(0, 0.3, weight.shape) + ("gamma" in weight.path))
    return kgan.export.to_onnx(gan, place / f"channels-{channels}").path


@pytest.fixture(scope="module")
def icons(browser, unpacked, tmp_path_factory):
    """(the export of a generator of RGBA, the URL of its page)."""
    path = exported(4, tmp_path_factory.mktemp("icons"))
    with page_url(path, unpacked, tmp_path_factory.mktemp("page")) as url:
        yield path, url


@pytest.fixture(scope="module")
def five(browser, unpacked, tmp_path_factory):
    """The same of 5 channels."""
    path = exported(5, tmp_path_factory.mktemp("five"))
    with page_url(path, unpacked, tmp_path_factory.mktemp("page")) as url:
        yield path, url


def assert_transparent(shown, expected):
    """RGBA pixels of the page against pictures; a canvas keeps colours premultiplied."""
    assert expected[..., 3].std() > 10
    assert shown.shape == expected.shape
    assert np.abs(shown[..., 3].astype(int) - expected[..., 3]).max() <= LEVELS
    for colour in ((0, 0, 0), (255, 255, 255)):
        over = [kgan.images.over(each, colour).astype(int) for each in (shown, expected)]
        assert np.abs(over[0] - over[1]).max() <= LEVELS + 1


def test_transparent_pictures_lie_over_a_checkerboard(icons, visit):
    path, url = icons
    page, generator = visit(url), kgan.runtime.Generator(path)
    assert ", colour and transparency" in page.tab.inner_text("#facts")
    assert_transparent(page.samples(), generator.generate(24))
    # Of a picture in which nothing is visible, the checkerboard alone is left.
    page.tab.evaluate("document.getElementById('shown').getContext('2d').clearRect(0, 0, 16, 16)")
    shown = np.asarray(Image.open(io.BytesIO(page.tab.locator("#shown").screenshot())))
    inside = shown[16:-16, 16:-16, :3].reshape(-1, 3)
    for colour in ((196, 196, 196), (255, 255, 255)):
        assert 0.4 < (inside == colour).all(1).mean() < 0.6


def test_png_files_keep_transparency(icons, visit):
    path, url = icons
    page, generator = visit(url), kgan.runtime.Generator(path)

    def saved(selector):
        with page.tab.expect_download() as download:
            page.tab.click(selector)
        return np.asarray(Image.open(io.BytesIO(download.value.path().read_bytes())))

    page.tab.click("#grid button:nth-child(8)")
    assert_transparent(saved("#save")[None], generator.generate(1, seed=7))
    sheet = kgan.images.grid(generator.generate(24), columns=8)
    assert_transparent(saved("#save-grid")[None], sheet[None])


def test_opaque_pictures_have_no_checkerboard(plain_url, visit):
    page = visit(plain_url)
    background = "getComputedStyle(document.getElementById('shown')).backgroundImage"
    assert page.tab.evaluate(background) == "none"


def test_channels_that_are_no_picture_lie_side_by_side(five, visit):
    path, url = five
    page, generator = visit(url), kgan.runtime.Generator(path)
    assert ", 5 channels side by side" in page.tab.inner_text("#facts")
    assert_drawn(page.samples(), kgan.images.as_pictures(generator.generate(24)))
