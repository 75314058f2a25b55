"""Precision, recall, density, coverage and realism where the right answer is known."""

import numpy as np
import pytest

import kgan
from kgan import metrics
from kgan.metrics.clipped_density_coverage import _expected
from tests.metrics.sets import features, naive_distances

# Four points on a line, 1 apart: with k = 1 each has a ball of radius 1.
LINE = np.array([[0.0, 0], [1, 0], [2, 0], [3, 0]])


def test_by_hand():
    fake = np.array([[0.5, 0.0], [4.5, 0.0], [4.7, 0.0]])
    # 0.5 alone is in a real ball. The fakes' radii are 4, 0.2 and 0.2: 0.5's ball has all of LINE.
    assert metrics.precision_recall(LINE, fake, k=1) == pytest.approx((1 / 3, 1))
    # 0.5 is inside the balls of 0 and of 1.
    assert metrics.density_coverage(LINE, fake, k=1) == pytest.approx((2 / 3, 1 / 2))


def test_the_surface_is_inside_for_precision_and_outside_for_density():
    fake = np.array([[4.0, 0.0], [9.0, 0.0]])
    assert metrics.precision_recall(LINE, fake, k=1).precision == 0.5
    assert metrics.density_coverage(LINE, fake, k=1) == (0, 0)


def test_a_set_against_itself():
    real, _ = features()
    assert metrics.precision_recall(real, real.copy()) == (1, 1)
    # As prdc has it: a row, and its k nearest but the one on the surface.
    assert metrics.density_coverage(real, real.copy()) == (1, 1)
    assert metrics.clipped_density_coverage(real, real.copy()) == (1, pytest.approx(1, abs=0.3))


def test_disjoint_sets():
    real, fake = features()
    assert metrics.precision_recall(real, fake + 100) == (0, 0)
    assert metrics.density_coverage(real, fake + 100) == (0, 0)
    assert metrics.clipped_density_coverage(real, fake + 100) == (0, 0)
    assert (metrics.realism(real, fake + 100) < 0.1).all()


def test_copies_of_one_real_image_are_precise_and_cover_little():
    real, _ = features()
    fake = np.repeat(real[:1], 60, axis=0)
    assert metrics.precision_recall(real, fake) == (1, 1 / 80)
    assert metrics.density_coverage(real, fake).coverage < 0.15
    assert metrics.clipped_density_coverage(real, fake).coverage < 0.2


def test_far_features_lose_nothing_to_rounding():
    real, fake = features()
    moved = [1e5 + each for each in (real, fake)]
    assert metrics.precision_recall(*moved) == metrics.precision_recall(real, fake)
    assert metrics.density_coverage(*moved) == metrics.density_coverage(real, fake)


def test_more_than_one_block_beside_the_definition():
    random = np.random.default_rng(3)
    real, fake = random.normal(size=(600, 5)), 1.1 * random.normal(size=(530, 5)) + 0.3
    between = naive_distances(real, fake)
    radii = [np.sort(naive_distances(each, each))[:, 3] for each in (real, fake)]
    expected = (
        (between <= radii[0][:, None]).any(axis=0).mean(),
        (between <= radii[1][None]).any(axis=1).mean(),
    )
    assert metrics.precision_recall(real, fake) == pytest.approx(expected)
    within = between < radii[0][:, None]
    expected = (within.sum() / 3 / 530, within.any(axis=1).mean())
    assert metrics.density_coverage(real, fake, k=3) == pytest.approx(expected)


def test_realism_sorts_by_the_distance_to_the_real_manifold():
    real, fake = features()
    scores = metrics.realism(real, fake)
    assert scores.shape == (60,)
    assert scores[:12].max() < scores[12:].min()  # the first fifth was moved away
    radii = np.sort(naive_distances(real, real))[:, 3]
    kept = radii <= np.median(radii)
    expected = (radii[kept] / naive_distances(fake, real[kept])).max(axis=1)
    np.testing.assert_allclose(scores, expected, rtol=1e-5)
    assert np.isinf(metrics.realism(real, real[kept][:1])).all()


def test_an_outlier_does_not_raise_the_clipped_density():
    real, fake = features()
    outlier = np.concatenate([real, [[50.0] * 6]])  # whose ball has all the moved images
    plain, clipped = (
        [metric(each, fake).density for each in (real, outlier)]
        for metric in (metrics.density_coverage, metrics.clipped_density_coverage)
    )
    assert plain[1] > plain[0] + 0.03
    assert clipped[1] == pytest.approx(clipped[0], abs=0.02)


def test_the_expected_coverage_is_the_mean_over_draws():
    random = np.random.default_rng(2)
    n, m, k = 30, 20, 3
    caught = []
    for _ in range(400):
        real, more = random.normal(size=(n, 2)), random.normal(size=(m, 2))
        radii = np.sort(naive_distances(real, real))[:, k]
        inside = (naive_distances(more, real) < radii).sum(axis=0)
        caught.append(np.minimum(inside / k, 1).mean())
    error = np.std(caught) / np.sqrt(400)
    expected = _expected(k, n, m)
    assert expected.shape == (m + 1,)
    assert np.mean(caught) == pytest.approx(expected[-1], abs=4 * error)
    assert (np.diff(expected[k - 1 :]) > 0).all()


def test_too_few_rows_are_one_line():
    real, fake = features()
    for metric, pair, words in (
        (metrics.precision_recall, (real[:3], fake), "real must have at least 4 rows. Received: 3"),
        (metrics.precision_recall, (real, fake[:3]), "fake must have at least 4 rows. Received: 3"),
        (metrics.density_coverage, (real[:5], fake), "real must have at least 6 rows. Received: 5"),
        (metrics.realism, (real, fake[:0]), "fake must have at least 1 rows. Received: 0"),
        (metrics.clipped_density_coverage, (real, fake[:4]), "fake must have at least 5 rows"),
    ):
        with pytest.raises(kgan.InputError, match=words):
            metric(*pair)
