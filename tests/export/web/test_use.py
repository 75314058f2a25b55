"""The page in use: by keyboard, on a phone, on servers of both kinds, with a broken model."""

import io
import json
import re

import numpy as np
import pytest
from PIL import Image

import kgan
from kgan.page_server import PageServer
from tests.export.web.browser import Visit, answering, assert_drawn, launched, serving

pytestmark = pytest.mark.slow


def test_time_is_told(plain_url, visit):
    page = visit(plain_url)
    text = page.tab.inner_text("#grid-time")
    told = re.fullmatch(r"24 pictures in (.+) ms, (.+) ms each, on 1 thread", text)
    total, each = map(float, told.groups())
    assert 0 < each < total
    page.tab.click("#more")
    page.set("#sliders label:nth-child(1) input", 1)
    page.caption("Seed 0, changed")
    assert re.fullmatch(r"1 picture in [\d.]+ ms, on 1 thread", page.tab.inner_text("#time"))


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

    assert press("Tab") == "save"
    assert press("Tab", "Tab", "Tab") == "copy-python"
    assert press("Tab") == "new"
    assert press("Tab", "Tab") == "Seed 0"
    assert press("ArrowDown", "ArrowRight", "ArrowRight") == "Seed 10"
    outline = page.tab.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    assert press("ArrowUp") == "Seed 2"
    assert press("End", "ArrowDown") == "Seed 23"
    press("Enter")
    page.caption("Seed 23")
    assert page.tab.get_attribute("#grid button:nth-child(24)", "aria-pressed") == "true"
    press("Home", "b")
    assert page.tab.inner_text("#status") == "B is Seed 0"
    press("Tab", "Tab", "Tab", "Tab")
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
    page = visit(plain_url)
    about = page.tab.text_content("#about")
    assert page.tab.inner_text("#facts").endswith(" · CC0-1.0")
    assert "LicenceCC0-1.0" in about
    assert about.endswith("Runson 1 thread")
    kgan.export.to_web(plain, tmp_path / "page", runtime=unpacked)
    with answering(PageServer(tmp_path / "page")) as server:
        url = server.url
        page = visit(url)
        cores = page.tab.evaluate("navigator.hardwareConcurrency")
        threads = "1 thread" if cores == 1 else f"{min(4, cores)} threads"
        assert page.tab.text_content("#about").endswith(f"Runson {threads}")
        assert_drawn(page.samples(), kgan.runtime.Generator(plain).generate(24))


def test_a_page_that_cannot_start_says_why(plain, browser, unpacked, tmp_path):
    kgan.export.to_web(plain, tmp_path / "page", runtime=unpacked)
    (tmp_path / "page" / "model.onnx").write_bytes(b"not a model")
    with serving(tmp_path / "page") as url:
        for address, words in (
            (url, "This page cannot continue: "),
            ((tmp_path / "page" / "index.html").as_uri(), "This page was opened as a file"),
        ):
            page = Visit(browser, address)
            page.tab.wait_for_selector("#failure")
            assert page.tab.inner_text("#failure").startswith(words)
            assert page.tab.is_hidden("#loading")
            page.context.close()


def test_how_far_it_is_loaded(plain, browser, unpacked, tmp_path):
    kgan.export.to_web(plain, tmp_path / "page", runtime=unpacked)
    sizes = json.loads((tmp_path / "page" / "manifest.json").read_text())["web_bytes"]
    runtime, model = sizes["ort/ort-wasm-simd-threaded.wasm"], sizes["model.onnx"]
    assert model == plain.joinpath("model.onnx").stat().st_size
    with serving(tmp_path / "page") as url:
        page = Visit(browser)
        held = []
        page.context.route("**/model.onnx", lambda route: held.append(route))
        page.tab.goto(url)
        page.tab.wait_for_function(f"document.getElementById('progress').value === {runtime}")
        assert page.tab.is_hidden("#failure")
        total = f"{(runtime + model) / 1e6:.1f}"
        assert page.tab.inner_text("#loading") == f"Loading {runtime / 1e6:.1f} of {total} MB"
        held[0].continue_()
        page.ready()
        bar = page.tab.locator("#progress").evaluate("bar => [bar.value, bar.max]")
        assert bar == [runtime + model] * 2
        assert page.tab.is_hidden("#loading")
        assert page.messages == []
        page.context.close()


def test_a_seed_that_is_none_is_said_and_not_changed(plain_url, visit):
    page = visit(plain_url)
    before = page.samples()
    last = 2**53 - 24
    for text in ("-5", "1.5", str(2**53 + 1), str(last + 1), ""):
        page.tab.fill("#seed", text)
        page.tab.press("#seed", "Enter")
        words = f"A seed is a whole number from 0 to {last}. Received: {text or 'none'}"
        assert page.tab.inner_text("#note") == words
        assert page.tab.input_value("#seed") == text
        assert page.tab.get_attribute("#seed", "aria-invalid") == "true"
        np.testing.assert_array_equal(page.samples(), before)
    page.tab.fill("#seed", str(last))
    page.tab.press("#seed", "Enter")
    page.caption(f"Seed {last}")
    assert page.tab.is_hidden("#note")
    page.tab.click("#new")
    assert f"Received: {2**53}" in page.tab.inner_text("#note")
    assert page.tab.input_value("#seed") == str(last)


