"""Small sets of features that the tests share."""

import numpy as np


def features(n=80, m=60):
    """Real features (n, 6) and fake ones (m, 6), a fifth of which are far from all real ones."""
    random = np.random.default_rng(7)
    real = random.normal(size=(80, 6))
    fake = 0.1 + 0.8 * random.normal(size=(60, 6))
    fake[:12] += 4
    return real[:n], fake[:m]


def naive_distances(queries, references):
    """Euclidean distances from the differences, (n, m)."""
    return np.sqrt(((queries[:, None] - references[None]) ** 2).sum(axis=2))
