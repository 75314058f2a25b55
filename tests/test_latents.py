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
