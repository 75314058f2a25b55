"""GANs of attributes: trained, saved, drawn from, exported and run by onnxruntime alone."""

import json

import keras
import numpy as np
import onnx
import pytest
import tensorflow as tf

import kgan
from kgan.callbacks import LatentWalk, RunDoctor, SampleGrid
from kgan.layers.diff_augment import SETS

NAMES = ["light", "height"]


def bars(count=1024):
    """8x8 pictures, dark or light, the upper part of them white: its height is a number."""
    rng = np.random.default_rng(0)
    light, height = rng.integers(0, 2, count), rng.uniform(0, 8, count)
    ground = np.where(light, 0.3, -0.8)[:, None, None]
    rows = np.clip(height[:, None] - np.arange(8), 0, 1)[:, :, None]
    images = ground * (1 - rows) + rows + rng.normal(0, 0.02, (count, 8, 8))
    labels = np.stack([light, height], axis=1).astype(np.float32)
    return np.clip(images, -1, 1)[..., None].astype(np.float32), labels


def new_gan(preset="sagan", **options):
    _, labels = bars()
    options = {"image_shape": (8, 8, 1), "latent_dim": 4, "filters": 8, "seed": 1} | options
    return kgan.GAN.from_preset(preset, attributes=kgan.Attributes.of(NAMES, labels), **options)


@pytest.fixture(scope="module")
def lit():
    """A sagan that has learned what both attributes are."""
    keras.utils.set_random_seed(1)
    gan = new_gan()
    gan.compile(
        g_optimizer=keras.optimizers.Adam(2e-3, 0.0, 0.9),
        d_optimizer=keras.optimizers.Adam(4e-3, 0.0, 0.9),
    )
    images, labels = bars()
    gan.fit(images, labels, batch_size=32, epochs=12, verbose=0)
    return gan


def levels(gan, n=32, **asked):
    return kgan.images.from_uint8(gan.generate(n, labels=asked))[..., 0]


@pytest.mark.slow
def test_what_is_asked_for_is_drawn(lit):
    lows, highs = (levels(lit, light=light, height=1.0)[:, 3:].mean() for light in (0, 1))
    assert lows == pytest.approx(-0.8, abs=0.3)
    assert highs == pytest.approx(0.3, abs=0.3)
    for height in (1.5, 4.0, 6.5):
        drawn = (levels(lit, light=0, height=height) > 0.1).mean((0, 2)).sum()
        assert drawn == pytest.approx(height, abs=1.3)


def test_labels_are_rows_dicts_or_those_of_the_seeds():
    gan = new_gan("dcgan", image_shape=(16, 16, 1), filters=2)
    rng = np.random.default_rng(0)
    for weight in gan.generator.trainable_variables:  # as they begin, attributes change nothing
        weight.assign_add(rng.normal(0, 0.2, weight.shape))
    rows = gan.attributes.rows
    by_seed = gan.generate(5, seed=255)
    expected = gan.generate(5, seed=255, labels=rows[np.arange(255, 260) % 256])
    np.testing.assert_array_equal(by_seed, expected)
    np.testing.assert_array_equal(by_seed[2:], gan.generate(3, seed=257, batch_size=2))
    assert len(np.unique(by_seed, axis=0)) == 5
    part = gan.generate(3, labels={"height": 2.0})
    whole = gan.generate(3, labels=np.stack([rows[:3, 0], [2, 2, 2]], axis=1))
    np.testing.assert_array_equal(part, whole)
    one = gan.generate(3, labels=[1, 2.0])
    np.testing.assert_array_equal(one, gan.generate(3, labels={"light": 1, "height": [2, 2, 2]}))
    # A candidate has the label of the picture that it is tried for.
    nice = gan.generate(2, labels={"height": [1.0, 7.0]}, nice=3)
    candidates = gan.generate(6, labels=[[rows[0, 0], 1.0], [rows[1, 0], 7.0]] * 3)
    for index in range(2):
        assert any(np.array_equal(nice[index], one) for one in candidates[index::2])
    with pytest.raises(kgan.InputError, match="Known: light, height"):
        gan.generate(2, labels={"dark": 1})
    with pytest.raises(kgan.InputError, match=r"height is a number from .* Received: 9"):
        gan.generate(2, labels={"height": 9})
    for wrong in ([1, 0, 1], [[1, 0], [1]], "light", 1):
        with pytest.raises(kgan.InputError, match=r"2 numbers \(light, height\), 5 rows of them"):
            gan.generate(5, labels=wrong)
    for height in ("tall", [1, 2], [[1], [1, 2]]):
        with pytest.raises(
            kgan.InputError, match=r"height must be one number, or one per image \(5"
        ):
            gan.generate(5, labels={"height": height})


