"""Pictures a batch at a time, in memory that does not grow with their number."""

import itertools

import numpy as np
import pytest

import kgan
from kgan import memory
from kgan.training.generating import parts, sample


def test_parts_are_the_pictures_of_generate(trained_gan):
    drawn = list(parts(trained_gan, 7, range(3, 10), batch_size=3))
    assert [len(pictures) for pictures, _ in drawn] == [3, 3, 1]
    assert [seed for _, seeds in drawn for seed in seeds] == list(range(3, 10))
    together = np.concatenate([pictures for pictures, _ in drawn])
    np.testing.assert_array_equal(together, trained_gan.generate(7, seed=3, batch_size=3))


def test_any_number_begins_at_once_and_holds_only_a_batch(trained_gan):
    first = list(itertools.islice(parts(trained_gan, 10**30, range(10**30)), 2))
    assert [len(pictures) for pictures, _ in first] == [64, 64]
    np.testing.assert_array_equal(first[1][0], trained_gan.generate(128)[64:])


def test_more_pictures_than_fit_are_refused_before_any_is_drawn(trained_gan, monkeypatch):
    monkeypatch.setattr(memory, "free", lambda: 10**9)
    most = 10**9 // (16 * 20)
    with pytest.raises(kgan.InputError, match=rf"320 GB.*n={most}\. Received: n=1000000000"):
        trained_gan.generate(10**9)
    with pytest.raises(kgan.InputError, match=r"among 64,000,000,000 pictures.*768 GB.*nice=1302"):
        sample(trained_gan, 64, nice=10**9)
