"""ADA's geometric changes: their draws and their pictures against SciPy."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import interpolate, ndimage, stats

from kgan.layers import geometric_augment as geometry
from kgan.layers.draws import PerImage
from kgan.layers.random_matrices import product

RNG = np.random.default_rng(12)
IMAGES = RNG.uniform(-1, 1, (4, 14, 10, 3)).astype(np.float32)
N = 4000


def matrices(name, probability=1.0):
    draw = PerImage(tf.constant([3, 1], tf.int32), N)
    return geometry.draw_matrices([name], (64, 40), draw, probability).numpy()


def follows(numbers, law):
    return stats.kstest(numbers, law.cdf).pvalue > 0.01


def test_the_draws_follow_the_papers_laws():
    assert [name for name, _ in geometry.CHANGES] == [
        *("flip", "rotate90", "integer_shift", "scale", "rotation", "anisotropy", "rotation"),
        "fractional_shift",
    ]
    flip = matrices("flip")
    assert set(flip[:, 0, 0]) == {-1.0, 1.0}
    assert abs(flip[:, 0, 0].mean()) < 0.06
    np.testing.assert_array_equal(flip[:, 1, 1], 1.0)
    quarter = matrices("rotate90")
    places, counts = np.unique(quarter[:, :2, :2].reshape(N, 4), axis=0, return_counts=True)
    turns = [[-1, 0, 0, -1], [0, -1, 1, 0], [0, 1, -1, 0], [1, 0, 0, 1]]
    np.testing.assert_array_equal(places, turns)
    assert stats.chisquare(counts).pvalue > 0.01
    shift = matrices("integer_shift")[:, :2, 2]
    np.testing.assert_array_equal(shift, shift.round())
    assert (np.abs(shift).max(0) == [5, 8]).all()  # an eighth of 40 and of 64
    scale, uneven = matrices("scale"), matrices("anisotropy")
    np.testing.assert_array_equal(scale[:, 0, 0], scale[:, 1, 1])
    np.testing.assert_allclose(uneven[:, 0, 0] * uneven[:, 1, 1], 1.0, rtol=1e-6)
    for each in (scale, uneven):
        assert follows(np.log2(each[:, 0, 0]), stats.norm(0, 0.2))
    turn = matrices("rotation")
    angle = np.arctan2(turn[:, 1, 0], turn[:, 0, 0])
    assert follows(angle, stats.uniform(-np.pi, 2 * np.pi))
    np.testing.assert_allclose(np.linalg.det(turn), 1.0, atol=1e-5)
    right, down = matrices("fractional_shift")[:, :2, 2].T
    assert follows(right, stats.norm(0, 5))
    assert follows(down, stats.norm(0, 8))
    assert abs(np.corrcoef(right, down)[0, 1]) < 0.06


@pytest.mark.parametrize("name", ["scale", "rotation"])
def test_probability_is_the_share_that_is_changed(name):
    """Of the two turns, one before and one after the anisotropy, one at least."""
    changed = (matrices(name, tf.constant(0.36)) != np.eye(3)).any((1, 2)).mean()
    assert abs(changed - 0.36) < 0.03  # four standard deviations


def test_whole_pixels_mirror_images_and_quarter_turns_are_exact():
    one, x = tf.ones(4), IMAGES
    flip = geometry.scaled(-one, 1.0)
    np.testing.assert_array_equal(geometry.resample(x, flip), x[:, :, ::-1])
    shift = geometry.shifted(3.0 * one, -2.0 * one)
    padded = np.pad(x, [(0, 0), (2, 2), (3, 3), (0, 0)], "reflect")
    moved = padded[:, 4:, :-6]
    np.testing.assert_array_equal(geometry.resample(x, shift), moved)
    square = x[:, :10]
    turn = geometry.rotated(0.0 * one, one)
    clockwise = np.rot90(square, -1, (1, 2))
    np.testing.assert_array_equal(geometry.resample(square, turn), clockwise)
    # One after the other: the first that is listed is the first that is done.
    both = geometry.resample(square, product([turn, flip]))
    np.testing.assert_array_equal(both, clockwise[:, :, ::-1])
    half = tf.cast(x, tf.float16)
    np.testing.assert_array_equal(geometry.resample(half, tf.eye(3, batch_shape=[4])), half)


def scipys(image, matrix):
    """One channel (H, W) by SciPy: twice the resolution, then bilinearly."""
    middle = [interpolate.lagrange(range(6), row)(2.5) for row in np.eye(6)]
    for axis in (0, 1):
        between = ndimage.correlate1d(image, middle, axis, mode="mirror", origin=-1)
        fine = np.stack([image, between], axis + 1)
        shape = [2 * n if i == axis else n for i, n in enumerate(image.shape)]
        image = fine.reshape(shape)
        image = image[:-1] if axis == 0 else image[:, :-1]
    size = np.array(image.shape)
    linear, offset = matrix[1::-1, 1::-1], matrix[1::-1, 2]
    fine_middle = (size - 1) / 2
    places = 2 * linear  # rows and columns
    start = fine_middle + 2 * offset - places @ ((size + 1) / 2 - 1) / 2
    return ndimage.affine_transform(
        image, places, start, ((size + 1) / 2).astype(int), order=1, mode="mirror"
    )


def test_any_matrix_equals_scipy():
    any_of_them = np.tile(np.eye(3), (4, 1, 1))
    any_of_them[:, :2] += RNG.normal(0, [0.4, 0.4, 8.0], (4, 2, 3))
    made = geometry.resample(IMAGES, tf.constant(any_of_them, tf.float32)).numpy()
    for image, matrix, result in zip(IMAGES.astype(float), any_of_them, made, strict=True):
        for channel in range(3):
            expected = scipys(image[..., channel], matrix)
            np.testing.assert_allclose(result[..., channel], expected, atol=1e-4)


def test_half_a_pixel_keeps_fine_waves():
    wave = np.cos(np.pi / 2 * np.arange(32)).reshape(1, 1, 32, 1).astype(np.float32)
    wave = np.repeat(wave, 4, axis=1)
    made = geometry.resample(wave, geometry.shifted(tf.constant([0.5]), tf.constant([0.0])))
    assert np.abs(made[0, 0, 8:24, 0]).max() == pytest.approx(0.95 * np.cos(np.pi / 4), abs=3e-3)
