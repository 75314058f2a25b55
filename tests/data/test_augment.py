"""Random augmentations: what each may change and what it must keep, by independent measures."""

import colorsys

import numpy as np
import pytest
import tensorflow as tf

import kgan
from kgan.data.augment import AUGMENTATIONS, Augmentation, check, expanded, parse

RNG = np.random.default_rng(4)
RANGES = [(-1.0, 1.0), (0.0, 1.0)]
NAMES = list(AUGMENTATIONS)


def seed(number=0):
    return tf.constant([7, number], tf.int64)


@pytest.fixture(scope="module")
def pictures():
    """64 smooth colour pictures of 12x10, well inside [-1, 1]."""
    rows, columns = np.mgrid[:12, :10] / 10.0
    waves = [0.6 * np.sin(a * rows + b * columns + c) for a, b, c in RNG.uniform(1, 4, (64 * 3, 3))]
    return np.moveaxis(np.reshape(waves, (64, 3, 12, 10)), 1, -1).astype(np.float32)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_changes_alike_eagerly_in_tf_data_and_one_by_one(name, pictures):
    augmentation = Augmentation(name, probability=0.7)
    eager = augmentation(pictures, seed())
    assert eager.shape == pictures.shape
    data = tf.data.Dataset.from_tensors(pictures).map(lambda x: augmentation(x, seed()))
    np.testing.assert_allclose(next(iter(data)), eager, atol=1e-6)
    assert data.element_spec.shape == pictures.shape
    again = augmentation(pictures, seed())
    np.testing.assert_array_equal(again, eager)
    assert np.abs(augmentation(pictures, seed(1)) - eager).max() > 1e-3
    single = augmentation(pictures[0], seed())
    assert single.shape == pictures[0].shape
    np.testing.assert_allclose(single, augmentation(pictures[:1], seed())[0], atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_both_value_ranges_mean_the_same_pictures(name, pictures):
    augmentation = Augmentation(name, probability=1.0)
    tanh = augmentation(pictures, seed(), (-1.0, 1.0))
    sigmoid = augmentation((pictures + 1) / 2, seed(), (0.0, 1.0))
    np.testing.assert_allclose(np.asarray(sigmoid) * 2 - 1, tanh, atol=1e-5)
    assert np.abs(tanh).max() <= 1.0


@pytest.mark.parametrize("name", NAMES)
def test_probability_is_the_share_that_is_changed(name, pictures):
    def changed(probability):
        made = Augmentation(name, probability=probability)(pictures, seed(3))
        return np.abs(made - pictures).max((1, 2, 3)) > 1e-6

    assert not changed(0.0).any()
    assert changed(1.0).mean() > 0.95  # an amount drawn near 0 changes next to nothing
    assert 0.25 < changed(0.5).mean() < 0.75


@pytest.mark.parametrize("name", [n for n in NAMES if AUGMENTATIONS[n].strength is not None])
def test_each_picture_has_an_amount_of_its_own(name, pictures):
    same = np.repeat(pictures[:1], 64, axis=0)
    made = Augmentation(name, probability=1.0)(same, seed(5)).numpy()
    assert len(np.unique(made.reshape(64, -1).round(4), axis=0)) > 30


def test_flip_mirrors_left_and_right_and_nothing_else(pictures):
    made = Augmentation("flip")(pictures, seed()).numpy()
    mirrored = np.array(
        [np.array_equal(a, b[:, ::-1]) for a, b in zip(made, pictures, strict=True)]
    )
    kept = np.array([np.array_equal(a, b) for a, b in zip(made, pictures, strict=True)])
    assert (mirrored ^ kept).all()
    assert 16 < mirrored.sum() < 48  # a coin: four standard deviations from 32


def ramp(size=33):
    """One picture whose value is its column, from -1 to 1, another whose value is its row."""
    line = np.linspace(-1, 1, size, dtype=np.float32)
    columns = np.broadcast_to(line, (size, size))
    return np.stack([columns, columns.T])[..., None]


def test_crop_keeps_at_least_its_share_of_the_sides():
    batch = np.repeat(ramp()[:1], 200, axis=0)
    made = Augmentation("crop", 0.6)(batch, seed()).numpy()
    shares = (made[:, 0, -1, 0] - made[:, 0, 0, 0]) / 2
    assert 0.6 <= shares.min() < 0.65
    assert 0.95 < shares.max() <= 1.0
    assert made.min() >= -1
    lefts = made[:, 0, 0, 0]
    assert lefts.min() < -0.98  # at the left edge sometimes
    assert made[:, 0, -1, 0].max() > 0.98  # and at the right


def test_rotate_turns_by_at_most_its_degrees_either_way():
    batch = np.repeat(ramp()[:1], 200, axis=0)
    made = Augmentation("rotate", 20)(batch, seed()).numpy()[:, 10:-10, 10:-10, 0]
    down, right = (np.diff(made, axis=axis).mean((1, 2)) for axis in (1, 2))
    angles = np.degrees(np.arctan2(down, right))  # where the ramp points now
    assert -20.1 < angles.min() < -18
    assert 18 < angles.max() < 20.1


def test_translate_and_zoom_stay_within_their_shares():
    batch = np.repeat(ramp(), 100, axis=0)
    moved = Augmentation("translate", 0.25)(batch, seed()).numpy()[:, 16, 16, 0]
    shifts = np.abs(moved) / 2  # of the middle, in shares of the ramp
    assert 0.2 < shifts.max() < 0.26
    zoomed = Augmentation("zoom", 0.5)(batch[:100], seed()).numpy()[:, 16, 15:18, 0]
    factors = (2 * 2 / 32) / (zoomed[:, 2] - zoomed[:, 0])
    assert 0.5 <= factors.min() < 0.55
    assert 1.45 < factors.max() <= 1.51


def test_shear_moves_rows_against_each_other():
    batch = np.repeat(ramp()[:1], 100, axis=0)
    made = Augmentation("shear", 0.3)(batch, seed()).numpy()
    slants = (made[:, 20, 16, 0] - made[:, 12, 16, 0]) / 8 / (2 / 32)
    assert 0.25 < np.abs(slants).max() <= 0.301
    np.testing.assert_allclose(made[:, 16, 16, 0], 0.0, atol=1e-5)  # about the middle


def test_colours_change_by_their_formulas(pictures):
    small = pictures * 0.5  # so that nothing is clipped
    made = Augmentation("brightness", 0.2)(small, seed()).numpy() - small
    shifts = made[:, 0, 0, 0]
    np.testing.assert_allclose(
        made, np.broadcast_to(shifts[:, None, None, None], made.shape), atol=1e-6
    )
    assert 0.35 < np.abs(shifts).max() <= 0.4  # a fifth of the range of 2
    made = Augmentation("contrast", 0.4)(small, seed()).numpy()
    means = small.mean((1, 2, 3))
    np.testing.assert_allclose(made.mean((1, 2, 3)), means, atol=1e-5)
    factors = made.std((1, 2, 3)) / small.std((1, 2, 3))
    assert 0.6 <= factors.min() < 0.7
    assert 1.3 < factors.max() <= 1.41
    made = Augmentation("saturation", 0.4)(small, seed()).numpy()
    np.testing.assert_allclose(made.mean(3), small.mean(3), atol=1e-6)  # the grey stays
    factors = made.std(3).mean((1, 2)) / small.std(3).mean((1, 2))
    assert 0.6 <= factors.min() < 0.7
    assert 1.3 < factors.max() <= 1.41


def test_hue_turns_the_colour_circle_alone():
    colour = (0.8, 0.3, 0.5)
    batch = np.broadcast_to(np.float32(colour), (100, 2, 2, 3))
    made = Augmentation("hue", 0.1)(batch, seed(), (0.0, 1.0)).numpy()[:, 0, 0]
    before = colorsys.rgb_to_hsv(*colour)
    after = np.array([colorsys.rgb_to_hsv(*pixel) for pixel in made.astype(float)])
    np.testing.assert_allclose(after[:, 1:], np.broadcast_to(before[1:], (100, 2)), atol=1e-4)
    turns = (after[:, 0] - before[0] + 0.5) % 1 - 0.5
    assert 0.09 < np.abs(turns).max() <= 0.1001
    grey = RNG.uniform(-1, 1, (4, 8, 8, 1)).astype(np.float32)
    np.testing.assert_array_equal(Augmentation("hue", 0.5)(grey, seed()), grey)


@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation", "hue"])
def test_colours_change_as_without_alpha_which_stays(name):
    images = RNG.uniform(0, 1, (6, 8, 8, 4)).astype(np.float32)
    change = Augmentation(name, 0.3)
    made = change(images, seed(), (0.0, 1.0)).numpy()
    expected = change(images[..., :3], seed(), (0.0, 1.0))
    np.testing.assert_allclose(made[..., :3], expected, atol=1e-6)
    np.testing.assert_array_equal(made[..., 3], images[..., 3])
    assert np.abs(made - images).max() > 0.05


@pytest.mark.parametrize("name", ["saturation", "hue"])
def test_channels_that_are_no_colours_have_no_hue_and_saturation(name):
    five = RNG.uniform(-1, 1, (4, 8, 8, 5)).astype(np.float32)
    np.testing.assert_array_equal(Augmentation(name, 0.3)(five, seed()), five)


def test_cutout_greys_a_rectangle_and_keeps_the_rest():
    batch = np.full((200, 20, 40, 3), 0.7, np.float32)
    made = Augmentation("cutout", 0.5)(batch, seed()).numpy()
    grey = (made == 0.0).all(-1)
    np.testing.assert_array_equal(made[~grey], np.float32(0.7))
    heights, widths = grey.any(2).sum(1), grey.any(1).sum(1)
    np.testing.assert_array_equal(grey.sum((1, 2)), heights * widths)  # full rectangles
    assert (heights.max(), widths.max()) == (10, 20)
    assert heights.min() < 8  # cut off by the edge


def test_the_pipeline_composes_them_reproducibly():
    images = RNG.integers(0, 256, (32, 8, 8, 3), np.uint8)
    augment = ["flip", "rotate=15:0.5", Augmentation("brightness", 0.3), lambda x: x * 0.5]

    def read(number):
        batches = kgan.data.from_arrays(
            images, batch_size=8, augment=augment, seed=number, shuffle=False
        )
        return [np.stack(list(batches.as_numpy_iterator())) for _ in range(2)]

    first, second = read(1)
    again, _ = read(1)
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - second).max() > 0.01  # each epoch anew
    assert np.abs(first - read(2)[0]).max() > 0.01
    assert np.abs(first).max() <= 0.5


