"""Conditional GANs: labels steer what is drawn, from data to onnxruntime."""

import json

import keras
import numpy as np
import onnx
import pytest
import tensorflow as tf

import kgan
from kgan import memory
from kgan.export.signatures import parts_of
from kgan.training.adversarial_step import discriminator_step, generator_step

pytestmark = pytest.mark.slow  # in the fast tier the command line trains and draws classes

LEVELS = (-0.8, 0.0, 0.8)


def shaded_batches(batch_size=32):
    """Flat 8x8 pictures whose grey level is their class, with a little noise."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 1024)
    images = np.take(LEVELS, labels)[:, None, None, None] + rng.normal(0, 0.05, (1024, 8, 8, 1))
    data = tf.data.Dataset.from_tensor_slices((images.astype(np.float32), labels))
    return data.shuffle(1024, seed=0).batch(batch_size, drop_remainder=True)


@pytest.fixture(scope="module")
def shades():
    """A conditional sagan that has learned which grey each class is."""
    keras.utils.set_random_seed(1)
    gan = kgan.GAN.from_preset(
        "sagan",
        image_shape=(8, 8, 1),
        latent_dim=4,
        filters=8,
        num_classes=3,
        class_names=["dark", "grey", "light"],
        seed=1,
    )
    gan.compile(
        g_optimizer=keras.optimizers.Adam(2e-3, 0.0, 0.9),
        d_optimizer=keras.optimizers.Adam(4e-3, 0.0, 0.9),
    )
    gan.fit(shaded_batches(), epochs=8, shuffle=False, verbose=0)
    return gan


def means(pictures):
    return kgan.images.from_uint8(pictures).mean((1, 2, 3))


def test_each_class_is_drawn_as_its_own(shades):
    for label, level in enumerate(LEVELS):
        assert means(shades.generate(32, labels=label)).mean() == pytest.approx(level, abs=0.25)


def test_labels_one_many_or_from_the_seeds(shades):
    one = shades.generate(4, seed=7, labels=2)
    np.testing.assert_array_equal(one, shades.generate(4, seed=7, labels=[2, 2, 2, 2]))
    # seed 7 + i modulo 3
    by_seed = shades.generate(4, seed=7)
    np.testing.assert_array_equal(by_seed, shades.generate(4, seed=7, labels=[1, 2, 0, 1]))
    np.testing.assert_array_equal(by_seed[2:], shades.generate(2, seed=9))


def test_nice_keeps_the_best_of_each_label(shades, monkeypatch):
    with monkeypatch.context() as patch:  # a logit of each candidate, and no order of them
        patch.setattr(memory, "free", lambda: 10**9)
        with pytest.raises(kgan.InputError, match=r"256 GB.*nice=3906250\."):
            shades.generate(64, nice=10**9)
    labels = [2, 0, 1, 1]
    made = shades.generate(4, seed=3, labels=labels, nice=5)
    candidates = shades.generate(20, seed=3, labels=5 * labels)
    images = kgan.images.from_uint8(candidates)
    logits = shades.discriminator.predict([images, np.array(5 * labels)], verbose=0)[:, 0]
    for index in range(4):
        rows = range(index, 20, 4)
        # levels are rounded, so equal within what a rounding changes of a logit
        best = max(rows, key=lambda row: logits[row])
        chosen = [r for r in rows if np.array_equal(candidates[r], made[index])]
        assert chosen
        assert logits[chosen[0]] == pytest.approx(logits[best], abs=0.05)


def test_it_is_saved_with_its_classes(shades, tmp_path):
    shades.save(tmp_path / "gan.keras")
    again = kgan.load_gan(tmp_path / "gan.keras")
    assert (again.num_classes, again.class_names) == (3, ["dark", "grey", "light"])
    np.testing.assert_array_equal(again.generate(3), shades.generate(3))
    again.fit(shaded_batches().take(2), shuffle=False, verbose=0)
    losses = again.evaluate(shaded_batches().take(2), verbose=0, return_dict=True)
    assert np.isfinite(list(losses.values())).all()


def test_it_is_exported_with_labels_and_names(shades, tmp_path):
    export = kgan.export.export(shades, tmp_path / "shades")
    model = onnx.load(export.path / "model.onnx")
    described = {i.name: i.type.tensor_type for i in model.graph.input}
    assert set(described) == {"latents", "labels"}
    assert described["labels"].elem_type == onnx.TensorProto.INT64
    assert [d.dim_param for d in described["labels"].shape.dim] == ["batch"]
    manifest = json.loads((export.path / "manifest.json").read_text())
    assert manifest["labels"]["class_names"] == ["dark", "grey", "light"]
    generator = kgan.runtime.Generator(export.path)
    assert (generator.num_classes, generator.class_names) == (3, ["dark", "grey", "light"])
    for labels in (None, 1, [2, 0, 1, 0, 2]):
        drawn = generator.generate(5, seed=4, labels=labels, batch_size=2)
        expected = shades.generate(5, seed=4, labels=labels)
        np.testing.assert_allclose(drawn.astype(int), expected.astype(int), atol=1)
    loaded = tf.saved_model.load(export.path).signatures["serving_default"]
    (part,) = parts_of(shades)
    arrays = part.draw(range(3))
    served = loaded(**{k: tf.constant(v) for k, v in arrays.items()})["images"].numpy()
    expected = shades.generate(3, seed=0)
    np.testing.assert_allclose(served.astype(int), expected.astype(int), atol=1)
    with pytest.raises(kgan.InputError, match="3 classes: give labels"):
        generator.from_latents(arrays["latents"])
    text = (export.path / "README.md").read_text()
    assert "0 dark, 1 grey, 2 light" in text


def test_the_cards_own_lines_draw_a_class(shades, tmp_path, monkeypatch):
    path = kgan.export.to_onnx(shades, tmp_path / "shades").path
    monkeypatch.chdir(path)
    exec((path / "README.md").read_text().split("```python\n")[1].split("```")[0], {})
    assert (path / "picture.png").is_file()


@pytest.mark.parametrize("name", ["dcgan", "r3gan"])
def test_each_class_has_numbers_of_its_own(name):
    gan = kgan.GAN.from_preset(
        name, image_shape=(16, 16, 1), latent_dim=4, filters=8, num_classes=4, seed=0
    )
    gan.compile()
    images = np.random.default_rng(0).uniform(-1, 1, (8, 16, 16, 1)).astype(np.float32)
    labels = np.array([0, 1, 2, 0, 1, 2, 0, 1])  # never 3
    tables = [
        weight
        for weight in gan.trainable_variables
        if weight.shape[0] == 4 and weight.path.split("/")[-1] in ("gamma", "embeddings")
    ]
    assert tables
    before = [table.numpy() for table in tables]
    # The first step of the residual networks moves nothing behind their zeros.
    for _ in range(4):
        gan.fit(images, labels, batch_size=8, verbose=0)
    for table, values in zip(tables, before, strict=True):
        moved = np.abs(table.numpy() - values).max(1) > 0
        assert moved.tolist() == [True, True, True, False], table.path


def test_half_steps_change_one_network(shades):
    real, labels = next(iter(shaded_batches(8)))
    labels = tf.cast(labels, tf.int32)

    def values(network):
        return [variable.numpy() for variable in network.variables]

    for step, still in (
        (discriminator_step, shades.generator),
        (generator_step, shades.discriminator),
    ):
        before = values(still)
        step(shades, real, labels)
        for one, other in zip(before, values(still), strict=True):
            np.testing.assert_array_equal(one, other)


def test_mistakes_are_named(shades, trained_gan, real_images):
    with pytest.raises(kgan.InputError, match=r"from 0 to 2\. Received: 3"):
        shades.generate(2, labels=3)
    with pytest.raises(kgan.InputError, match=r"one per image \(2\)"):
        shades.generate(2, labels=[0, 1, 2])
    with pytest.raises(kgan.InputError, match="no classes"):
        trained_gan.generate(2, labels=0)
    with pytest.raises(kgan.InputError, match=r"trains on \(images, labels\)"):
        shades.fit(np.zeros((8, 8, 8, 1), np.float32), batch_size=8, verbose=0)
    with pytest.raises(kgan.InputError, match="3 different names"):
        kgan.GAN(shades.generator, shades.discriminator, class_names=["a", "b"])
    with pytest.raises(kgan.InputError, match="only the generator does"):
        kgan.GAN(shades.generator, kgan.models.SAGANDiscriminator((8, 8, 1), filters=8))
    with pytest.raises(kgan.InputError, match=r"take no labels"):
        kgan.GAN(trained_gan.generator, trained_gan.discriminator, num_classes=3)


@pytest.mark.parametrize("label", [-1, 3])
def test_labels_out_of_range_do_not_train(shades, label):
    before = [w.numpy() for w in shades.trainable_variables]
    images = np.zeros((8, 8, 8, 1), np.float32)
    with pytest.raises(tf.errors.InvalidArgumentError, match="from 0 to 2"):
        shades.fit(images, np.full(8, label), batch_size=8, verbose=0)
    for old, new in zip(before, shades.trainable_variables, strict=True):
        np.testing.assert_array_equal(old, new.numpy())


def test_class_names_alone_tell_the_number_of_classes():
    names = ["a", "b", "c"]
    gan = kgan.GAN.from_preset("dcgan", image_shape=(16, 16, 1), filters=1, class_names=names)
    assert gan.num_classes == 3


def test_projection_equals_its_formula():
    """Miyato and Koyama 2018, equation 3: psi(phi(x)) + y^T V phi(x), phi the pooled features."""
    judge = kgan.models.DCGANDiscriminator((16, 16, 1), filters=2, num_classes=3)
    images = np.random.default_rng(0).uniform(-1, 1, (4, 16, 16, 1)).astype(np.float32)
    labels = np.array([2, 0, 1, 2])
    last = keras.Model(judge.inputs, judge.get_layer("features").input)
    features = last.predict([images, labels], verbose=0)
    realness = judge.get_layer("realness").get_weights()
    (table,) = judge.get_layer("classes").get_weights()
    expected = features.reshape(4, -1) @ realness[0] + realness[1]
    expected += (features.mean((1, 2)) * table[labels]).sum(1, keepdims=True)
    np.testing.assert_allclose(judge.predict([images, labels], verbose=0), expected, atol=1e-5)
