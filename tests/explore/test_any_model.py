"""Experiments on transparent images, on models of attributes and on images that are no pictures."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kgan
from kgan import explore
from kgan.explore.feature_view import feature_view, why_none
from kgan.explore.judgement import Group
from kgan.explore.marked_boxes import MarkedBoxes
from kgan.explore.picture import enlarged, in_colour
from kgan.explore.unit_sheets import drawn_gradients
from kgan.metrics import Features
from tests.tiny_features import write_network

NAMES = ("light", "height")
ROWS = np.array([[0, 1.5], [1, -1], [1, 3], [0, 0.25]], np.float32)


@pytest.fixture(scope="module")
def icons():
    """A GAN of RGBA images and of attributes, which matter."""
    gan = kgan.GAN.from_preset(
        "dcgan",
        image_shape=(16, 16, 4),
        attributes=kgan.Attributes.of(NAMES, ROWS),
        latent_dim=4,
        filters=2,
        seed=0,
    )
    rng = np.random.default_rng(0)
    for weight in gan.generator.trainable_variables:
        weight.assign(rng.normal(0, 0.5, weight.shape) + ("gamma" in weight.path))
    gan.calibrate()
    return gan


@pytest.fixture(scope="module")
def channels():
    """A GAN of images of two channels."""
    return kgan.GAN.from_preset("dcgan", image_shape=(16, 16, 2), latent_dim=4, filters=2, seed=0)


def seen(image):
    """A transparent image over squares of 8 pixels, light and white, worked out pixel by pixel."""
    out = np.empty((*image.shape[:2], 3))
    for y, x in np.ndindex(image.shape[:2]):
        ground = 255 if (y // 8 + x // 8) % 2 == 0 else 200
        alpha = image[y, x, 3] / 255
        out[y, x] = image[y, x, :3] * alpha + ground * (1 - alpha)
    return out


def test_transparent_images_are_seen_over_squares():
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 24, 4), np.uint8)
    for image, shown in zip(images, in_colour(images), strict=True):
        np.testing.assert_allclose(shown, seen(image), atol=0.51)
    large = enlarged(images, 32)
    repeated = images[0].repeat(2, 0).repeat(2, 1)  # the squares stay as they are
    np.testing.assert_allclose(large[0], seen(repeated), atol=0.51)
    np.testing.assert_array_equal(enlarged(images[1], 32), large[1])


def test_channels_that_are_no_picture_stand_side_by_side():
    images = np.random.default_rng(0).integers(0, 256, (3, 2, 16, 20, 5), np.uint8)
    shown = enlarged(images, 16)
    assert shown.shape == (3, 2, 16, 100, 1)
    np.testing.assert_array_equal(shown[2, 1, :, 40:60, 0], images[2, 1, :, :, 2])


def test_a_walk_changes_attributes_as_latents(icons):
    found = explore.interpolate(icons, [0, 1], 3, "linear")
    ends = [icons.generate(1, seed=seed)[0] for seed in (0, 1)]
    for frame, image in ((found.frames[0], ends[0]), (found.frames[8], ends[1])):
        np.testing.assert_allclose(frame, seen(image.repeat(8, 0).repeat(8, 1)), atol=0.51)
    latents = kgan.latents.from_seeds([0, 1], 4).mean(axis=0, keepdims=True)
    rows = icons.attributes.from_seeds([0, 1])
    middle = icons.predict([latents, rows.mean(axis=0, keepdims=True)], verbose=0)
    middle = kgan.images.to_uint8(middle)[0].repeat(8, 0).repeat(8, 1)
    np.testing.assert_allclose(found.frames[4], seen(middle), atol=2)
    assert "between_classes" not in found.figures
    np.testing.assert_allclose(found.figures["labels"], rows)


def test_strips_and_arithmetic_keep_a_seeds_own_attributes(icons):
    direction = explore.main_directions(icons, "ganspace", 1)
    sheet = explore.strips(icons, direction, [2, 3], columns=3).picture
    image = icons.generate(1, seed=3)[0].repeat(4, 0).repeat(4, 1)
    cell = sheet[20 + 2 + 66 :][:64, 2 + 66 :][:, :64]  # below the caption, second row, middle
    np.testing.assert_allclose(cell, seen(image), atol=1.01)
    found = explore.arithmetic(icons, [(1, [2]), (-1, [3]), (1, [3])])
    np.testing.assert_array_equal(found.figures["label"], icons.attributes.from_seeds([2])[0])
    asked = explore.arithmetic(icons, [(1, [2]), (-1, [3])], label={"light": 1.0})
    assert asked.figures["label"][0] == 1


def test_sefa_sees_latents_alone_where_the_first_layer_takes_classes_too():
    latents, label = keras.Input((4,)), keras.Input((), dtype="int32")
    x = keras.layers.Embedding(3, 5, embeddings_initializer="glorot_normal")(label)
    x = keras.layers.Dense(64, name="first")(keras.layers.Concatenate()([latents, x]))
    x = keras.layers.Reshape((8, 8, 1))(x)
    images, other = keras.Input((8, 8, 1)), keras.Input((), dtype="int32")
    y = keras.layers.Flatten()(images)
    y = keras.layers.Concatenate()([y, keras.layers.Embedding(3, 2)(other)])
    discriminator = keras.Model([images, other], keras.layers.Dense(1)(y))
    generator = keras.Model([latents, label], keras.layers.Activation("tanh")(x))
    gan = kgan.GAN(generator, discriminator, num_classes=3)
    (found,) = explore.main_directions(gan, "sefa", 1)
    matrix = np.asarray(generator.get_layer("first").kernel)[:4]
    left = np.linalg.svd(matrix)[0][:, 0]
    assert abs(found.vector @ left) / np.linalg.norm(found.vector) > 1 - 1e-5


def test_the_discriminator_judges_with_attributes(icons):
    rows = ROWS[:2]
    own = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 4), np.uint8)
    found = explore.judge(icons, {"real": Group(own, ["a", "b"], rows)}, 2)
    logits = {row["name"]: row["logit"] for row in found.figures["pictures"]}
    drawn = icons.generate(2)
    for names, images, labels in (
        (("a", "b"), own, rows),
        (("seed 0", "seed 1"), drawn, icons.attributes.from_seeds([0, 1])),
    ):
        floats = kgan.images.from_uint8(images)
        expected = icons.discriminator.predict([floats, labels], verbose=0)[:, 0]
        np.testing.assert_allclose([logits[name] for name in names], expected, atol=1e-4)
    with pytest.raises(kgan.InputError, match="pictures of attributes: say which"):
        explore.judge(icons, {"own": Group(own, ["a", "b"])}, 2)


def test_slopes_are_taken_with_attributes(icons):
    real = icons.generate(1, seed=7)
    found = explore.lipschitz(icons, real, ROWS[1:2])
    floats = tf.constant(kgan.images.from_uint8(real))
    with tf.GradientTape() as tape:
        tape.watch(floats)
        logits = icons.discriminator([floats, tf.constant(ROWS[1:2])], training=False)
    expected = np.linalg.norm(tape.gradient(logits, floats).numpy())
    assert found.figures["gradient_norm_mean"][0] == pytest.approx(expected, rel=1e-4)


def test_a_picture_is_found_with_its_attributes(icons):
    found = explore.project(icons, icons.generate(1, seed=3), starts=1, steps=2)
    (picture,) = found.figures["pictures"]
    rows = icons.attributes.from_seeds(range(256))
    assert any((row == picture["label"]).all() for row in rows)
    given = explore.project(icons, icons.generate(1), starts=1, steps=1, labels=ROWS[1])
    np.testing.assert_array_equal(given.figures["pictures"][0]["label"], ROWS[1])


def test_units_and_objects_of_transparent_images(icons):
    layer = next(x.name for x in icons.generator.layers if isinstance(x, keras.layers.ReLU))
    drawn = explore.units(icons, layer, chosen=[0], shown=2, count=8)
    assert drawn.picture.shape[-1] == 3
    judged = explore.units(
        icons, icons.discriminator.layers[1].name, icons.generate(4), chosen=[0], shown=2
    )
    assert judged.picture.shape[-1] == 3
    gradients = np.random.default_rng(0).normal(size=(2, 4, 4, 4))
    assert drawn_gradients(gradients).shape == (2, 4, 4, 3)
    boxes = MarkedBoxes((16, 16), {seed: [(4, 4, 12, 12)] for seed in range(3)})
    forgot = explore.forget(icons, boxes)
    assert forgot.gan.attributes is icons.attributes
    assert forgot.gan.generate(1).shape == (1, 16, 16, 4)
    assert explore.kernels(icons).picture.shape[-1] == 3


def test_what_needs_pictures_refuses_other_channels_and_the_rest_does_not(channels):
    walk = explore.interpolate(channels, [0, 1], 2)
    np.testing.assert_array_equal(
        walk.frames[0][::8, ::8, 0][:, 16:], channels.generate(1)[0, ..., 1]
    )
    assert walk.figures["features"] is None
    assert "in pixels alone: features are of pictures" in walk.lines[-1]
    assert explore.strips(channels, explore.main_directions(channels, n=1)).picture.shape[-1] == 1
    assert len(explore.diagram(channels)) == 2
    real = channels.generate(2)
    assert explore.lipschitz(channels, real).figures["lines"] == 2
    for experiment in (
        lambda: explore.marking(channels, [0, 1]),
        lambda: explore.attention(channels),
        lambda: explore.units(channels, channels.discriminator.layers[1].name, real),
    ):
        with pytest.raises(
            kgan.InputError, match=r"drawn in pictures, images of 1 \(grey\).*have 2"
        ):
            experiment()


def test_features_that_a_discriminator_judges_by_tell_nothing(trained_gan, tmp_path, monkeypatch):
    network = Features.from_onnx(write_network(tmp_path / "means.onnx"), scale="unit")
    monkeypatch.setattr(Features, "efficientnet_lite0", lambda: network)
    assert feature_view(explore.Subject(trained_gan)).name == network.name
    trained_gan.discriminator.features_sha256 = network.sha256
    try:
        subject = explore.Subject(trained_gan)
        assert feature_view(subject) is None
        assert "judges by the features at hand" in why_none(subject)
        images = np.random.default_rng(0).integers(0, 256, (1200, 16, 20, 1), np.uint8)
        np.savez(tmp_path / "noise.npz", images=images)
        source = kgan.data.open_source(tmp_path / "noise.npz")
        near = explore.neighbours(trained_gan, source, np.arange(200), n=4, network=network)
        assert near.figures["discriminator_judges_by_them"]
        assert any("read the pixels" in line for line in near.lines)
    finally:
        del trained_gan.discriminator.features_sha256