def test_the_picked_picture_is_large_stays_in_view_and_has_an_edge(classes_url, visit):
    for viewport in ({"width": 390, "height": 844}, {"width": 1280, "height": 720}):
        page = visit(classes_url, viewport=viewport)
        box = page.tab.locator("#shown").bounding_box()
        assert box["width"] >= 384
        assert box["height"] == box["width"]
        samples = page.tab.locator("#grid").bounding_box()
        if viewport["width"] < 600:
            assert samples["y"] > box["y"] + box["height"]
        page.tab.locator("#more").scroll_into_view_if_needed()
        assert page.tab.evaluate("scrollY") > 100 or viewport["width"] > 600
        assert page.tab.locator("#shown").bounding_box()["y"] >= 0
    page.tab.evaluate(
        """() => {
            const context = document.getElementById("shown").getContext("2d");
            context.fillStyle = "white";
            context.fillRect(0, 0, 1000, 1000);
        }"""
    )
    shown = np.asarray(Image.open(io.BytesIO(page.tab.locator("#shown").screenshot())))
    middle = shown[len(shown) // 2, :, :3].astype(int)
    assert (middle[10:-10] == 255).all()
    assert (middle[[0, -1]] < 240).all()


GPU_IN_SOFTWARE = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"]


def write_page(page, export, unpacked, changes):
    """A page of which parts of the worker are others."""
    kgan.export.to_web(export, page, runtime=unpacked)
    worker = page / "worker.js"
    text = worker.read_text()
    for own, other in changes.items():
        assert text.count(own) == 1
        text = text.replace(own, other)
    worker.write_text(text)


def test_a_gpu_draws_the_same(plain, browser, unpacked, tmp_path):
    """A GPU in software, which is slower than the processor: here it is taken all the same."""
    patient = {
        " && one.milliseconds < other.milliseconds": "",
        "TRIAL_MILLISECONDS = 5000": "TRIAL_MILLISECONDS = 100_000",
    }
    write_page(tmp_path / "page", plain, unpacked, patient)
    started = launched(browser.browser_type, *GPU_IN_SOFTWARE)
    with started as gpu, serving(tmp_path / "page") as url:
        page = Visit(gpu, url).ready()
        assert_drawn(page.samples(), kgan.runtime.Generator(plain).generate(24))
        assert page.tab.inner_text("#grid-time").endswith(", on the GPU")
        assert f"{url}ort/ort-wasm-simd-threaded.jspi.wasm" in page.requests
        assert f"{url}ort/ort-wasm-simd-threaded.wasm" not in page.requests
        assert page.messages == []
        page.context.close()


def test_nobody_waits_long_for_a_gpu(plain, browser, unpacked, tmp_path):
    """One that is offered and then slower than 0.3 s draws on no more; the processor does."""
    hasty = {
        "TRIAL_MILLISECONDS = 5000": "TRIAL_MILLISECONDS = 300",
        "navigator.gpu?.requestAdapter()": "Promise.resolve(true)",
        "drawn.push(await": "self.runs = 1 + (self.runs ?? 0);\n"
        "await new Promise((resolve) => setTimeout(resolve, 400));\ndrawn.push(await",
        "await session.release()": "(await session.release(), (self.released = true))",
    }
    write_page(tmp_path / "page", plain, unpacked, hasty)
    started = launched(browser.browser_type, *GPU_IN_SOFTWARE)
    with started as gpu, serving(tmp_path / "page") as url:
        page = Visit(gpu, url).ready()
        generator = kgan.runtime.Generator(plain)
        assert_drawn(page.samples(), generator.generate(24))
        assert page.tab.inner_text("#grid-time").endswith(", on 1 thread")
        (worker,) = page.tab.workers
        for _ in range(300):
            if worker.evaluate("self.released"):
                break
            page.tab.wait_for_timeout(100)
        assert worker.evaluate("[self.released, self.runs ?? 0]") in ([True, 0], [True, 1])
        page.tab.click("#new")
        page.tab.wait_for_function("document.getElementById('seed').value === '24'")
        page.tab.wait_for_selector("#grid[aria-busy=false]")
        assert_drawn(page.samples(), generator.generate(24, seed=24))
        assert page.messages == []
        page.context.close()


def test_no_answer_about_a_gpu_is_none(plain, browser, unpacked, visit, tmp_path):
    mute = {
        "TRIAL_MILLISECONDS = 5000": "TRIAL_MILLISECONDS = 300",
        "navigator.gpu?.requestAdapter()": "new Promise(() => {})",
    }
    write_page(tmp_path / "page", plain, unpacked, mute)
    with serving(tmp_path / "page") as url:
        page = visit(url)
        assert f"{url}ort/ort-wasm-simd-threaded.wasm" in page.requests


def test_a_manifest_without_what_is_optional_is_shown(plain, browser, unpacked, visit, tmp_path):
    kgan.export.to_web(plain, tmp_path / "page", runtime=unpacked)
    file = tmp_path / "page" / "manifest.json"
    manifest = json.loads(file.read_text())
    for key in ("training", "versions", "name", "version", "licence"):
        manifest.pop(key, None)
    manifest["figures"] = [["kernel distance", "0.034 ± 0.002"]]
    file.write_text(json.dumps(manifest))
    with serving(tmp_path / "page") as url:
        page = visit(url)
        assert page.tab.text_content("#name") == "generator"
        about = page.tab.text_content("#about")
        assert "Latents8 values, normal" in about
        assert "undefined" not in about
        assert "Licencenone named" in about
        assert "Kernel distance0.034 ± 0.002" in about
