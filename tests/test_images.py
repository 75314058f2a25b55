"""Value ranges, grids and files that appear whole."""

import numpy as np
import pytest
from PIL import Image

from kgan import images
from kgan.errors import InputError
from kgan.files import whole_file


def test_to_uint8_rounds_to_the_nearest_level_and_clips():
    # (x + 1) * 127.5: -1 -> 0, 0 -> 127.5 -> even 128, 0.5 -> 191.25, 1 -> 255; outside is clipped
    received = images.to_uint8([-1.0, 0.0, 0.5, 1.0, -3.0, 7.0], (-1.0, 1.0))
    np.testing.assert_array_equal(received, np.array([0, 128, 191, 255, 0, 255], np.uint8))
    np.testing.assert_array_equal(images.to_uint8([0.0, 0.2, 1.0], (0.0, 1.0)), [0, 51, 255])


@pytest.mark.parametrize("value_range", [(-1.0, 1.0), (0.0, 1.0)])
def test_every_level_survives_the_way_there_and_back(value_range):
    levels = np.arange(256, dtype=np.uint8)
    floats = images.from_uint8(levels, value_range)
    assert floats.dtype == np.float32
    assert (floats[0], floats[-1]) == value_range
    np.testing.assert_array_equal(images.to_uint8(floats, value_range), levels)


def test_grid_places_pictures_row_by_row():
    pictures = np.stack([np.full((2, 3, 1), level, np.uint8) for level in (10, 20, 30)])
    sheet = images.grid(pictures, columns=2, padding=1, background=255)
    expected = np.full((7, 9), 255, np.uint8)
    expected[1:3, 1:4] = 10
    expected[1:3, 5:8] = 20
    expected[4:6, 1:4] = 30
    np.testing.assert_array_equal(sheet[..., 0], expected)


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((0, 2, 2, 1), np.uint8),
        np.zeros((2, 2, 2, 1), np.float32),
        np.zeros((2, 2, 2, 9), np.uint8),
        np.zeros((2, 2, 2), np.uint8),
    ],
)
def test_grid_refuses_what_is_no_batch_of_pictures(bad):
    with pytest.raises(InputError, match="Received"):
        images.grid(bad)


def test_channels_that_are_no_picture_lie_side_by_side():
    image = np.arange(2 * 3 * 5, dtype=np.uint8).reshape(1, 2, 3, 5)
    (shown,) = images.as_pictures(image)
    np.testing.assert_array_equal(shown[..., 0], np.hstack(list(np.moveaxis(image[0], 2, 0))))
    sheet = images.grid(np.concatenate([image, image + 100]), columns=1, padding=1)
    assert sheet.shape == (2 * 3 + 1, 15 + 2, 1)
    np.testing.assert_array_equal(sheet[4:6, 1:16], shown + 100)
    for channels in (1, 3, 4):
        whole = np.zeros((2, 4, 4, channels), np.uint8)
        assert images.as_pictures(whole) is whole


def test_sheets_of_transparent_pictures_are_transparent_around_them():
    pictures = np.full((3, 2, 2, 4), 200, np.uint8)
    sheet = images.grid(pictures, columns=2, padding=1)
    expected = np.zeros((7, 7), np.uint8)
    expected[1:3, 1:3] = expected[1:3, 4:6] = expected[4:6, 1:3] = 200
    np.testing.assert_array_equal(sheet[..., 3], expected)
    both = images.pairs(pictures, pictures, columns=2)
    assert (both[..., 3] > 0).sum() == 6 * 4  # the filler is not seen


def test_over_is_what_pillow_composites():
    pictures = np.random.default_rng(3).integers(0, 256, (2, 9, 9, 4), np.uint8)
    for colour in ((255, 255, 255), (10, 200, 30)):
        under = Image.new("RGBA", (9, 9), (*colour, 255))
        expected = [Image.alpha_composite(under, Image.fromarray(one)) for one in pictures]
        expected = np.stack([np.asarray(one.convert("RGB")) for one in expected])
        # Pillow's fixed point may be a level off the nearest one.
        assert np.abs(images.over(pictures, colour).astype(int) - expected).max() <= 1
    opaque = pictures.copy()
    opaque[..., 3] = 255
    np.testing.assert_array_equal(images.over(opaque), opaque[..., :3])


