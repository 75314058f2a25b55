"""Latent arithmetic against NumPy's own."""

import numpy as np
import pytest

import kgan
from kgan import latents as latent_law
from kgan.explore import arithmetic
from kgan.images import repeat_pixels

PLUS, MINUS, MORE = [12, 40, 77], [3, 9, 21], [5, 18, 30]
TERMS = [(1, PLUS), (-1, MINUS), (1, MORE)]


def expected_sum(dim=8):
    plus, minus, more = (
        np.mean([latent_law.from_seeds([s], dim)[0] for s in seeds], axis=0)
        for seeds in (PLUS, MINUS, MORE)
    )
    return plus - minus + more


def large(picture):
    return repeat_pixels(picture, 4)[..., 0]


def contains(sheet, picture):
    """Whether a grey picture, enlarged as on sheets, stands somewhere in a sheet."""
    wanted, levels = large(picture), sheet[..., 0]
    windows = np.lib.stride_tricks.sliding_window_view(levels, wanted.shape)
    corners = np.argwhere(windows[:, :, 0, 0] == wanted[0, 0])
    return any((windows[y, x] == wanted).all() for y, x in corners)


def test_the_sum_is_numpys_and_is_drawn_among_its_neighbours(trained_gan):
    finding = arithmetic(trained_gan, TERMS)
    total = expected_sum()
    np.testing.assert_allclose(finding.figures["latent"], total, atol=1e-6)
    assert finding.figures["length"] == pytest.approx(np.linalg.norm(total), rel=1e-6)
    assert finding.figures["typical_length"] == pytest.approx(np.sqrt(8))
    assert [term["sign"] for term in finding.figures["terms"]] == [1, -1, 1]
    drawn = kgan.images.to_uint8(trained_gan.predict(total[None].astype(np.float32), verbose=0))
    assert contains(finding.picture, drawn[0])
    noise = np.random.Generator(np.random.Philox(0)).uniform(-0.25, 0.25, (9, 8))
    around = kgan.images.to_uint8(
        trained_gan.predict((total + noise).astype(np.float32), verbose=0)
    )
    assert all(contains(finding.picture, around[place]) for place in (0, 3, 5, 8))
    assert not contains(finding.picture, around[4])  # the middle has no noise


def test_pixels_beside_it_are_the_sum_of_mean_pictures(trained_gan):
    finding = arithmetic(trained_gan, TERMS)
    pictures = [
        np.mean([trained_gan.generate(1, seed=s)[0].astype(float) for s in seeds], axis=0)
        for seeds in (PLUS, MINUS, MORE)
    ]
    total = np.clip(np.rint(pictures[0] - pictures[1] + pictures[2]), 0, 255).astype(np.uint8)
    assert contains(finding.picture, total)
    assert contains(finding.picture, trained_gan.generate(1, seed=77)[0])


def test_means_shrink_and_can_be_restored(trained_gan):
    finding = arithmetic(trained_gan, TERMS, renormalise=True)
    total = expected_sum()
    restored = total * np.sqrt(8) / np.linalg.norm(total)
    np.testing.assert_allclose(finding.figures["latent"], restored, atol=1e-5)
    assert finding.figures["length"] == pytest.approx(np.linalg.norm(total), rel=1e-6)
    assert finding.figures["length_drawn"] == pytest.approx(np.sqrt(8))
    for term, seeds in zip(finding.figures["terms"], (PLUS, MINUS, MORE), strict=True):
        mean = latent_law.from_seeds(seeds, 8).mean(axis=0)
        assert term["length_of_mean"] == pytest.approx(np.linalg.norm(mean), rel=1e-5)


def test_mistakes(trained_gan):
    for terms in ([(1, [1])], [(1, [1]), (-1, [])], []):
        with pytest.raises(kgan.InputError, match="seeds to add and seeds to subtract"):
            arithmetic(trained_gan, terms)
    conditional = kgan.GAN.from_preset(
        "dcgan", image_shape=(16, 16, 1), latent_dim=4, filters=2, num_classes=3, seed=0
    )
    with pytest.raises(kgan.InputError, match=r"several classes.*\[0, 1\]"):
        arithmetic(conditional, [(1, [0]), (-1, [1])])
    assert arithmetic(conditional, [(1, [0]), (-1, [3])]).figures["label"] == 0
    assert arithmetic(conditional, [(1, [0]), (-1, [1])], label=2).figures["label"] == 2
