"""The page on which boxes are drawn, by mouse in a browser."""

import io

import numpy as np
import pytest
from PIL import Image

from kgan import explore
from tests.export.web.browser import CHROMIUM, Visit, chromium


@pytest.fixture
def page(trained_gan, tmp_path):
    subject = explore.Subject(trained_gan, name="<b>clothes</b>")
    _, text = explore.marking(subject, [3, 8, 5])
    path = tmp_path / "mark.html"
    path.write_text(text, encoding="utf-8")
    return path


def drag(tab, canvas, start, end):
    """Draws with the mouse from one pixel of the picture to another."""
    box = canvas.bounding_box()
    scale = box["width"] / 20
    for step, (x, y) in enumerate([start, end]):
        tab.mouse.move(box["x"] + x * scale, box["y"] + y * scale, steps=3)
        (tab.mouse.up if step else tab.mouse.down)()


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_boxes_drawn_by_mouse_come_back_from_the_file(page, trained_gan):
    with chromium() as browser:
        visit = Visit(browser, page.as_uri())
        tab = visit.tab
        canvases = tab.locator("canvas")
        first, second, third = (canvases.nth(index) for index in range(3))
        drag(tab, first, (2.5, 3.5), (9.5, 11.2))
        drag(tab, first, (17.6, 13.6), (12.4, 9.5))
        drag(tab, second, (1.5, 1.5), (5.5, 5.5))
        drag(tab, second, (3.0, 3.0), (3.0, 3.0))  # a click in the box takes it away
        tab.locator("input").nth(2).check()
        assert tab.locator("#count").inner_text() == "1 with boxes, 1 without the object"
        assert "<b>clothes</b>" in tab.locator("header").inner_text()
        with tab.expect_download() as waiting:
            tab.locator("#save").click()
        assert waiting.value.suggested_filename == "boxes.json"
        marked = explore.read_boxes(waiting.value.path(), trained_gan.image_shape)
        assert visit.messages == []
        assert not [url for url in visit.requests if url.startswith("http")]
        shown = Image.open(io.BytesIO(third.screenshot())).convert("L")
    assert marked.boxes == {3: [(2, 3, 10, 12), (12, 9, 18, 14)], 5: []}
    drawn = trained_gan.generate(1, seed=5)[0, ..., 0]
    back = np.asarray(shown.resize((20, 16), Image.Resampling.BOX))
    assert np.abs(back.astype(int) - drawn).mean() < 12  # a frame of another colour lies around it


def test_images_on_the_page_are_those_of_the_seeds(trained_gan):
    finding, text = explore.marking(trained_gan, range(4))
    assert finding.figures["seeds"] == [0, 1, 2, 3]
    assert finding.picture.shape == (2 * 66 + 2, 2 * 82 + 2, 1)  # 16x20 four times as large
    tile = finding.picture[2:66:4, 2 + 82 : 82 + 82 : 4]
    np.testing.assert_array_equal(tile, trained_gan.generate(1, seed=1)[0])
    assert text.count("data:image/png;base64,") == 4
