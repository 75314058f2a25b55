"""Random draws against SciPy's distributions, compiled and not."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from kgan.layers import draws

SEED = np.array([3, 4], np.int32)


def test_uniform_and_normal_are_what_they_are_called():
    """Kolmogorov-Smirnov on 200,000 numbers: a wrong scale of 1 in 100 has p below 1e-6."""
    flat = draws.uniform(SEED, (200_000,), -1.0, 3.0).numpy()
    assert flat.dtype == np.float32
    assert -1.0 <= flat.min() < flat.max() < 3.0
    assert stats.kstest(flat, stats.uniform(-1.0, 4.0).cdf).pvalue > 0.01
    bell = draws.normal(SEED, (2000, 100)).numpy()
    assert bell.dtype == np.float32
    assert stats.kstest(bell.ravel(), stats.norm.cdf).pvalue > 0.01
    assert 4.0 < np.abs(bell).max() < 5.3
    correlations = np.corrcoef(bell.T)[np.triu_indices(100, 1)]
    assert np.abs(correlations).max() < 0.12  # 5 / sqrt(2000)


def test_the_ends_of_the_bell_are_finite(monkeypatch):
    monkeypatch.setattr(draws, "_bits", lambda seed, shape: tf.constant([0, 2**23 - 1]))
    # the quantiles of 2**-24 and 1 - 2**-24
    np.testing.assert_allclose(
        draws.normal(SEED, (2,)), stats.norm.ppf([2.0**-24, 1 - 2.0**-24]), rtol=1e-4
    )
    np.testing.assert_array_equal(draws.uniform(SEED, (2,)), [0.0, 1 - 2.0**-23])


@pytest.mark.parametrize("shape", [(5,), (64, 100)])
def test_xla_draws_the_same(shape):
    def drawn(seed):
        return (
            draws.uniform(seed, shape, -1.0, 1.0),
            draws.normal(seed, shape),
            draws.seeds(seed, 3),
            draws.fold_in(seed, 7),
        )

    seed = tf.constant(SEED)
    for one, other in zip(drawn(seed), tf.function(drawn, jit_compile=True)(seed), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    assert len(np.unique(draws.seeds(seed, 50))) == 100
    assert np.any(draws.uniform(draws.fold_in(seed, 7), (3,)) != draws.uniform(seed, (3,)))
