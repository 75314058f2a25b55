"""The page in use: by keyboard, on a phone, on servers of both kinds, with a broken model."""

import json
import re

import numpy as np
import pytest

import kgan
from kgan.page_server import PageServer
from tests.export.web.browser import Visit, answering, assert_drawn, serving

pytestmark = pytest.mark.slow


def test_time_is_told(plain_url, visit):
    page = visit(plain_url)
    text = page.tab.inner_text("#grid-time")
    total, each = map(float, re.fullmatch(r"24 pictures in (.+) ms, (.+) ms each", text).groups())
    assert 0 < each < total
    page.set("#sliders label:nth-child(1) input", 1)
    page.caption("Seed 0, changed")
    assert re.fullmatch(r"1 picture in [\d.]+ ms", page.tab.inner_text("#time"))


def test_play_walks_and_stops(plain_url, visit):
    page = visit(plain_url)
    page.tab.click("#tab-between")
    page.caption("50 % from A to B")
    page.tab.click("#play")
    page.tab.wait_for_function("Number(document.getElementById('way').value) > 60")
    page.tab.click("#play")
    assert page.tab.inner_text("#play") == "Play"
    page.tab.wait_for_timeout(200)
    before = page.pixels("#shown")
    page.tab.wait_for_timeout(300)
    np.testing.assert_array_equal(page.pixels("#shown"), before)


def test_keyboard_alone(plain_url, visit):
    page = visit(plain_url)
    focused = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.id"

    def press(*keys):
        for key in keys:
            page.tab.keyboard.press(key)
        return page.tab.evaluate(focused)

    assert press("Tab") == "new"
    assert press("Tab", "Tab") == "Seed 0"
    assert press("ArrowDown", "ArrowRight", "ArrowRight") == "Seed 8"
    outline = page.tab.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    assert press("ArrowUp") == "Seed 2"
    assert press("End", "ArrowDown") == "Seed 23"
    press("Enter")
    page.caption("Seed 23")
    assert page.tab.get_attribute("#grid button:nth-child(24)", "aria-pressed") == "true"
    press("Home", "b")
    assert page.tab.inner_text("#status") == "B is Seed 0"
    press("Tab", "Tab", "Tab", "Tab", "Tab")
    assert press("Tab") == "tab-sliders"
    assert press("ArrowRight") == "tab-between"
    page.caption("50 % from A to B")
    press("Tab")
    for _ in range(6):
        press("Tab")
    assert press("Tab") == "play"
    assert press("Tab") == "From A to B"
    press("ArrowRight")
    page.caption("51 % from A to B")
    press("End")
    page.caption("Seed 0")


def test_a_phone_never_scrolls_sideways(classes_url, visit):
    grounds = set()
    for scheme in ("light", "dark"):
        page = visit(classes_url, viewport={"width": 360, "height": 740}, color_scheme=scheme)
        assert page.samples().shape[0] == 12
        page.tab.click("summary")
        for tab in ("sliders", "between", "sum"):
            page.tab.click(f"#tab-{tab}")
            assert page.tab.evaluate("document.documentElement.scrollWidth") == 360
        grounds.add(page.tab.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(grounds) == 2


def test_threads_where_the_server_isolates(plain, plain_url, browser, unpacked, visit, tmp_path):
    about = visit(plain_url).tab.text_content("#about")
    assert "LicenceCC0-1.0" in about
    assert about.endswith("Threads1")
    kgan.export.to_web(plain, tmp_path / "page", runtime=unpacked)
    with answering(PageServer(tmp_path / "page")) as server:
        url = server.url
        page = visit(url)
        cores = page.tab.evaluate("navigator.hardwareConcurrency")
        assert page.tab.text_content("#about").endswith(f"Threads{min(4, cores)}")
        assert_drawn(page.samples(), kgan.runtime.Generator(plain).generate(24))


def test_a_page_that_cannot_start_says_why(plain, browser, unpacked, tmp_path):
    kgan.export.to_web(plain, tmp_path / "page", runtime=unpacked)
    (tmp_path / "page" / "model.onnx").write_bytes(b"not a model")
    with serving(tmp_path / "page") as url:
        page = Visit(browser, url)
        page.tab.wait_for_selector(".failed")
        assert page.tab.inner_text(".failed").startswith("This page cannot continue: ")
        page.context.close()


def test_a_manifest_without_what_is_optional_is_shown(plain, browser, unpacked, visit, tmp_path):
    kgan.export.to_web(plain, tmp_path / "page", runtime=unpacked)
    file = tmp_path / "page" / "manifest.json"
    manifest = json.loads(file.read_text())
    for key in ("training", "versions", "name", "version", "licence"):
        manifest.pop(key, None)
    file.write_text(json.dumps(manifest))
    with serving(tmp_path / "page") as url:
        page = visit(url)
        assert page.tab.text_content("#name") == "generator"
        about = page.tab.text_content("#about")
        assert "Latents8 values, normal" in about
        assert "undefined" not in about