def test_it_is_saved_and_trained_on(tmp_path):
    gan = new_gan("dcgan", image_shape=(16, 16, 1), filters=2, ema_half_life_images=64)
    gan.compile()
    images = np.random.default_rng(0).uniform(-1, 1, (64, 16, 16, 1)).astype(np.float32)
    labels = bars(64)[1]
    gan.fit(images, labels, batch_size=16, verbose=0)
    gan.save(tmp_path / "gan.keras")
    again = kgan.load_gan(tmp_path / "gan.keras")
    assert again.attributes.to_config() == gan.attributes.to_config()
    assert again.num_classes is None
    np.testing.assert_array_equal(again.generate(4), gan.generate(4))
    for one in (gan, again):
        one.fit(images, labels, batch_size=16, shuffle=False, verbose=0)
    for old, new in zip(gan.variables, again.variables, strict=True):
        np.testing.assert_array_equal(np.asarray(old), np.asarray(new), err_msg=old.path)
    losses = again.evaluate(images, labels, batch_size=16, verbose=0, return_dict=True)
    assert np.isfinite(list(losses.values())).all()


@pytest.mark.parametrize("preset", ["r3gan", "dcgan"])
def test_nobody_having_said_so_nothing_is_mirrored_or_turned(preset, caplog):
    gan = new_gan(preset, image_shape=(16, 16, 1))
    schedule = {"augment_probability": (0.0, 0.3)}
    gan.compile(schedules=schedule)
    kept = gan.diff_augment.policy.split(",")
    assert set(SETS["bgc"]) - set(kept) == {"flip", "rotate90"}
    assert len(kept) == 10
    assert "no picture mirrored" in caplog.text
    gan.compile(diff_augment="bgc")
    assert gan.diff_augment.policy == "bgc"
    plain = kgan.GAN.from_preset(preset, image_shape=(16, 16, 1), filters=8)
    plain.compile(schedules=schedule)
    assert plain.diff_augment.policy == "bgc"


@pytest.mark.parametrize("form", ["mixed_float16", "mixed_bfloat16", "remat", "reuse"])
def test_steps_of_every_form(form):
    if form.startswith("mixed"):
        keras.config.set_dtype_policy(form)
    gan = new_gan("r3gan" if form == "mixed_bfloat16" else "dcgan", image_shape=(16, 16, 1))
    gan.compile(remat=form == "remat", redraw_latents=form != "reuse")
    images = np.random.default_rng(0).uniform(-1, 1, (32, 16, 16, 1)).astype(np.float32)
    history = gan.fit(images, bars(32)[1], batch_size=16, verbose=0).history
    assert np.isfinite(history["d_loss"]).all()
    assert gan.generate(2, labels={"light": 1}).shape == (2, 16, 16, 1)


def test_two_devices_step_as_one(two_replicas):
    images = np.random.default_rng(0).uniform(-1, 1, (32, 16, 16, 1)).astype(np.float32)
    labels = bars(32)[1]
    losses = []
    for strategy in (tf.distribute.get_strategy(), two_replicas):
        keras.utils.set_random_seed(3)
        with strategy.scope():
            gan = new_gan("dcgan", image_shape=(16, 16, 1), filters=2)
            gan.compile(jit_compile=False)
            data = tf.data.Dataset.from_tensor_slices((images, labels)).batch(16)
            history = gan.fit(data, verbose=0).history
        losses.append([history["d_loss"][-1], history["g_loss"][-1]])
    np.testing.assert_allclose(*losses, rtol=1e-4)


def test_callbacks_draw_with_attributes(tmp_path):
    images, labels = bars(64)
    levels = kgan.images.to_uint8(images, (-1.0, 1.0))
    gan = new_gan()
    gan.compile()
    watchers = [
        SampleGrid(tmp_path, every_steps=2, n=4),
        LatentWalk(tmp_path, every_steps=4, walks=2, stops=2, frames=2),
        RunDoctor(levels, labels, every_steps=2),
    ]
    gan.fit(images, labels, batch_size=16, verbose=0, callbacks=watchers)
    assert (tmp_path / "step-000004.webp").is_file()
    assert (tmp_path / "step-000004.png").is_file()
    for wrong in (None, labels[:, 0], labels[:, :1]):
        with pytest.raises(kgan.InputError, match=r"RunDoctor needs labels of 2 finite numbers"):
            gan.fit(images, labels, verbose=0, callbacks=[RunDoctor(levels, wrong)])


def iter_of(*batch):
    yield batch


