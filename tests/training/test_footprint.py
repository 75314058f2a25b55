"""What a step needs of memory, from below."""

import pytest

import kgan
from kgan import memory
from kgan.training.footprint import check_step, kept_bytes


def test_what_is_kept_is_what_convolutions_and_dense_layers_give(small_gan):
    # 16x20x1 with filters 2, by hand: a base of 4x5 with 16 channels, then 8x10 with 8.
    assert kept_bytes(small_gan.generator) == 4 * (4 * 5 * 16 + 8 * 10 * 8 + 16 * 20)
    assert kept_bytes(small_gan.discriminator) == 4 * (8 * 10 * 8 + 4 * 5 * 16 + 1)


def test_a_step_that_does_not_fit_is_refused_with_the_batch_that_does(small_gan, monkeypatch):
    each = kept_bytes(small_gan.generator) + kept_bytes(small_gan.discriminator)
    monkeypatch.setattr(memory, "free", lambda: 10**9)
    most = 10**9 // each
    check_step(small_gan, most)
    check_step(small_gan, 2 * most, replicas=2)
    with pytest.raises(
        kgan.InputError, match=rf"--batch-size {most}\. .*: --batch-size {most + 1}$"
    ):
        check_step(small_gan, most + 1)
