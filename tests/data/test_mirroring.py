"""Whether pictures may be mirrored is asked of the pictures."""

import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kgan.data import mirroring, open_source
from kgan.data.choosing import without
from kgan.data.mirroring import Mirrored, accuracy, ask

SHAPE = (32, 32, 1)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/kgan/mirroring"


def noise(n=800):
    return np.random.default_rng(0).integers(0, 200, (n, *SHAPE), np.uint8)


def lit_from_the_left(n=800):
    return (noise(n) + np.linspace(55, 0, 32)[None, None, :, None]).astype(np.uint8)


@pytest.mark.slow
def test_noise_is_not_told_from_its_mirror_image_and_light_is():
    assert abs(accuracy(noise()) - 0.5) < 4 * 0.5 / 800**0.5
    assert accuracy(lit_from_the_left()) > 0.7
    symmetric = noise()
    symmetric[:, :, 16:] = symmetric[:, :, 15::-1]
    assert accuracy(symmetric) == 0.5


@pytest.mark.slow
def test_the_embedded_clothes_must_not_be_mirrored():
    rng = np.random.default_rng(0)
    images = open_source(None).images[rng.permutation(6000)[:1000]]
    assert accuracy(images) > 0.7
    mirrored = rng.random(len(images)) < 0.5
    images = np.where(mirrored[:, None, None, None], images[:, :, ::-1], images)
    assert abs(accuracy(images) - 0.5) < 4 * 0.5 / 1000**0.5


def test_the_answer_is_kept_and_nothing_else_changes(cache, tmp_path, monkeypatch):
    np.savez(tmp_path / "lit.npz", images=lit_from_the_left())
    monkeypatch.setattr(mirroring, "STEPS", 30)
    tf.random.set_seed(3)
    np.random.seed(3)
    first = ask(open_source(tmp_path / "lit.npz"))
    drawn = tf.random.normal((3,)).numpy(), np.random.random(3)
    assert not first.harmless
    assert str(first) == (
        f"{first.accuracy:.0%} of 800 pictures told from their mirror images, half would be chance"
    )
    monkeypatch.setattr(mirroring, "accuracy", None)  # not asked again
    tf.random.set_seed(3)
    np.random.seed(3)
    assert ask(open_source(tmp_path / "lit.npz")) == first
    for one, other in zip(
        drawn, (tf.random.normal((3,)).numpy(), np.random.random(3)), strict=True
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "[" * 10**5,
        '{"accuracy": "x", "images": 500}',
        '{"accuracy": NaN, "images": 500}',
        '{"accuracy": -7.0, "images": 500}',
        '{"accuracy": 0.5, "images": Infinity}',
        '{"accuracy": 0.5, "images": 3}',
    ],
)
def test_a_spoiled_answer_is_asked_again(cache, tmp_path, monkeypatch, content):
    np.savez(tmp_path / "noise.npz", images=noise(500))
    monkeypatch.setattr(mirroring, "accuracy", lambda images: 0.25)
    first = ask(open_source(tmp_path / "noise.npz"))
    (path,) = cache.iterdir()
    assert json.loads(path.read_text()) == {"accuracy": 0.25, "images": 500}
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
    monkeypatch.setattr(mirroring, "accuracy", lambda images: 0.25)
    assert ask(open_source(tmp_path / "noise.npz")).images == 500
    assert "is not kept" in caplog.text


def test_of_a_folder_it_sees_no_held_out_and_no_broken_picture_and_keeps_quiet(
    cache, tmp_path, monkeypatch, caplog
):
    for index, picture in enumerate(noise(530)):
        Image.fromarray(picture[..., 0]).save(tmp_path / f"{index:03d}.png")
    for index in range(5):
        path = tmp_path / f"{index:03d}.png"
        path.write_bytes(path.read_bytes()[:300])
    source = without(open_source(tmp_path, image_shape=(64, 48)), range(20, 30))
    seen = []
    monkeypatch.setattr(mirroring, "accuracy", lambda images: seen.append(images) or 0.25)
    assert ask(source) == Mirrored(0.25, 515)
    assert seen[0].shape == (515, 32, 32, 3)
    held_out = [np.asarray(Image.open(tmp_path / f"{i:03d}.png")) for i in range(20, 30)]
    resized = list(seen[0][..., 0])
    closest = [min(np.abs(one.astype(int) - image).mean() for one in resized) for image in held_out]
    assert min(closest) > 20  # none of them is among the noise that it saw
    assert (source.good, source.broken, source.skipped) == (520, set(), {})
    assert "skipped" not in caplog.text
