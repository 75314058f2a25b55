"""ADA's changes of colour: their draws against SciPy, their colours against NumPy."""

import numpy as np
import tensorflow as tf
from scipy import stats
from scipy.spatial.transform import Rotation

from kgan.layers import colour_augment as colour
from kgan.layers.draws import PerImage
from kgan.layers.random_matrices import product

RNG = np.random.default_rng(13)
IMAGES = RNG.uniform(-1, 1, (5, 4, 3, 3)).astype(np.float32)
AMOUNTS = RNG.uniform(0.3, 2.5, 5).astype(np.float32)
N = 4000


def matrices(*names, probability=1.0):
    draw = PerImage(tf.constant([3, 2], tf.int32), N)
    return colour.draw_matrices(names, draw, probability).numpy()


def follows(numbers, law):
    return stats.kstest(numbers, law.cdf).pvalue > 0.01


def test_each_change_equals_numpy():
    x, each = IMAGES.astype(float), AMOUNTS[:, None, None, None]
    grey = x.mean(3, keepdims=True)
    turns = Rotation.from_rotvec(AMOUNTS[:, None] * np.ones(3) / np.sqrt(3)).as_matrix()
    flipped = np.float32([1, 0, 1, 1, 0])
    for matrix, expected in (
        (colour.brighter(AMOUNTS), x + each),
        (colour.contrasted(AMOUNTS), x * each),
        (colour.luma_flipped(flipped), x - 2 * flipped[:, None, None, None] * grey),
        (colour.hue_turned(AMOUNTS), np.einsum("bij,bhwj->bhwi", turns, x)),
        (colour.saturated(AMOUNTS), grey + each * (x - grey)),
    ):
        np.testing.assert_allclose(colour.recolour(IMAGES, matrix), expected, atol=1e-5)


def test_grey_images_change_as_three_equal_colours():
    grey = IMAGES[..., :1]
    made = colour.recolour(np.repeat(grey, 3, axis=3), matrices(*colour.NAMES)[:5]).numpy()
    np.testing.assert_allclose(made, made[..., :1].repeat(3, axis=3), atol=1e-5)
    alone = colour.recolour(grey, matrices(*colour.NAMES)[:5])
    np.testing.assert_allclose(alone, made[..., :1], atol=1e-5)
    still = colour.recolour(grey, matrices("hue", "saturation")[:5])
    np.testing.assert_allclose(still, grey, atol=1e-5)


def test_the_draws_follow_the_papers_laws():
    assert colour.NAMES == ("brightness", "contrast", "luma_flip", "hue", "saturation")
    assert follows(matrices("brightness")[:, 1, 3], stats.norm(0, 0.2))
    assert follows(np.log2(matrices("contrast")[:, 2, 2]), stats.norm(0, 0.5))
    flipped = matrices("luma_flip")[:, :3, :3].sum((1, 2)).round(4)
    assert set(flipped) == {-3.0, 3.0}
    assert abs(flipped.mean()) < 0.2
    turn = matrices("hue")[:, :3, :3]
    signed = Rotation.from_matrix(turn).as_rotvec().sum(1) / np.sqrt(3)
    assert follows(signed, stats.uniform(-np.pi, 2 * np.pi))
    saturation = matrices("saturation")
    assert follows(np.log2(saturation[:, 0, 0] - saturation[:, 0, 1]), stats.norm(0, 1))
    both = matrices("contrast", "brightness")  # in the paper's order: the sum is multiplied
    assert follows(both[:, 0, 3] / both[:, 0, 0], stats.norm(0, 0.2))
    changed = (matrices("hue", probability=tf.constant(0.3)) != np.eye(4)).any((1, 2)).mean()
    assert abs(changed - 0.3) < 0.03  # four standard deviations


def test_the_order_is_the_products_from_right_to_left():
    added, factor = colour.brighter(AMOUNTS), colour.contrasted(AMOUNTS)
    each = AMOUNTS[:, None, None, None]
    made = colour.recolour(IMAGES, product([factor, added]))
    np.testing.assert_allclose(made, (IMAGES + each) * each, atol=1e-5)
