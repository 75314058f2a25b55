"""Latents come from seeds, one stream each."""

import numpy as np
import pytest

from kgan import latents
from kgan.errors import InputError


@pytest.mark.parametrize("distribution", latents.DISTRIBUTIONS)
def test_the_law_in_the_manifest_is_the_law(distribution):
    law = latents.law(5, distribution)
    expected = eval(law, {"numpy": np, "seed": 7})
    received = latents.from_seeds([7], 5, distribution)
    assert received.dtype == np.float32
    np.testing.assert_array_equal(received, [expected])


def test_a_seed_gives_its_latent_whatever_stands_around_it():
    many = latents.from_seeds(range(10), 16)
    np.testing.assert_array_equal(latents.from_seeds([4], 16)[0], many[4])
    assert len(np.unique(many[:, 0])) == 10


def test_distributions_have_the_moments_they_are_named_for():
    normal = latents.from_seeds(range(200), 100)
    uniform = latents.from_seeds(range(200), 100, "uniform")
    assert abs(normal.mean()) < 0.03
    assert abs(normal.std() - 1.0) < 0.03
    assert uniform.min() >= -1.0
    assert uniform.max() <= 1.0
    assert abs(uniform.std() - 1 / np.sqrt(3)) < 0.01


def test_bad_seeds_and_distributions_are_named():
    with pytest.raises(InputError, match="-1"):
        latents.from_seeds([-1], 4)
    with pytest.raises(InputError, match="'gaussian'"):
        latents.from_seeds([1], 4, "gaussian")


def test_slerp_is_the_rotation_in_the_plane_of_both():
    one, other = np.array([2.0, 0, 0]), np.array([0, 2.0, 0])
    made = latents.slerp(one, other, [0, 1 / 3, 0.5, 1])
    angles = np.radians([0, 30, 45, 90])
    np.testing.assert_allclose(
        made, 2 * np.stack([np.cos(angles), np.sin(angles), 0 * angles], 1), atol=1e-6
    )
    np.testing.assert_allclose(latents.slerp(one, 2 * one, [0.5])[0], [3, 0, 0])
    np.testing.assert_array_equal(latents.slerp(one, -one, [0.25])[0], [1, 0, 0])
    np.testing.assert_array_equal(latents.slerp(0 * one, one, [0.5])[0], [1, 0, 0])


@pytest.mark.parametrize("distribution", ["normal", "uniform"])
def test_a_closed_walk_passes_its_stops_rests_there_and_keeps_to_the_law(distribution):
    stops = latents.from_seeds(range(3), 100, distribution)
    walk = latents.closed_walk(stops, 10, distribution)
    assert walk.shape == (30, 100)
    assert walk.dtype == np.float32
    np.testing.assert_array_equal(walk[::10], stops)
    steps = np.linalg.norm(walk - np.roll(walk, 1, 0), axis=1)  # the first: from the last back
    assert steps[1] < 0.3 * steps[5]
    assert steps[0] < 0.3 * steps[25]
    if distribution == "uniform":
        assert np.abs(walk).max() <= 1
    else:  # no shorter than what it goes between
        lengths = np.linalg.norm(walk, axis=1)
        assert lengths.min() > 0.97 * np.linalg.norm(stops, axis=1).min()
