"""Copies of training images are found, and what is called near is calibrated."""

import numpy as np
import pytest

import kgan
from kgan import metrics
from kgan.metrics import neighbours
from tests.metrics.sets import naive_distances


@pytest.fixture(scope="module")
def pixels():
    """Training, held-out and generated images as rows of pixels, uint8, of one distribution."""
    random = np.random.default_rng(4)
    return [random.integers(0, 256, (n, 48), np.uint8) for n in (300, 200, 100)]


def test_planted_duplicates_are_at_distance_0(pixels):
    train, held_out, fake = pixels
    fake = fake.copy()
    fake[[3, 50, 51]] = train[[17, 0, 299]]
    found = metrics.memorisation(fake, train, held_out)
    assert found.duplicates == 3
    np.testing.assert_array_equal(np.flatnonzero(found.distances[:, 0] == 0), [3, 50, 51])
    np.testing.assert_array_equal(found.indices[[3, 50, 51], 0], [17, 0, 299])
    assert found.suspicious[[3, 50, 51]].all()


def test_the_threshold_is_what_unseen_images_keep(pixels):
    train, held_out, fake = pixels
    nearest = naive_distances(held_out.astype(float), train.astype(float)).min(axis=1)
    found = metrics.memorisation(fake, train, held_out, level=0.1)
    assert (nearest < found.threshold).mean() <= 0.1
    assert found.threshold == pytest.approx(np.sort(nearest)[19])
    assert found.expected == 0.1
    assert found.share == found.suspicious.mean() < 0.25  # the same distribution


def test_near_copies_are_suspicious_and_unlike_images_are_not(pixels):
    train, held_out, _ = pixels
    near = train[:50].copy()
    near[:, 0] ^= 1  # one level in one pixel
    found = metrics.memorisation(near, train, held_out)
    assert found[:2] == (1, 0.01)
    assert found.duplicates == 0
    np.testing.assert_array_equal(found.distances[:, 0], np.ones(50))
    np.testing.assert_array_equal(found.indices[:, 0], np.arange(50))
    assert metrics.memorisation(255 - held_out // 2, train, held_out).duplicates == 0


def test_neighbours_in_blocks_are_those_of_the_whole(pixels, monkeypatch):
    train, _, fake = pixels
    monkeypatch.setattr(neighbours, "MOST_VALUES", 48 * 70)
    monkeypatch.setattr(neighbours, "BLOCK", 30)
    expected = naive_distances(fake.astype(float), train.astype(float))
    distances, indices = metrics.nearest(fake, train, k=4)
    np.testing.assert_array_equal(indices, np.argsort(expected, axis=1, kind="stable")[:, :4])
    np.testing.assert_allclose(distances, np.sort(expected, axis=1)[:, :4], rtol=1e-12)


def test_equal_rows_far_from_0_are_at_distance_0_too():
    random = np.random.default_rng(0)
    train = (1e4 + random.normal(size=(40, 30))).astype(np.float32)
    distances, indices = metrics.nearest(train[5:6], train, k=2)
    assert distances[0, 0] == 0 < distances[0, 1]
    assert indices[0, 0] == 5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"level": 0}, "level must be between 0 and 1. Received: 0"),
        ({"level": "1%"}, "level must be between 0 and 1. Received: '1%'"),
        ({"held_out": np.zeros((50, 48))}, "held_out must have at least 100 rows. Received: 50"),
        (
            {"held_out": np.zeros((100, 4))},
            "held_out and train must have the same number of columns",
        ),
        ({"fake": np.zeros((9, 4))}, "fake and train must have the same number of columns"),
        ({"k": 301}, "train must have at least 301 rows. Received: 300"),
    ],
)
def test_what_cannot_be_compared_is_one_line(pixels, arguments, words):
    train, held_out, fake = pixels
    whole = {"train": train, "held_out": held_out, "fake": fake, **arguments}
    with pytest.raises(kgan.InputError, match=words):
        metrics.memorisation(**whole)
