"""Transparent pictures with HxWx4: clean edges, no hidden colours, and what is said of it."""

import numpy as np
import pytest
from PIL import Image

import kgan
from kgan.data import decode, open_source, pack
from kgan.data.builders import array_source
from kgan.data.check import check_folder, preview
from kgan.data.transparency import with_mean_colour
from kgan.runs import RunOptions, goal, heading
from tests.metrics.test_resize import kernel_matrix

RNG = np.random.default_rng(7)
WHITE = (255, 255, 255)
GREEN = (0, 255, 0)


def disc(side, colour, hidden=GREEN):
    """A round picture, RGBA, opaque inside and wholly transparent outside; `hidden` lies there."""
    down, right = np.mgrid[:side, :side] + 0.5
    inside = (down - side / 2) ** 2 + (right - side / 2) ** 2 < (0.4 * side) ** 2
    image = np.empty((side, side, 4), np.uint8)
    image[..., :3] = np.where(inside[..., None], colour, hidden)
    image[..., 3] = np.where(inside, 255, 0)
    return image


def decoded(path, shape, fit="crop"):
    return decode.decode(path, shape, fit, WHITE)


def messages(caplog):
    return [record.getMessage() for record in caplog.records]


@pytest.fixture
def mixed(tmp_path):
    """Four discs with hidden green, and two opaque pictures."""
    for index in range(4):
        Image.fromarray(disc(24, (200, 40 * index, 60))).save(tmp_path / f"disc-{index}.png")
    for index in range(2):
        noise = RNG.integers(0, 256, (24, 24, 3), np.uint8)
        Image.fromarray(noise).save(tmp_path / f"whole-{index}.png")
    return tmp_path


@pytest.mark.parametrize("after", [13, 60])
def test_edges_are_clean_and_colours_count_by_how_opaque_they_are(tmp_path, after):
    colours = RNG.integers(0, 256, (40, 40, 3))
    colours[..., 1] = 0
    image = disc(40, (0, 0, 0))
    image[image[..., 3] > 0, :3] = colours[image[..., 3] > 0]
    Image.fromarray(image).save(tmp_path / "a.png")
    made = decoded(tmp_path / "a.png", (after, after, 4))
    assert not made[..., 1].any()  # of the hidden green nothing
    scale = kernel_matrix(40, after)
    alpha = image[..., 3] / 255.0
    expected_alpha = scale @ alpha @ scale.T
    visible = expected_alpha >= 1 / 64  # beyond, the colours of ringing are noise
    shown = np.where(visible, np.minimum(expected_alpha, 1), 0)
    assert np.abs(made[..., 3] - 255 * shown).max() <= 0.51
    hidden = made[~visible, :3].astype(int)
    assert len(hidden)
    np.testing.assert_array_equal(hidden, hidden[:1].repeat(len(hidden), 0))
    for channel in range(3):
        product = scale @ (image[..., channel] * alpha) @ scale.T
        expected = np.clip(product[visible] / expected_alpha[visible], 0, 255)
        assert np.abs(made[visible, channel] - expected).max() <= 0.51


def test_a_plain_colour_stays_so_to_its_edge_however_far_it_is_scaled(tmp_path):
    for side, after in ((400, 20), (64, 32), (20, 50)):
        image = disc(side, (200, 30, 60))
        Image.fromarray(image).save(tmp_path / "a.png")
        made = decoded(tmp_path / "a.png", (after, after, 4))
        colours = made[..., :3].astype(int)
        # A large one is first averaged in 8 bits: at an alpha of 32 a level is 8 of the colour's.
        assert np.abs(colours - (200, 30, 60))[made[..., 3] >= 32].max() <= (side == 400) * 4
        assert colours[..., 1].max() < 60
        assert made[..., 3].mean() == pytest.approx(image[..., 3].mean(), rel=0.02)


def test_hidden_pixels_have_the_mean_of_what_is_visible_by_alpha():
    image = np.full((2, 2, 4), 9, np.uint8)
    image[0] = [(255, 0, 0, 255), (0, 0, 255, 85)]
    image[1, :, 3] = 0
    # Red weighs 255 and blue 85: 255 * 255 / 340 = 191.25 and 255 * 85 / 340 = 63.75.
    made = with_mean_colour(image)
    np.testing.assert_array_equal(made[0], image[0])
    np.testing.assert_array_equal(made[1], [(191, 0, 64, 0)] * 2)
    floats = with_mean_colour(image / np.float32(255))
    assert floats.dtype == np.float32
    np.testing.assert_allclose(floats[1, 0, :3], [0.75, 0, 0.25], rtol=1e-6)
    np.testing.assert_array_equal(with_mean_colour(image * 0), image * 0)
    np.testing.assert_array_equal(image[1], [(9, 9, 9, 0)] * 2)  # what was given stays


