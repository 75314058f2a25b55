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
        np.zeros((2, 2, 2, 4), np.uint8),
        np.zeros((2, 2, 2), np.uint8),
    ],
)
def test_grid_refuses_what_is_no_batch_of_pictures(bad):
    with pytest.raises(InputError, match="Received"):
        images.grid(bad)


@pytest.mark.parametrize("channels", [1, 3])
def test_png_holds_the_same_pixels(tmp_path, channels):
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, channels), np.uint8)
    path = images.save_png(tmp_path / "new" / "p.png", picture)
    read = np.asarray(Image.open(path))
    np.testing.assert_array_equal(read.reshape(picture.shape), picture)


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    path = tmp_path / "kept.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), whole_file(path) as temporary:  # noqa: PT012
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
