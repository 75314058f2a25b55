"""Switches and sliders of attributes: what the page draws is what onnxruntime draws."""

import numpy as np
import pytest

import kgan
from kgan import latents as latent_law
from tests.export.web.browser import assert_drawn

pytestmark = pytest.mark.slow
MINUS = "\N{MINUS SIGN}"
SMILE, YAW = (f"#attribute-rows label:nth-child({place}) input" for place in (1, 2))


def words(seed, label):
    smile, yaw = label
    number = f"{yaw:.2f}".replace("-", MINUS)
    return f"{seed} \N{MIDDLE DOT} {'' if smile else 'no '}smile \N{MIDDLE DOT} yaw {number}"


def test_seeds_have_their_rows_and_controls_change_the_picture(attributes, attributes_url, visit):
    page, generator = visit(attributes_url), kgan.runtime.Generator(attributes)
    rows = generator.attributes.rows
    assert "2 attributes" in page.tab.inner_text("#facts")
    assert_drawn(page.samples(), generator.generate(24))
    page.tab.click("#grid button:nth-child(8)")
    smile, yaw = rows[7 % 5].tolist()
    page.caption(words("Seed 7", (smile, yaw)))
    assert page.tab.is_checked(SMILE) == bool(smile)
    assert float(page.tab.input_value(YAW)) == pytest.approx(yaw, abs=0.011)
    page.tab.click(SMILE)
    latents = latent_law.from_seeds([7], 6, "normal")
    shown = page.caption(words("Seed 7", (1 - smile, yaw)))
    assert_drawn(shown, generator.from_latents(latents, [1 - smile, yaw]))
    page.set(YAW, 0.8)
    shown = page.caption(words("Seed 7", (1 - smile, 0.8)))
    assert_drawn(shown, generator.from_latents(latents, [1 - smile, 0.8]))


def test_a_slider_reaches_the_ends_of_its_range(attributes, attributes_url, visit):
    page, generator = visit(attributes_url), kgan.runtime.Generator(attributes)
    latents = latent_law.from_seeds([0], 6, "normal")
    smile = float(generator.attributes.rows[0, 0])
    for key, end in zip(("Home", "End"), generator.attributes.ranges[1], strict=True):
        page.tab.locator(YAW).press(key)
        assert float(page.tab.input_value(YAW)) == end
        shown = page.caption(words("Seed 0", (smile, end)))
        assert_drawn(shown, generator.from_latents(latents, [smile, end]))
        page.set(YAW, 0)
        page.set(YAW, end)
        assert float(page.tab.input_value(YAW)) == end


def test_numbers_are_shown_as_finely_as_their_range_needs(attributes_url, visit):
    page = visit(attributes_url)
    shown = page.tab.evaluate(
        """async () => {
            const { inWords } = await import("./generator.js");
            const asked = [[0.0015, 0, 0.004], [-0.5, -1, 1], [1234.5, 0, 60000], [1e-9, 0, 4e-9]];
            return asked.map(([number, ...range]) => inWords(number, range));
        }"""
    )
    assert shown == ["0.00150", f"{MINUS}0.50", "1235", f"1.00e{MINUS}9"]


def test_all_samples_like_this(attributes, attributes_url, visit):
    page, generator = visit(attributes_url), kgan.runtime.Generator(attributes)
    page.set(YAW, 0.6)
    page.tab.check("#all-samples")
    asked = {"smile": generator.attributes.rows[0, 0], "yaw": 0.6}
    assert_drawn(page.samples(), generator.generate(24, labels=asked))
    page.tab.uncheck("#all-samples")
    assert_drawn(page.samples(), generator.generate(24))


def test_from_a_to_b_walks_through_the_attributes(attributes, attributes_url, visit):
    page, generator = visit(attributes_url), kgan.runtime.Generator(attributes)
    rows = generator.attributes.rows
    page.tab.click("#tab-between")
    page.set("#way", 25)
    label = 0.75 * rows[0] + 0.25 * rows[1]
    shown = page.caption(words("25 % from A to B", (label[0] >= 0.5, label[1])))
    a, b = latent_law.from_seeds([0, 1], 6, "normal")
    assert_drawn(shown, generator.from_latents(latent_law.slerp(a, b, [0.25]), label))


def test_a_phone_never_scrolls_sideways(attributes_url, visit):
    page = visit(attributes_url, viewport={"width": 360, "height": 740})
    assert page.samples().shape[0] == 12
    assert page.tab.evaluate("document.documentElement.scrollWidth") == 360
    assert np.ptp(page.samples()) > 0