def test_all_is_what_leaves_no_trace():
    safe = ["flip", "crop", "brightness", "contrast", "saturation", "hue"]
    assert expanded(["all"], lambda: True) == safe
    assert expanded(["all"], lambda: False) == safe[1:]
    own = ["rotate=5", "all", "hue=0.01", Augmentation("crop", 0.5)]
    made = expanded(own, lambda: False)
    assert made == ["rotate=5", "brightness", "contrast", "saturation", *own[2:]]
    assert expanded(["flip=:0.3", "all"], None)[:2] == ["flip=:0.3", "crop"]  # nothing is asked
    assert expanded(["flip"], None) == ["flip"]
    images = RNG.integers(0, 256, (16, 8, 8, 3), np.uint8)  # too few to ask: not mirrored
    read = [
        next(iter(kgan.data.from_arrays(images, batch_size=16, augment=names, seed=1)))
        for names in (["all"], safe[1:])
    ]
    np.testing.assert_array_equal(*read)


def test_texts_become_augmentations_and_mistakes_are_named():
    flip, rotate, cutout = check(["flip", "rotate=15", "cutout=0.5:0.25"])
    assert (flip.name, flip.strength, flip.probability) == ("flip", None, 0.5)
    assert (rotate.name, rotate.strength, rotate.probability) == ("rotate", 15.0, 1.0)
    assert (cutout.strength, cutout.probability) == (0.5, 0.25)
    assert parse("rotate=:0.5").strength == AUGMENTATIONS["rotate"].strength
    for text, message in (
        ("spin", "Known: flip, crop"),
        ("all=0.5", "cutout, and all without numbers. Received: 'all'"),
        ("rotate=a", "NAME=STRENGTH:PROBABILITY. Received: rotate=a"),
        ("rotate=1:2:3", "NAME=STRENGTH:PROBABILITY"),
        ("rotate=200", r"most degrees either way\) must be from 0 to 180\. Received: 200"),
        ("crop=0", "from 0.1 to 1"),
        ("hue=0.1:2", "probability must be from 0 to 1. Received: 2"),
        ("flip=3", "flip has no strength"),
    ):
        with pytest.raises(kgan.InputError, match=message):
            parse(text)
    with pytest.raises(kgan.InputError, match="or a callable"):
        check([3])
