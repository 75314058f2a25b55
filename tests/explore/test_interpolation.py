"""Walks between latents: their ends, how smooth they are said to be, and what is written."""

import json
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

import kgan
from kgan import latents as latent_law
from kgan.explore import Subject, interpolate
from kgan.explore.by_heart import ByHeart
from kgan.explore.feature_view import FeatureView, discriminator_view
from kgan.explore.interpolation import BETWEEN, smoothness
from kgan.explore.picture import CAPTION_HEIGHT
from kgan.images import repeat_pixels

PIXELS = FeatureView("pixels again", lambda images: images.reshape(len(images), -1))


class Switch:
    """Draws one of two pictures, by the sign of the latent's first value: it knows no others."""

    image_shape, num_classes, class_names = (8, 8, 1), None, None
    latent_dim, latent_distribution = 4, "normal"
    info: ClassVar = {"latents": {"dim": 4, "distribution": "normal"}}

    def from_latents(self, latents, labels=None):
        levels = np.where(np.asarray(latents)[:, 0] > 0, 200, 50).astype(np.uint8)
        return np.broadcast_to(levels[:, None, None, None], (len(levels), 8, 8, 1))

    def generate(self, n, seed=0, labels=None):
        return self.from_latents(latent_law.from_seeds(range(seed, seed + n), 4))


