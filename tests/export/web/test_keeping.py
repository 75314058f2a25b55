"""What leaves the page: walks, links and lines of Python that lead to the same pictures."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

import kgan
from kgan import latents as latent_law
from tests.export.web.browser import LEVELS, SUM, assert_drawn

pytestmark = pytest.mark.slow
COPYING = {"permissions": ["clipboard-read", "clipboard-write"]}
MOST_FRAMES = 46  # 24 there, 22 back


def copied(page, button):
    page.tab.click(button)
    page.tab.wait_for_function("document.getElementById('status').textContent === 'Copied'")
    page.tab.evaluate("document.getElementById('status').textContent = ''")
    return page.tab.evaluate("navigator.clipboard.readText()")


def keep(page, seed, slot):
    page.tab.click(f"#grid button:nth-child({seed + 1})")
    page.tab.click(f"[data-slot={slot}]")


def steps_of(page):
    """Goes through states of a page with classes; yields the caption of each."""
    page.tab.click("#grid button:nth-child(5)")
    yield "Seed 4 · Bag"
    page.tab.select_option("#class", label="Ankle boot")
    yield "Seed 4 · Ankle boot"
    page.tab.click("#more")
    page.set("#sliders label:nth-child(3) input", 0.75)
    yield "Seed 4, changed · Ankle boot"
    page.tab.select_option("#class", label="by seed")
    keep(page, 9, "A")
    keep(page, 2, "B")
    page.tab.click("#tab-between")
    page.set("#way", 30)
    yield "30 % from A to B · Coat"
    page.tab.click("[data-slot=C]")  # what is kept can itself lie between two classes
    page.tab.click("#tab-sum")
    yield f"{SUM} · Coat"
    page.tab.click("[data-slot=A]")
    page.tab.click("#grid button:nth-child(8)")
    yield "Seed 7 · Bag"


def test_links_and_python_lead_to_what_is_shown(classes, classes_url, visit, tmp_path, monkeypatch):
    (tmp_path / "saved_models").symlink_to(classes.parents[1])
    monkeypatch.chdir(tmp_path)
    page, other = visit(classes_url, **COPYING), visit(classes_url)
    for caption in steps_of(page):
        shown, names = page.caption(caption), {}
        lines = copied(page, "#copy-python")
        exec(lines, names)
        assert_drawn(shown, names["image"][None])
        of_seed = caption.startswith("Seed") and "changed" not in caption
        assert ("generate(1, seed=" in lines) == of_seed
        link = copied(page, "#copy-link")
        page.tab.wait_for_function("link => location.href === link", arg=link)
        other.tab.goto(link)  # another end of the same address
        np.testing.assert_array_equal(other.caption(caption), shown)
        np.testing.assert_array_equal(other.samples(), page.samples())
        np.testing.assert_array_equal(other.pixels("[data-kept]"), page.pixels("[data-kept]"))
        other.tab.wait_for_timeout(300)  # its address is written anew
        assert other.tab.url == link
        if "changed" in caption:
            other.tab.click("#reset")
            other.caption("Seed 4 · Ankle boot")
    fresh = visit(link)
    np.testing.assert_array_equal(fresh.caption(caption), shown)


def test_a_short_link_and_python_of_attributes(
    attributes, attributes_url, visit, tmp_path, monkeypatch
):
    (tmp_path / "saved_models").symlink_to(attributes.parents[1])
    monkeypatch.chdir(tmp_path)
    page = visit(f"{attributes_url}#seed=33&tab=between", **COPYING)
    page.tab.wait_for_function("document.getElementById('caption').textContent.startsWith('50 %')")
    assert_drawn(page.samples(), kgan.runtime.Generator(attributes).generate(24, seed=33))
    page.tab.click("#grid button:nth-child(3)")
    page.set("#attribute-rows label:nth-child(2) input", 0.3)
    shown, names = page.caption("Seed 35 · no smile · yaw 0.30"), {}
    lines = copied(page, "#copy-python")
    exec(lines, names)
    assert 'labels={"smile": 0, "yaw": 0.3}' in lines
    assert_drawn(shown, names["image"][None])


def test_a_link_of_another_model_is_said(classes_url, visit):
    page = visit(classes_url)
    latents = "picture=%7B%22latent%22%3A%22AAAA%22%7D"
    for end in ("seed=-3", "seed=9&label=7", f"seed=9&{latents}", "tab=none&seed=9", "seed=9&A=x"):
        page.tab.evaluate("document.getElementById('note').hidden = true")
        page.tab.goto(f"{classes_url}#{end}")
        page.tab.wait_for_selector("#note")
        assert page.tab.inner_text("#note").startswith("This link is not of this model.")
        page.caption("Seed 0 · Coat")
        assert page.tab.input_value("#seed") == "0"
        assert page.tab.locator("#grid [aria-pressed=true]").count() == 1


def test_where_nothing_can_be_copied_it_is_shown(plain_url, visit):
    page = visit(plain_url)
    page.tab.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.tab.click("#copy-python")
    lines = page.tab.locator("#by-hand").input_value()
    assert lines.endswith('Generator("saved_models/clothes/1").generate(1, seed=0)[0]\n')
    selected = page.tab.locator("#by-hand").evaluate("one => one.selectionEnd - one.selectionStart")
    assert selected == len(lines)


def walk(page):
    keep(page, 9, "A")
    keep(page, 2, "B")
    page.tab.click("#tab-between")
    with page.tab.expect_download() as download:
        page.tab.click("#save-walk")
    return download.value.suggested_filename, download.value.path().read_bytes()


def test_a_walk_is_an_animated_webp(classes, classes_url, visit):
    page, generator = visit(classes_url), kgan.runtime.Generator(classes)
    name, content = walk(page)
    assert name == "things-seed-9-to-seed-2.webp"
    animation = Image.open(io.BytesIO(content))
    assert (animation.n_frames, animation.size) == (MOST_FRAMES, (512, 512))
    assert animation.info["loop"] == 0
    frames = []
    for place in range(MOST_FRAMES):
        animation.seek(place)
        frames.append(np.asarray(animation.convert("RGB")))
        assert animation.info["duration"] == 80
    a, b = latent_law.from_seeds([9, 2], 30, "uniform")
    for place in (0, 5, 23, 40):
        share = place / 23 if place < 24 else (46 - place) / 23
        latents = latent_law.lerp(a, b, [share])
        ends = [generator.from_latents(latents, label)[0].astype(float) for label in (0, 2)]
        expected = np.rint((1 - share) * ends[0] + share * ends[1]).repeat(32, 0).repeat(32, 1)
        assert np.abs(frames[place] - expected).max() <= LEVELS
    np.testing.assert_array_equal(frames[45], frames[1])


def test_a_walk_is_a_video_where_no_webp_is_written(plain_url, visit):
    page = visit(plain_url)
    page.tab.add_init_script(  # as Safari does
        """const { toBlob } = HTMLCanvasElement.prototype;
        HTMLCanvasElement.prototype.toBlob = function (done) {
            toBlob.call(this, done, "image/png");
        };"""
    )
    page.tab.reload()
    name, content = walk(page.ready())
    assert name.rpartition(".")[0] == "clothes-seed-9-to-seed-2"
    size = page.tab.evaluate(
        """async (text) => {
            const video = document.createElement("video");
            const loaded = new Promise((resolve) => video.addEventListener("loadeddata", resolve));
            video.src = text;
            await loaded;
            return [video.videoWidth, video.videoHeight];
        }""",
        f"data:video/{name.rpartition('.')[2]};base64,{base64.b64encode(content).decode()}",
    )
    assert size == [500, 400]


def test_what_the_browser_cannot_write_is_said(plain_url, visit):
    page = visit(plain_url)
    page.tab.evaluate("() => { HTMLCanvasElement.prototype.toBlob = (done) => done(null); }")
    for button in ("#save-grid", "#save"):
        page.tab.evaluate("document.getElementById('note').textContent = ''")
        page.tab.click(button)
        page.tab.wait_for_function("document.getElementById('note').textContent")
        said = page.tab.inner_text("#note")
        assert said.startswith("This browser could not save that: pictures of ")
        assert said.endswith(" are too large for it")
        assert page.tab.is_hidden("#failure")