def test_a_batch_that_does_not_fit_is_refused(trained_gan):
    gan = new_gan("dcgan", image_shape=(16, 16, 1), filters=2)
    gan.compile()
    images, labels = np.zeros((8, 16, 16, 1), np.float32), bars(8)[1]
    for wrong in (None, labels[:, 0], labels[:, :1]):
        with pytest.raises(kgan.InputError, match=r"the numbers \(batch, 2\) of light, height"):
            gan.fit(images, wrong, batch_size=8, verbose=0)
    before = [w.numpy() for w in gan.trainable_variables]
    with pytest.raises(tf.errors.InvalidArgumentError, match="Attributes are finite"):
        gan.fit(images, np.where(labels > 0, np.nan, labels), batch_size=8, verbose=0)
    for old, new in zip(before, gan.trainable_variables, strict=True):
        np.testing.assert_array_equal(old, new.numpy())
    # XLA drops what a step asserts: the labels are looked at as they are read.
    gan.compile(jit_compile=True)
    seen = int(gan.batches_seen)
    wrong = np.full_like(labels, np.inf)
    data = tf.data.Dataset.from_tensor_slices((images, wrong)).batch(8)
    for of_fit in ((images, wrong), (data,), (iter_of(images, wrong),)):
        with pytest.raises(tf.errors.InvalidArgumentError, match="Attributes are finite"):
            gan.fit(*of_fit, batch_size=None if len(of_fit) == 1 else 8, verbose=0)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Attributes are finite"):
        gan.train_on_batch(images, wrong)
    assert int(gan.batches_seen) == seen
    with pytest.raises(kgan.InputError, match=r"need attributes=kgan\.Attributes"):
        kgan.GAN(gan.generator, gan.discriminator)
    with pytest.raises(kgan.InputError, match=r"2 attributes go with networks .* They take: None"):
        kgan.GAN(trained_gan.generator, trained_gan.discriminator, attributes=gan.attributes)
    with pytest.raises(kgan.InputError, match="classes or attributes, not both"):
        kgan.GAN(gan.generator, gan.discriminator, attributes=gan.attributes, num_classes=2)
    with pytest.raises(kgan.InputError, match="classes or attributes, not both"):
        new_gan("dcgan", image_shape=(16, 16, 1), num_classes=2)
    with pytest.raises(kgan.InputError, match=r"attributes are kgan\.Attributes"):
        kgan.GAN.from_preset("dcgan", attributes=NAMES)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """(a dcgan whose attributes matter, its export)."""
    gan = new_gan("dcgan", image_shape=(16, 16, 3), filters=2)
    rng = np.random.default_rng(0)
    for weight in gan.generator.trainable_variables:
        weight.assign_add(rng.normal(0, 0.2, weight.shape))
    return gan, kgan.export.export(gan, tmp_path_factory.mktemp("export") / "lit")


def test_it_is_exported_with_attributes(exported):
    gan, export = exported
    model = onnx.load(export.path / "model.onnx")
    described = {i.name: i.type.tensor_type for i in model.graph.input}
    assert described["labels"].elem_type == onnx.TensorProto.FLOAT
    assert [d.dim_param or d.dim_value for d in described["labels"].shape.dim] == ["batch", 2]
    labels = json.loads((export.path / "manifest.json").read_text())["labels"]
    assert labels["attributes"][0] == {"name": "light", "kind": "switch", "range": [0.0, 1.0]}
    assert labels["attributes"][1]["kind"] == "number"
    assert (labels["dtype"], labels["shape"]) == ("float32", ["batch", 2])
    generator = kgan.runtime.Generator(export.path)
    assert generator.num_classes is None
    assert generator.attributes.to_config() == gan.attributes.to_config()
    for asked in (None, {"light": 1}, [0, 3.5], gan.attributes.rows[:5]):
        drawn = generator.generate(5, seed=254, labels=asked, batch_size=2)
        expected = gan.generate(5, seed=254, labels=asked)
        np.testing.assert_allclose(drawn.astype(int), expected.astype(int), atol=1)
    assert np.ptp(generator.generate(2, labels={"light": 1}).astype(int)
                  - generator.generate(2, labels={"light": 0})) > 10  # fmt: skip
    latents = kgan.latents.from_seeds(range(3), 4, "normal")
    with pytest.raises(kgan.InputError, match="has attributes, light, height: give labels"):
        generator.from_latents(latents)
    assert generator.from_latents(latents, {"light": 0, "height": 1}).shape == (3, 16, 16, 3)
    assert "light (0 or 1), height (" in (export.path / "README.md").read_text()
    assert any("light (0 or 1), height (" in line for line in kgan.shelf.inspect(export.path))


def test_the_saved_model_draws_each_seeds_row(exported):
    gan, export = exported
    loaded = tf.saved_model.load(export.path)
    sample = loaded.signatures["sample"]
    made = sample(seed=tf.constant(254, tf.int64), n=tf.constant(4, tf.int32))["images"]
    expected = gan.generate(4, seed=254)
    np.testing.assert_allclose(made.numpy().astype(int), expected.astype(int), atol=1)


def test_the_cards_own_lines_draw_a_picture(exported, monkeypatch, tmp_path):
    _, export = exported
    monkeypatch.chdir(tmp_path)
    text = (export.path / "README.md").read_text().split("```python\n")[1].split("```")[0]
    exec(text.replace("model.onnx", str(export.path / "model.onnx")), {})
    assert (tmp_path / "picture.png").is_file()
