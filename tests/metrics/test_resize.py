"""The one resize rule: what it does to grey, small, large and oblong images."""

import numpy as np
import pytest

import kgan
from kgan import metrics


def cubic(x):
    """Keys's kernel with a = -1/2, which Pillow's bicubic is."""
    x = np.abs(x)
    near, far = 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def kernel_matrix(before, after):
    """Linear map of one side; its support grows with the reduction, which is the antialiasing."""
    scale = before / after
    centres = (np.arange(after) + 0.5) * scale - 0.5
    weights = cubic((np.arange(before)[None] - centres[:, None]) / max(scale, 1))
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("shape", [(28, 28, 1), (20, 33, 3), (200, 90, 3), (112, 112, 3)])
def test_it_is_bicubic_and_antialiased_and_stretches(shape):
    # Smooth, so that the two roundings to levels are all that differs.
    rows, columns, channels = np.ogrid[: shape[0], : shape[1], : shape[2]]
    wave = np.sin(rows / shape[0] * 9 + channels) * np.cos(columns / shape[1] * 7)
    image = np.rint(127 + 90 * wave).astype(np.uint8)
    down, across = (kernel_matrix(side, 112) for side in shape[:2])
    expected = np.stack([down @ image[..., c] @ across.T for c in range(shape[2])], axis=-1)
    found = metrics.resize(image[None], 112)
    assert found.shape == (1, 112, 112, 3)
    assert found.dtype == np.uint8
    assert np.abs(found[0] - expected).max() <= 1.2


def test_fine_stripes_become_grey():
    stripes = np.zeros((1, 448, 448), np.uint8)
    stripes[:, ::2] = 255
    inner = metrics.resize(stripes, 112)[:, 4:-4]
    assert np.abs(inner.astype(int) - 127).max() <= 2  # a resize that only samples gives 0 or 255


def test_grey_is_three_equal_channels_and_its_own_size_is_left_alone():
    image = np.random.default_rng(0).integers(0, 256, (2, 9, 9), np.uint8)
    np.testing.assert_array_equal(metrics.resize(image, 9), np.repeat(image[..., None], 3, axis=3))
    larger = metrics.resize(image, 20)
    np.testing.assert_array_equal(larger[..., 0], larger[..., 2])
    colour = np.random.default_rng(0).integers(0, 256, (2, 9, 9, 3), np.uint8)
    np.testing.assert_array_equal(metrics.resize(colour, 9), colour)


def test_transparent_pictures_are_seen_over_white():
    images = np.random.default_rng(1).integers(0, 256, (2, 9, 9, 4), np.uint8)
    seen = kgan.images.over(images, (255, 255, 255))
    np.testing.assert_array_equal(metrics.resize(images, 16), metrics.resize(seen, 16))
    hidden = images.copy()
    hidden[..., 3] = 0
    assert (metrics.resize(hidden, 16) == 255).all()


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (np.zeros((2, 8, 8, 2), np.uint8), r"1 .grey., 3 .RGB. or 4 .RGBA. channels\. Received: 2"),
        (np.zeros((2, 8, 8, 5), np.uint8), "Only pictures are measured, .* Received: 5 channels"),
        (np.zeros((2, 8, 8, 3)), r"must be uint8 .*float64 \(2, 8, 8, 3\)"),
        (np.zeros((8, 8), np.uint8), r"\(8, 8\)"),
        (np.zeros((0, 8, 8, 3), np.uint8), r"\(0, 8, 8, 3\)"),
        ([np.zeros((8, 8), np.uint8), np.zeros((9, 8), np.uint8)], "of one size a batch"),
        (None, "must be uint8"),
    ],
)
def test_what_is_no_image_is_one_line(images, words):
    with pytest.raises(kgan.InputError, match=words) as caught:
        metrics.resize(images, 16)
    assert str(caught.value).isprintable()