def rows_of(finding, images, legs, frames, by_heart=1):
    """The strip's images, back at their own size, (legs, frames, H, W, C)."""
    height, width = images.shape[1:3]
    scale = -(-64 // min(height, width))
    cell = (height * scale + 4, width * scale + 4)
    found = []
    for leg in range(legs):
        top = leg * (1 + by_heart) * (CAPTION_HEIGHT + cell[0] + 4) + CAPTION_HEIGHT + 4
        row = [
            finding.picture[top : top + height * scale : scale, left : left + width * scale : scale]
            for left in (4 + place * cell[1] for place in range(frames))
        ]
        found.append(row)
    return np.array(found)[..., : images.shape[-1]]


@pytest.mark.parametrize("path", ["linear", "spherical"])
def test_ends_are_the_pictures_of_generate_to_the_byte(trained_gan, path):
    finding = interpolate(trained_gan, [5, 2, 9], frames=4, path=path, features=PIXELS)
    images = np.concatenate([trained_gan.generate(1, seed=seed) for seed in (5, 2, 9)])
    rows = rows_of(finding, images, 2, 4)
    np.testing.assert_array_equal(rows[:, [0, -1]], [images[:2], images[1:]])
    latents = latent_law.from_seeds([5, 2], 8)
    along = latent_law.lerp if path == "linear" else latent_law.slerp
    third = trained_gan.predict(along(*latents, [1 / 3]), verbose=0)
    np.testing.assert_allclose(rows[0, 1], kgan.images.to_uint8(third)[0], atol=1)


@pytest.mark.slow
def test_an_export_walks_as_its_gan_does(trained_gan, tmp_path):
    export = kgan.export.to_onnx(trained_gan, tmp_path / "clothes")
    generator = kgan.runtime.Generator(export.path)
    of_export = interpolate(generator, [1, 4], features=PIXELS)
    of_gan = interpolate(trained_gan, [1, 4], features=PIXELS)
    apart = of_export.picture.astype(int) - of_gan.picture
    assert np.abs(apart).max() <= 1
    rows = rows_of(of_export, generator.generate(1), 1, 9)
    np.testing.assert_array_equal(rows[0, 0], generator.generate(1, seed=1)[0])
    np.testing.assert_array_equal(rows[0, -1], generator.generate(1, seed=4)[0])


def test_steps_of_known_lengths():
    even = smoothness(np.full(8, 2.5))
    assert even == (2.5, 2.5, 1.0, [])
    # One jump in ten steps: mean 1, largest 10, at the middle of the third step.
    jump = smoothness(np.array([0, 0, 10, 0, 0, 0, 0, 0, 0, 0.0]))
    assert jump == (10.0, 1.0, 10.0, [0.25])
    assert smoothness(np.zeros(4)).ratio == 1.0


def test_who_knows_two_pictures_alone_jumps_and_is_marked(trained_gan):
    seeds = [s for s in range(40) if latent_law.from_seeds([s], 4)[0, 0] > 0.5][:1]
    seeds += [s for s in range(40) if latent_law.from_seeds([s], 4)[0, 0] < -0.5][:1]
    switch = interpolate(Switch(), seeds, features=PIXELS)
    (leg,) = switch.figures["legs"]
    assert leg["pixels"]["ratio"] == pytest.approx(8 * BETWEEN)  # it stands still, then jumps
    assert len(leg["pixels"]["jumps"]) == 1
    assert (switch.picture == (220, 30, 30)).all(-1).any()
    smooth = interpolate(trained_gan, [0, 1], features=PIXELS)
    ratio = smooth.figures["largest_ratio"]["pixels"]
    assert ratio < 3 < smooth.figures["largest_ratio_by_heart"]["pixels"]


def test_by_heart_shows_the_nearest_of_what_it_knows(trained_gan):
    known = ByHeart(Subject(trained_gan), [5, 2])
    seeds = [5, 2, *range(1_000_000, 1_000_014)]
    latents = latent_law.from_seeds(seeds, 8)
    np.testing.assert_array_equal(
        known.draw(latents), np.concatenate([trained_gan.generate(1, seed=s) for s in seeds])
    )
    between = latent_law.lerp(latents[0], latents[1], [0.45])
    nearest = np.linalg.norm(latents - between, axis=1).argmin()
    np.testing.assert_array_equal(known.draw(between), trained_gan.generate(1, seed=seeds[nearest]))


def test_classes_are_blended_not_switched():
    gan = kgan.GAN.from_preset(
        "dcgan", image_shape=(16, 16, 1), latent_dim=4, filters=2, num_classes=3, seed=0
    )
    for weight in gan.generator.trainable_variables:
        rng = np.random.default_rng(weight.shape[0])
        weight.assign(rng.normal(0, 0.3, weight.shape) + ("gamma" in weight.path))
    finding = interpolate(gan, [0, 0], frames=5, labels=[1, 2], features=PIXELS)
    first, last = (gan.generate(1, seed=0, labels=label)[0].astype(float) for label in (1, 2))
    assert np.abs(first - last).mean() > 2
    rows = rows_of(finding, gan.generate(1), 1, 5)[0]
    for place, share in enumerate((0, 0.25, 0.5, 0.75, 1)):  # one latent: the class alone changes
        np.testing.assert_array_equal(rows[place], np.rint((1 - share) * first + share * last))
    assert finding.figures["labels"] == [1, 2]


def test_an_autoencoder_walks_between_the_codes_of_pictures(real_images):
    model = kgan.Autoencoder.from_preset("autoencoder", image_shape=(16, 20, 1), latent_dim=6)
    pictures = kgan.images.to_uint8(real_images[:2])
    finding = interpolate(model, pictures=pictures, frames=3, features=PIXELS)
    rows = rows_of(finding, pictures, 1, 3, by_heart=0)[0]
    np.testing.assert_array_equal(rows[[0, 2]], model.reconstruct(pictures))
    middle = model.decode(model.encode(pictures).mean(axis=0, keepdims=True))
    np.testing.assert_allclose(rows[1], middle[0], atol=1)
    with pytest.raises(kgan.InputError, match="between the codes of two pictures"):
        interpolate(model, [1, 2])


def test_what_is_written(trained_gan, tmp_path):
    finding = interpolate(trained_gan, [0, 1], frames=3, features=PIXELS)
    written = finding.save(tmp_path / "new" / "walk.png")
    assert [path.name for path in written] == ["walk.png", "walk.json", "walk.webp"]
    np.testing.assert_array_equal(np.asarray(Image.open(written[0])), finding.picture)
    figures = json.loads(written[1].read_text(encoding="utf-8"))
    assert figures["steps_per_leg"] == 2 * BETWEEN
    assert figures["features"] == "pixels again"
    with Image.open(written[2]) as animation:
        assert animation.n_frames == 4 * BETWEEN  # there and back
        scaled = repeat_pixels(trained_gan.generate(1, seed=0)[0], 8)
        np.testing.assert_array_equal(np.asarray(animation.convert("L")), scaled[..., 0])


def test_the_discriminators_features_are_its_last_maps(trained_gan):
    images = trained_gan.generate(3)
    view = discriminator_view(Subject(trained_gan))
    assert view.name == "the discriminator's leaky_relu_4x5"
    weights, bias = trained_gan.discriminator.get_layer("logits").get_weights()
    logits = trained_gan.discriminator.predict(kgan.images.from_uint8(images), verbose=0)
    np.testing.assert_allclose(view.extract(images) @ weights + bias, logits, atol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seeds": [3]}, "at least two seeds"),
        ({"frames": 1}, "at least 2 frames"),
        ({"path": "round"}, "'linear' or 'spherical'"),
        ({"labels": 1}, "no classes"),
        ({"pictures": np.zeros((2, 16, 20, 1), np.uint8)}, "for an autoencoder"),
    ],
)
def test_mistakes(trained_gan, arguments, message):
    with pytest.raises(kgan.InputError, match=message):
        interpolate(trained_gan, **arguments)
