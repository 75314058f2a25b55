"""Latents drawn by TensorFlow operations are numpy's."""

import numpy as np
import pytest
import tensorflow as tf

from kgan import latents
from kgan.export import numpy_draws

# The ends of what a word of a seed and a seed itself can hold; 269,366 as in docs/seeds.json.
SEEDS = (0, 1, 77, 269_366, 2**31, 2**32 - 1, 2**32, 2**53 + 1, 2**63 - 1)


def test_philox_gives_numpys_words():
    received = numpy_draws.philox(tf.constant(SEEDS, tf.int64), 11).numpy()
    assert received.dtype == np.uint64
    for row, seed in zip(received, SEEDS, strict=True):
        np.testing.assert_array_equal(row, np.random.Philox(seed).random_raw(11))


@pytest.mark.parametrize("distribution", latents.DISTRIBUTIONS)
@pytest.mark.parametrize("latent_dim", [1, 7, 100])
def test_latents_of_any_seed_are_kgans(latent_dim, distribution):
    @tf.function(autograph=False)
    def draw(seeds):
        return numpy_draws.latents(seeds, latent_dim, distribution)

    received = draw(tf.constant(SEEDS, tf.int64)).numpy()
    np.testing.assert_array_equal(received, latents.from_seeds(SEEDS, latent_dim, distribution))


def test_the_rare_ways_of_the_ziggurat_are_gone_too():
    seeds = np.arange(4_000)
    draw = tf.function(numpy_draws.latents, autograph=False)
    received = draw(tf.constant(seeds), 100, "normal").numpy()
    expected = latents.from_seeds(seeds, 100)
    tail = np.abs(expected) > numpy_draws.TAIL
    assert tail.sum() > 50  # about 1 in 3,900, on both sides
    assert (received[tail] > 0).any()
    assert (received[tail] < 0).any()
    np.testing.assert_array_equal(received[~tail], expected[~tail])
    np.testing.assert_array_max_ulp(received[tail], expected[tail], 1)