def test_pictures_of_every_mode_become_rgba(tmp_path):
    red = Image.new("RGB", (8, 8), (255, 0, 0))
    palette = Image.new("P", (8, 8), 0)
    palette.putpalette([250, 0, 0, 0, 0, 250] + [0] * 762)
    palette.paste(1, (0, 0, 4, 8))
    grey = Image.merge("LA", (Image.new("L", (8, 8), 90), Image.new("L", (8, 8), 128)))
    deep = Image.fromarray(np.full((8, 8), 257 * 40, np.uint16))
    red.save(tmp_path / "rgb.png")
    red.convert("CMYK").save(tmp_path / "cmyk.jpg", quality=100)
    palette.save(tmp_path / "opaque.gif")
    palette.save(tmp_path / "hole.png", transparency=1)
    grey.save(tmp_path / "la.png")
    deep.save(tmp_path / "deep.png")
    expected = {
        "rgb.png": (255, 0, 0, 255),
        "cmyk.jpg": (255, 0, 0, 255),
        "opaque.gif": (250, 0, 0, 255),
        "hole.png": (250, 0, 0, 255),
        "la.png": (90, 90, 90, 128),
        "deep.png": (40, 40, 40, 255),
    }
    for name, colour in expected.items():
        made = decoded(tmp_path / name, (8, 8, 4))
        assert np.abs(made[4, 6].astype(int) - colour).max() <= 2, name
    # The hole was blue, and has the colour of what is beside it.
    hole = decoded(tmp_path / "hole.png", (8, 8, 4))
    np.testing.assert_array_equal(hole[4, 1], (250, 0, 0, 0))


def test_padding_is_transparent(tmp_path):
    Image.new("RGB", (8, 4), (255, 0, 0)).save(tmp_path / "wide.png")
    made = decoded(tmp_path / "wide.png", (8, 8, 4), "pad")
    assert made[:2, :, 3].max() == made[6:, :, 3].max() == 0
    assert made[2:6, :, 3].min() == 255
    np.testing.assert_array_equal(made[..., :3], np.full((8, 8, 3), (255, 0, 0)))


def test_a_mix_of_opaque_and_transparent_files_is_told_and_stands_in_the_header(mixed, caplog):
    source = open_source(mixed, image_shape=(24, 24, 4))
    assert messages(caplog) == ["2 of 6 pictures have no transparency: they are opaque"]
    told = "transparency kept, 2 of 6 pictures without any are opaque"
    assert source.transparency == told
    options = RunOptions(size=(24, 24, 4), steps=1, transparency=source.transparency)
    words = heading.of_options(options, goal.Progress(0, 0.0, 1))["data"]
    assert words == told  # beside what the data are, which only a resolved run says
    images = [image for image, _ in source.read(source.examples())]
    assert [image[..., 3].min() for image in images] == [0, 0, 0, 0, 255, 255]
    assert all(not (image[..., 1] > 200).any() for image in images[:4])
    batches = kgan.data.from_folder(mixed, image_shape=(24, 24, 4), batch_size=6, shuffle=False)
    np.testing.assert_allclose(next(iter(batches)), np.stack(images) / 127.5 - 1, atol=1e-6)


def test_three_channels_are_composited_as_ever_and_told_in_the_header(mixed, caplog):
    source = open_source(mixed, image_shape=(24, 24), background=(1, 2, 3))
    (line,) = messages(caplog)
    assert line.startswith("4 of 6 pictures have transparency: it is filled with the background")
    assert source.transparency == "transparency filled with 1,2,3 (--size HxWx4 keeps it)"
    (first, *_) = [image for image, _ in source.read(source.examples())]
    under = Image.new("RGBA", (24, 24), (1, 2, 3, 255))
    expected = Image.alpha_composite(under, Image.open(mixed / "disc-0.png"))
    np.testing.assert_array_equal(first, np.asarray(expected.convert("RGB")))
    (mixed / "whole").mkdir()
    for index in range(2):
        (mixed / f"whole-{index}.png").rename(mixed / "whole" / f"{index}.png")
    assert open_source(mixed / "whole").transparency is None