def test_images_that_are_no_pictures_are_saved_as_arrays(tmp_path):
    five = np.random.default_rng(0).integers(0, 256, (4, 6, 5), np.uint8)
    assert images.save_named(tmp_path / "new", "a", five) == tmp_path / "new" / "a.npy"
    np.testing.assert_array_equal(np.load(tmp_path / "new" / "a.npy"), five)
    path = images.save_named(tmp_path, "b", five[..., :4], drawn=True)
    assert path == tmp_path / "b.png"
    with Image.open(path) as read:
        assert images.is_drawn(read)
        np.testing.assert_array_equal(np.asarray(read), five[..., :4])


def test_an_animation_keeps_transparency(tmp_path):
    frames = np.zeros((2, 8, 8, 4), np.uint8)
    frames[:, 2:6, 2:6] = [[[[200, 0, 0, 255]]], [[[0, 0, 200, 128]]]]
    with Image.open(images.save_animation(tmp_path / "a.webp", frames)) as read:
        for number, frame in enumerate(frames):
            read.seek(number)
            shown = np.asarray(read.convert("RGBA"))
            np.testing.assert_array_equal(shown[..., 3], frame[..., 3])
            np.testing.assert_array_equal(shown[2:6, 2:6], frame[2:6, 2:6])


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_png_holds_the_same_pixels(tmp_path, channels):
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, channels), np.uint8)
    path = images.save_png(tmp_path / "new" / "p.png", picture)
    read = np.asarray(Image.open(path))
    np.testing.assert_array_equal(read.reshape(picture.shape), picture)


TRANSLUCENT = np.array([[[200, 30, 60, 0], [10, 20, 30, 128], [1, 2, 3, 255]]] * 2, np.uint8)


@pytest.mark.parametrize("suffix", ["png", "webp", "tif", "tga", "ico", "dds", "qoi", "sgi"])
def test_formats_with_alpha_keep_it_and_what_it_hides(tmp_path, suffix):
    path = images.save_image(tmp_path / f"icon.{suffix}", TRANSLUCENT)
    with Image.open(path) as image:
        np.testing.assert_array_equal(np.asarray(image.convert("RGBA")), TRANSLUCENT)


@pytest.mark.parametrize("suffix", ["bmp", "gif", "jpg"])
def test_formats_without_alpha_are_over_white(tmp_path, suffix):
    plain = np.zeros((16, 16, 4), np.uint8)  # one colour, which no format changes much
    path = images.save_image(tmp_path / f"icon.{suffix}", plain)
    with Image.open(path) as image:
        assert np.abs(np.asarray(image.convert("RGB")).astype(int) - 255).max() <= 1


@pytest.mark.parametrize(("suffix", "side"), [("icns", 16), ("ico", 257)])
def test_icons_of_other_sizes_are_not_written(tmp_path, suffix, side):
    with pytest.raises(InputError, match=rf"sizes of its own.*Received: {side}x{side}"):
        images.save_image(tmp_path / f"icon.{suffix}", np.zeros((side, side, 3), np.uint8))
    assert not any(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    path = tmp_path / "kept.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), whole_file(path) as temporary:  # noqa: PT012
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_images_are_shown_in_a_notebook_alone():
    """In one: tests/test_notebooks.py."""
    with pytest.raises(InputError, match=r"save_png.* writes them\. Received: a script"):
        images.show(np.zeros((2, 8, 8, 1), np.uint8))


@pytest.mark.parametrize(
    ("shape", "times"), [((28, 28, 1), 18), ((300, 20, 3), 1), ((600, 9, 4), 1)]
)
def test_small_sheets_are_enlarged_to_be_looked_at(shape, times):
    sheet = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    shown = np.asarray(images.as_shown(sheet)).reshape(shape[0] * times, shape[1] * times, shape[2])
    np.testing.assert_array_equal(shown[::times, ::times], sheet)
    np.testing.assert_array_equal(shown[times - 1 :: times, times - 1 :: times], sheet)
