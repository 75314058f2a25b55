"""Whether pictures may be mirrored is asked of the pictures."""

import json

import numpy as np
import pytest
import tensorflow as tf

from kgan.data import mirroring, open_source
from kgan.data.mirroring import Mirrored, accuracy, ask

RNG = np.random.default_rng(0)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/kgan/mirroring"


def noise(n=600):
    return RNG.integers(0, 256, (n, 16, 16, 1), np.uint8)


def lit_from_the_left(n=600):
    """Each darker by a tenth of its noise to the right, which no eye sees in one image."""
    light = np.linspace(20, 0, 16)[None, None, :, None]
    return np.clip(noise(n) + light, 0, 255).astype(np.uint8)


@pytest.mark.slow
def test_noise_is_not_told_from_its_mirror_image_and_light_is():
    assert abs(accuracy(noise()) - 0.5) < 3 * 0.5 / 600**0.5
    assert accuracy(lit_from_the_left()) > 0.7
    symmetric = noise()
    symmetric[:, :, 8:] = symmetric[:, :, 7::-1]
    assert accuracy(symmetric) == 0.5


@pytest.mark.slow
def test_the_embedded_clothes_must_not_be_mirrored():
    images = open_source(None).images[RNG.permutation(6000)[:1000]]
    assert accuracy(images) > 0.7
    mirrored = RNG.random(len(images)) < 0.5
    images = np.where(mirrored[:, None, None, None], images[:, :, ::-1], images)
    assert accuracy(images) < 0.55


def test_the_answer_is_kept_and_nothing_else_changes(cache, tmp_path, monkeypatch):
    np.savez(tmp_path / "lit.npz", images=lit_from_the_left())
    source = open_source(tmp_path / "lit.npz")
    tf.random.set_seed(3)
    np.random.seed(3)
    first = ask(source)
    drawn = tf.random.normal((3,)).numpy(), np.random.random(3)
    assert not first.harmless
    assert str(first) == f"{first.accuracy:.0%} of 600 pictures told from their mirror images, " + (
        "half would be chance"
    )
    monkeypatch.setattr(mirroring, "accuracy", None)  # not asked again
    tf.random.set_seed(3)
    np.random.seed(3)
    assert ask(open_source(tmp_path / "lit.npz")) == first
    for one, other in zip(
        drawn, (tf.random.normal((3,)).numpy(), np.random.random(3)), strict=True
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("content", ["", "[]", '{"accuracy": "x", "images": 3}', "[" * 10**5])
def test_a_spoiled_answer_is_asked_again(cache, tmp_path, monkeypatch, content):
    np.savez(tmp_path / "noise.npz", images=noise(500))
    monkeypatch.setattr(mirroring, "STEPS", 1)
    first = ask(open_source(tmp_path / "noise.npz"))
    (path,) = cache.iterdir()
    assert json.loads(path.read_text()) == first._asdict()
    path.write_text(content)
    assert ask(open_source(tmp_path / "noise.npz")) == first
    assert json.loads(path.read_text()) == first._asdict()


def test_too_few_say_nothing_and_a_cache_is_no_reason_to_fail(cache, tmp_path, monkeypatch, caplog):
    np.savez(tmp_path / "few.npz", images=noise(499))
    found = ask(open_source(tmp_path / "few.npz"))
    assert found == Mirrored(None, 499)
    assert not found.harmless
    assert str(found) == "499 pictures are too few to tell whether left and right matter"
    cache.parent.parent.write_text("no directory")
    np.savez(tmp_path / "noise.npz", images=noise(500))
    monkeypatch.setattr(mirroring, "STEPS", 1)
    assert ask(open_source(tmp_path / "noise.npz")).images == 500
    assert "is not kept" in caplog.text