def test_what_is_wholly_transparent_is_skipped_with_a_line(mixed, caplog):
    Image.new("RGBA", (24, 24), (*GREEN, 0)).save(mixed / "a.png")
    source = open_source(mixed, image_shape=(24, 24, 4))
    images = [image for image, _ in source.read(source.examples())]
    assert len(images) == 6
    assert list(source.skipped.values()) == ["wholly transparent, there is nothing to see"]
    assert sum("a.png: wholly transparent" in line for line in messages(caplog)) == 1
    strict = open_source(mixed, image_shape=(24, 24, 4), strict=True)
    with pytest.raises(kgan.InputError, match=r"a\.png \(wholly transparent"):
        list(strict.read(strict.examples()))
    report = check_folder(mixed, image_shape=(24, 24, 4))
    assert [reason for _, reason in report.problems] == [
        "wholly transparent, there is nothing to see"
    ]
    assert preview(report).shape[-1] == 4


def test_arrays_of_four_channels_keep_alpha_and_lose_what_is_invisible(tmp_path, caplog):
    images = np.stack([disc(16, (50 * n, 9, 9)) for n in range(5)])
    images[2, ..., 3] = 0
    np.savez(tmp_path / "a.npz", images=images, labels=np.array([0, 1, 1, 0, 1]))
    source = open_source(tmp_path / "a.npz", labels=True)
    assert messages(caplog) == ["skipped 1 of 5 pictures that are wholly transparent"]
    assert (source.image_shape, source.count) == ((16, 16, 4), 4)
    assert source.labels.tolist() == [0, 1, 0, 1]
    assert source.transparency == "transparency kept"
    np.testing.assert_array_equal(source.images, [*map(with_mean_colour, images[[0, 1, 3, 4]])])
    filled = open_source(tmp_path / "a.npz", image_shape=(16, 16, 3))
    assert filled.transparency.startswith("transparency filled with 255,255,255")
    np.testing.assert_array_equal(filled.images, kgan.images.over(images[[0, 1, 3, 4]]))
    black = open_source(tmp_path / "a.npz", background=(0, 0, 0))
    np.testing.assert_array_equal(black.images, kgan.images.over(images[[0, 1, 3, 4]], (0, 0, 0)))
    with pytest.raises(kgan.InputError, match="All pictures are wholly transparent"):
        array_source(images * 0, None, None, "crop", WHITE, "arrays")


def test_floats_with_alpha_are_scaled_as_pictures_are():
    images = np.stack([disc(30, (200, 30 * n, 60)) for n in range(3)])
    floats = array_source(images / 255.0, (0, 1), (12, 14, 4), "crop", WHITE, "floats").values
    levels = array_source(images, None, (12, 14, 4), "crop", WHITE, "levels").images
    assert floats.dtype == np.float32
    assert np.abs(floats * 255 - levels).max() <= 0.51
    assert floats[..., 1].max() * 255 <= 61  # of the hidden green nothing


def test_shards_keep_it_too(mixed, tmp_path):
    source = open_source(mixed, image_shape=(24, 24, 4))
    pack(source, tmp_path / "shards")
    packed = open_source(tmp_path / "shards")
    assert packed.image_shape == (24, 24, 4)
    assert packed.transparency == "transparency kept"
    both = [sorted(i.tobytes() for i, _ in each.read(each.examples())) for each in (source, packed)]
    assert both[0] == both[1]
    filled = open_source(tmp_path / "shards", image_shape=(24, 24, 3))
    assert filled.transparency.startswith("transparency filled with 255,255,255")


def test_what_does_not_go_together_is_one_line(mixed):
    for options, says in (
        ({"image_shape": (8, 8, 4), "background": (0, 0, 0)}, "give one of them. .* 0,0,0 and 8x8"),
        ({"image_shape": (8, 8, 5)}, r"1 \(grey\), 3 \(RGB\) or 4 \(RGBA\).* Received: 8x8x5"),
        ({"image_shape": (8, 8, 2)}, "others come from .npy and .npz. Received: 8x8x2"),
    ):
        with pytest.raises(kgan.InputError, match=says):
            open_source(mixed, **options)


@pytest.mark.parametrize(("mode", "channels"), [("LA", 1), ("RGBA", 4)])
def test_premultiplied_images_of_a_list_are_what_they_were(mode, channels):
    plain = Image.new(mode, (8, 8), (128,) * len(mode))
    shape = (8, 8, channels)
    found, expected = (
        next(iter(kgan.data.from_arrays([image] * 2, image_shape=shape, batch_size=1)))
        for image in (plain.convert({"LA": "La", "RGBA": "RGBa"}[mode]), plain)
    )
    np.testing.assert_allclose(found, expected, atol=2 / 127.5)
