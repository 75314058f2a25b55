"""The page: as one file, and in a browser."""

import base64
import io
import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from kgan.images import save_png
from kgan.watch import save_page
from kgan.watch.watch_page import MOST_BYTES, MOST_SHEETS
from tests.export.web.browser import CHROMIUM, Visit, chromium
from tests.watch.conftest import HARM
from tests.watch.test_serving import serving


def kept(page):
    """The data in a page."""
    return json.loads(re.search(r'<script id="data"[^>]*>(.*?)</script>', page, re.DOTALL)[1])


def test_a_file_holds_the_whole_run_and_no_address(run, tmp_path):
    save_page(run, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    told = kept(page)
    assert len(told["log"]["d_loss"]["points"]) == 20
    assert [step for step, _ in told["sheets"]] == [0, 200, 400, 1000]
    picture = base64.b64decode(told["sheets"][1][1].removeprefix("data:image/png;base64,"))
    assert np.asarray(Image.open(io.BytesIO(picture))).mean() == 50
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")
    assert HARM in told["doctor"][0]["words"]
    assert HARM not in page
    assert "connect-src 'none'" in page


def test_a_files_pictures_are_bounded(run, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (700, 700, 3), np.uint8)
    for step in range(1000, 1000 + 2 * MOST_SHEETS):
        save_png(run / "samples" / f"step-{step:06d}.png", noise)
        noise = noise[:1]  # the first is larger than its part, all else is small
    (run / "samples" / "step-000999.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(10**6))
    save_page(run, tmp_path / "page.html")
    told = kept((tmp_path / "page.html").read_text(encoding="utf-8"))
    steps = [step for step, _ in told["sheets"]]
    assert len(steps) <= MOST_SHEETS
    assert (steps[0], steps[-1]) == (0, 999 + 2 * MOST_SHEETS)
    assert sum(len(address) for _, address in told["sheets"]) < 1.4 * MOST_BYTES


def test_large_sheets_are_made_smaller(run, tmp_path):
    small = np.random.default_rng(0).integers(0, 256, (60, 100, 4), np.uint8)
    sheet = np.asarray(Image.fromarray(small).resize((1100, 660), Image.Resampling.BICUBIC))
    save_png(run / "samples" / "step-001200.png", sheet)
    assert (run / "samples" / "step-001200.png").stat().st_size > MOST_BYTES / 5
    save_page(run, tmp_path / "page.html")
    address = kept((tmp_path / "page.html").read_text(encoding="utf-8"))["sheets"][-1][1]
    data = base64.b64decode(address.removeprefix("data:image/webp;base64,"))
    assert len(data) <= MOST_BYTES / 5
    with Image.open(io.BytesIO(data)) as picture:
        assert (picture.format, picture.size, picture.mode) == ("WEBP", (1024, 614), "RGBA")


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_the_page_in_a_browser(run, tmp_path):
    save_page(run, tmp_path / "page.html")
    with chromium() as browser, serving(run) as server:
        for url in (server.url, (tmp_path / "page.html").as_uri()):
            visit = Visit(browser, url)
            tab = visit.tab
            tab.wait_for_selector("#curves .curve path")
            titles = tab.locator("#curves h3").all_inner_texts()
            assert titles[0] == "Losses"
            assert any("KID" in title for title in titles)
            assert tab.locator("#name").inner_text() == "clothes"
            assert "Step\n1,000 of 2,000" in tab.locator("#facts").inner_text()
            # The slider, by keyboard: the earlier sheet is 200's, a level of 50.
            tab.locator("#which").press("ArrowRight")
            tab.wait_for_selector("#earlier[alt='Samples at step 200']")
            assert tab.locator("#earlier-step").inner_text() == "Earlier: step 200"
            shown = Image.open(io.BytesIO(tab.locator("#earlier").screenshot())).convert("L")
            assert abs(np.asarray(shown)[20:-20, 20:-20].mean() - 50) < 2
            # A curve's values, by keyboard.
            curve = tab.locator("#curves svg").first
            curve.press("Home")
            assert curve.get_attribute("aria-valuetext").startswith("step 50: discriminator 1.48")
            curve.press("End")
            assert "step 1,000" in curve.get_attribute("aria-valuetext")
            # What means harm is shown as text.
            assert HARM in tab.locator("#doctor").inner_text()
            assert HARM in tab.locator("#what").inner_text()
            tab.locator("#others-place summary").click()
            tab.wait_for_selector("#others .curve")  # a toggle is told a little later
            assert HARM in tab.locator("#others").inner_text()
            assert tab.locator("img[src=x]").count() == 0
            assert visit.messages == []
            assert all(
                request.startswith((server.url, "file:", "data:")) for request in visit.requests
            )
            visit.context.close()
        # What comes while it is open.
        visit = Visit(browser, server.url)
        visit.tab.wait_for_selector("#newest[src*='step-001000']")
        save_png(run / "samples" / "step-001200.png", np.zeros((40, 60, 3), np.uint8))
        visit.tab.wait_for_selector("#newest[src*='step-001200']", timeout=20_000)
        assert visit.tab.locator("#others").inner_text() == ""  # closed: nothing is drawn
        shutil.rmtree(run)
        visit.tab.wait_for_selector("#words:has-text('no longer there')", timeout=20_000)
        assert visit.tab.locator("#newest").is_visible()
        assert HARM in visit.tab.locator("#what").inner_text()
        assert visit.messages == []
