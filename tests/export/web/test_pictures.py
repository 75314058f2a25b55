"""What the page draws is what onnxruntime draws, whichever control made it."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image

import kgan
from kgan import latents as latent_law
from kgan.directions import direction_along, keep_directions
from tests.export.web.browser import CLASSES, LEVELS, SUM, assert_drawn
from tests.export.web.conftest import page_url

pytestmark = pytest.mark.slow
TIMES = "\N{MULTIPLICATION SIGN}"


def test_a_seed_has_the_picture_that_it_has_in_python(plain, plain_url, visit):
    page, generator = visit(plain_url), kgan.runtime.Generator(plain)
    assert_drawn(page.samples(), generator.generate(24, seed=0))
    page.tab.click("#new")
    assert_drawn(page.samples(), generator.generate(24, seed=24))
    page.tab.fill("#seed", str(2**45 + 3))
    page.tab.press("#seed", "Enter")
    assert_drawn(page.samples(), generator.generate(24, seed=2**45 + 3))
    assert_drawn(page.caption(f"Seed {2**45 + 3}"), generator.generate(1, seed=2**45 + 3))


@pytest.mark.parametrize("distribution", ["normal", "uniform"])
def test_latents_are_numpys(plain_url, visit, distribution):
    seeds = [0, 1, 7, 2**32 - 1, 2**32, 2**53 - 1, *range(100, 150)]
    made = visit(plain_url).tab.evaluate(
        """async ([seeds, law]) => {
            const { fromSeed } = await import("./latents.js");
            return seeds.map((seed) => Array.from(fromSeed(seed, 1001, law)));
        }""",
        [seeds, distribution],
    )
    made = np.asarray(made, np.float32)
    expected = latent_law.from_seeds(seeds, 1001, distribution)
    # One in a million, beyond 3.65, ends in numpy's own rounding of log1p.
    np.testing.assert_allclose(made, expected, rtol=3e-7)
    assert (made != expected).sum() <= 2


def test_sliders_reach_every_value_and_reset(classes, classes_url, visit):
    page, generator = visit(classes_url), kgan.runtime.Generator(classes)
    latents = latent_law.from_seeds([4], 30, "uniform")
    page.tab.click("#grid button:nth-child(5)")
    page.tab.click("#more")
    for first in (1, 13, 25):
        assert page.tab.inner_text("#range") == f"{first}\N{EN DASH}{min(first + 11, 30)} of 30"
        shown = page.tab.locator("#sliders output:visible").all_inner_texts()
        values = [float(text.replace("\N{MINUS SIGN}", "-")) for text in shown]
        np.testing.assert_allclose(values, latents[0, first - 1 : first + 11], atol=0.0051)
        if first < 25:
            page.tab.click("#later")
    assert page.tab.is_disabled("#later")
    page.set("#sliders label:nth-child(6) input", -0.75)
    page.set("#sliders label:nth-child(1) input", 1)
    changed = latents.copy()
    changed[0, [29, 24]] = [-0.75, 1]
    page.tab.wait_for_timeout(300)  # the first slider's picture may be the one that is drawn
    assert_drawn(page.caption("Seed 4, changed · Bag"), generator.from_latents(changed, 1))
    page.tab.click("#reset")
    assert_drawn(page.caption("Seed 4 · Bag"), generator.from_latents(latents, 1))


def test_named_sliders_move_along_directions(plain, browser, unpacked, visit, tmp_path):
    shutil.copytree(plain, tmp_path / "export" / "1")
    generator = kgan.runtime.Generator(tmp_path / "export")
    rng = np.random.default_rng(0)
    turn, smile = (
        direction_along(name, rng.normal(size=8), "normal", "drawn") for name in ("turn", "smile")
    )
    keep_directions(tmp_path / "export" / "1" / "directions.json", [turn, smile])
    with page_url(tmp_path / "export", unpacked, tmp_path) as url:
        page = visit(url)
        start = latent_law.from_seeds([0], 8)
        assert page.tab.locator("#named span").all_inner_texts() == ["turn", "smile"]
        assert page.tab.is_hidden("#sliders")
        page.set("#named label:nth-child(1) input", 2.5)
        page.set("#named label:nth-child(2) input", -1)
        page.tab.wait_for_timeout(300)  # the first slider's picture may be the one that is drawn
        moved = start + 2.5 * turn.vector - smile.vector
        assert_drawn(page.caption("Seed 0, changed"), generator.from_latents(moved))
        page.tab.click("#more")
        values = page.tab.locator("#sliders output:visible").all_inner_texts()
        shown = [float(text.replace("\N{MINUS SIGN}", "-")) for text in values]
        np.testing.assert_allclose(shown, moved[0], atol=0.0051)
        page.set("#sliders label:nth-child(3) input", 1.5)
        page.set("#named label:nth-child(1) input", 0)
        page.tab.wait_for_timeout(300)
        moved[0, 2] = 1.5
        moved -= 2.5 * turn.vector
        assert_drawn(page.caption("Seed 0, changed"), generator.from_latents(moved))
        page.tab.click("#reset")
        assert_drawn(page.caption("Seed 0"), generator.from_latents(start))


@pytest.mark.parametrize("kind", ["plain", "classes"])
def test_from_a_to_b(request, visit, kind):
    generator = kgan.runtime.Generator(request.getfixturevalue(kind))
    page = visit(request.getfixturevalue(f"{kind}_url"))
    law = generator.info["latents"]
    a, b = latent_law.from_seeds([9, 2], law["dim"], law["distribution"])
    label = [0, 2] if kind == "classes" else [None, None]
    of = [f" · {CLASSES[one]}" if kind == "classes" else "" for one in label]
    for seed, slot in ((9, "A"), (2, "B")):
        page.tab.click(f"#grid button:nth-child({seed + 1})")
        page.tab.click(f"[data-slot={slot}]")
    page.tab.click("#tab-between")
    along = latent_law.slerp if kind == "plain" else latent_law.lerp

    def expected(share):
        ends = [generator.from_latents(along(a, b, [share]), one).astype(float) for one in label]
        return np.rint((1 - share) * ends[0] + share * ends[1])  # of one class: itself

    page.set("#way", 25)
    assert_drawn(page.caption(f"25 % from A to B{of[0]}"), expected(0.25))
    page.set("#way", 70)
    assert_drawn(page.caption(f"70 % from A to B{of[1]}"), expected(0.7))
    page.set("#way", 0)
    assert_drawn(page.caption(f"Seed 9{of[0]}"), page.pixels("[data-slot=A] canvas")[..., :3])
    assert_drawn(page.caption(f"Seed 9{of[0]}"), generator.from_latents(a[None], label[0]))
    page.set("#way", 100)
    assert_drawn(page.caption(f"Seed 2{of[1]}"), generator.from_latents(b[None], label[1]))
    strip = page.pixels("#strip canvas")
    for place in (0, 1, 3, 6):
        assert_drawn(strip[place : place + 1], expected(place / 6))
    page.tab.click("#strip button:nth-child(4)")
    page.caption(f"50 % from A to B{of[1]}")


def test_arithmetic(plain, plain_url, visit):
    page, generator = visit(plain_url), kgan.runtime.Generator(plain)
    page.tab.click("#tab-sum")
    page.caption(SUM)
    for seed, slot in ((11, "A"), (5, "B"), (20, "C")):
        page.tab.click(f"#grid button:nth-child({seed + 1})")
        page.caption(f"Seed {seed}")
        page.tab.click(f"[data-slot={slot}]")
        shown = page.caption(SUM)
    a, b, c = latent_law.from_seeds([11, 5, 20], 8)
    assert_drawn(shown, generator.from_latents((a - b + c)[None]))
    assert_drawn(page.pixels(".sum canvas"), generator.from_latents(np.stack([a, b, c])))


def test_classes(classes, classes_url, visit):
    page, generator = visit(classes_url), kgan.runtime.Generator(classes)
    assert_drawn(page.samples(), generator.generate(24))
    by_seed = page.samples()
    assert page.tab.locator("#class option").all_inner_texts() == ["by seed", *CLASSES]
    page.tab.select_option("#class", label="Ankle boot")
    assert_drawn(page.samples(), generator.generate(24, labels=2))
    assert np.abs(page.samples().astype(int) - by_seed).max() > 10 * LEVELS
    assert_drawn(page.caption("Seed 0 · Ankle boot"), generator.generate(1, labels=2))
    page.tab.click("#more")
    page.set("#sliders label:nth-child(1) input", 0.5)
    page.caption("Seed 0, changed · Ankle boot")
    page.tab.select_option("#class", label="Bag")
    latents = latent_law.from_seeds([0], 30, "uniform")
    latents[0, 0] = 0.5
    assert_drawn(page.caption("Seed 0, changed · Bag"), generator.from_latents(latents, 1))


def test_png_files_hold_the_pictures(plain, plain_url, visit):
    page, generator = visit(plain_url), kgan.runtime.Generator(plain)

    def saved(selector):
        with page.tab.expect_download() as download:
            page.tab.click(selector)
        name = download.value.suggested_filename
        return name, np.asarray(Image.open(io.BytesIO(download.value.path().read_bytes())))

    page.tab.click("#grid button:nth-child(8)")
    name, picture = saved("#save")
    assert name == "clothes-seed-7.png"
    assert_drawn(picture[None], generator.generate(1, seed=7))
    np.testing.assert_array_equal(picture, page.pixels("#shown")[0])
    name, sheet = saved("#save-grid")
    assert name == "clothes-seeds-0-to-23.png"
    assert_drawn(sheet[None], kgan.images.grid(generator.generate(24), columns=8)[None])
    page.tab.click("#grid button:nth-child(8)")
    sizes = page.tab.locator("#scale option").all_inner_texts()
    assert sizes == [f"{20 * scale} {TIMES} {16 * scale}" for scale in (1, 2, 4, 8, 16)]
    page.tab.select_option("#scale", sizes[-1])
    name, large = saved("#save")
    assert name == "clothes-seed-7-16x.png"
    np.testing.assert_array_equal(large, picture.repeat(16, 0).repeat(16, 1))
