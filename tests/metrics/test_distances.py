"""Kernel, sliced and Frechet distances where the right answer is known."""

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.optimize import linear_sum_assignment

import kgan
from kgan import metrics
from tests.metrics.sets import features

DISTANCES = (metrics.kernel_distance, metrics.sliced_wasserstein, metrics.frechet_distance)


def test_the_kernel_distance_by_hand():
    real = np.array([[0.0], [1.0], [1.0], [2.0]])
    fake = np.array([[0.0], [0.0], [1.0], [3.0]])
    # (x y + 1)^3 of the six pairs of either set, and of the sixteen between them.
    real_pairs = 1 + 1 + 1 + 8 + 27 + 27
    fake_pairs = 1 + 1 + 1 + 1 + 1 + 64
    between = 4 * 1 + 2 * (1 + 1 + 8 + 64) + (1 + 1 + 27 + 343)
    expected = real_pairs / 6 + fake_pairs / 6 - 2 * between / 16
    assert metrics.kernel_distance(real, fake).value == pytest.approx(expected)


def test_the_kernel_distance_of_different_numbers_of_rows_in_more_than_one_block():
    random = np.random.default_rng(0)
    real, fake = random.normal(size=(700, 3)), random.normal(size=(520, 3)) + 0.5
    sums = []
    for one, other in ((real, real), (fake, fake), (real, fake)):
        kernel = (one @ other.T / 3 + 1) ** 3
        if one is other:
            kernel = kernel[~np.eye(len(one), dtype=bool)]
        sums.append(kernel.mean())
    value = metrics.kernel_distance(real, fake, subsets=2).value
    assert value == pytest.approx(sums[0] + sums[1] - 2 * sums[2], rel=1e-10)


@pytest.mark.parametrize(("shift", "most"), [(1.0, 1.3), (0.0, 2.0)])
def test_the_standard_error_is_the_spread_over_new_images(shift, most):
    random = np.random.default_rng(1)
    found = []
    for seed in range(150):
        real, fake = random.normal(size=(60, 4)), shift + random.normal(size=(60, 4))
        found.append(metrics.kernel_distance(real, fake, seed=seed)[:2])
    values, errors = np.transpose(found)
    # Where the sets are alike the error is too large, by up to sqrt(3), as the docstring says.
    assert 0.75 < np.sqrt(np.mean(errors**2)) / values.std(ddof=1) < most
    if not shift:
        assert abs(values.mean()) < 3 * values.std() / np.sqrt(150)  # unbiased


def test_frechet_distance_beside_a_root_of_the_matrix():
    real, fake = features()
    covariances = [np.cov(each, rowvar=False) for each in (real, fake)]
    apart = np.sum((real.mean(0) - fake.mean(0)) ** 2)
    root = sqrtm(covariances[0] @ covariances[1]).real
    expected = apart + np.trace(covariances[0] + covariances[1] - 2 * root)
    assert metrics.frechet_distance(real, fake).value == pytest.approx(expected, rel=1e-9)
    assert metrics.frechet_distance(fake, real).value == pytest.approx(expected, rel=1e-9)


def test_frechet_distance_of_exact_gaussians():
    # +-1 a column has variance 4/3; a copy three times as wide, moved by (1, 2): both known.
    corners = np.array([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])
    value = metrics.frechet_distance(corners, 3 * corners + [1, 2]).value
    assert value == pytest.approx(1 + 4 + 2 * (3 - 1) ** 2 * 4 / 3)


def test_a_shift_moves_the_sliced_distance_by_its_share_along_each_direction():
    real, _ = features()
    found = metrics.sliced_wasserstein(real, real + 0.5, directions=4000)
    # The mean over the sphere of (shift . direction)^2 is |shift|^2 / d.
    assert found.value == pytest.approx(0.25, abs=4 * found.direction_error)
    assert found.direction_error < 0.005


@pytest.mark.parametrize(("n", "m"), [(80, 60), (7, 5), (4, 60)])
def test_one_dimension_is_exact_for_different_numbers_of_rows(n, m):
    real, fake = (each[:, :1] for each in features(n, m))
    # Each row as often as makes the numbers equal; then the best pairing, found by SciPy.
    many = np.repeat(real, m, axis=0), np.repeat(fake, n, axis=0)
    step = np.gcd(n, m)
    costs = (many[0][::step] - many[1][::step].T) ** 2
    expected = costs[linear_sum_assignment(costs)].mean()
    assert metrics.sliced_wasserstein(real, fake, directions=2).value == pytest.approx(expected)


@pytest.mark.parametrize("distance", DISTANCES)
def test_a_set_is_nearest_to_itself(distance):
    real, fake = features()
    itself = distance(real, real.copy()).value
    assert abs(itself) < 1e-6 or (distance is metrics.kernel_distance and itself < 0)
    assert itself < distance(real, real + 0.1 * fake[:1]).value < distance(real, fake).value


@pytest.mark.parametrize("distance", DISTANCES)
def test_the_seed_alone_decides(distance):
    pair = features()
    assert distance(*pair, seed=3) == distance(*pair, seed=3)
    assert distance(*pair, seed=3) != distance(*pair, seed=4)


@pytest.mark.parametrize("distance", [metrics.sliced_wasserstein, metrics.frechet_distance])
def test_the_floor_is_what_more_real_images_have(distance):
    random = np.random.default_rng(5)
    real, like, other = random.normal(size=(3, 200, 8))
    found = distance(real, like)
    assert found.floor_n == 100
    # Fewer rows: the same distribution is further away.
    assert found.value < 0.8 * found.floor
    assert found.value_at_floor == pytest.approx(found.floor, rel=0.4)
    worse = distance(real, 2 * other)
    assert worse.floor == found.floor
    assert worse.value_at_floor > 3 * worse.floor
    assert distance(real, like[:30]).floor_n == 30


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize(
    ("real", "fake", "words"),
    [
        (np.zeros((3, 2)), np.zeros((9, 2)), "real must have at least 4 rows. Received: 3"),
        (np.zeros((9, 2)), np.zeros((0, 2)), "fake must have at least 4 rows. Received: 0"),
        (
            np.zeros((9, 2)),
            np.zeros((9, 3)),
            "columns, the features of one network. Received: 2 and 3",
        ),
        (np.zeros((9, 2)), np.full((9, 2), np.nan), "finite numbers. Received: nan in row 0"),
        (np.zeros(9), np.zeros((9, 2)), r"real must be .*Received: float64 \(9,\)"),
        ([[1.0], [1.0, 2.0]], np.zeros((9, 2)), "real must be an array of numbers"),
        (np.zeros((9, 2)), np.full((9, 2), "a"), "fake must be an array of numbers"),
    ],
)
def test_what_is_no_features_is_one_line(distance, real, fake, words):
    with pytest.raises(kgan.InputError, match=words) as caught:
        distance(real, fake)
    assert str(caught.value).isprintable()


def test_counts_and_seeds_are_checked():
    pair = features()
    for call in (
        lambda: metrics.kernel_distance(*pair, subsets=1),
        lambda: metrics.sliced_wasserstein(*pair, directions=2.0),
        lambda: metrics.frechet_distance(*pair, seed=-1),
        lambda: metrics.precision_recall(*pair, k=0),
    ):
        with pytest.raises(kgan.InputError, match="must be a whole number of at least"):
            call()
