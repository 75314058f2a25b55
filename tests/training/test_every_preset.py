"""Every preset trains, saves, loads, generates and exports, at its own shape and at another."""

import functools

import keras
import numpy as np
import onnxruntime
import pytest

import kgan
from kgan.models import PRESETS, AutoencoderPreset
from tests.models.test_networks import OTHER_SHAPES

GANS = [name for name, preset in PRESETS.items() if not isinstance(preset, AutoencoderPreset)]
AUTOENCODERS = [name for name in PRESETS if name not in GANS]


def cases(names):
    for name in names:
        yield pytest.param(name, PRESETS[name].image_shape, id=f"{name}-own")
        yield pytest.param(name, OTHER_SHAPES[name], id=f"{name}-other")


@functools.cache
def pictures():
    """24 of the embedded set: to enlarge all 6,000 would take longer than to train."""
    batches = kgan.data.embedded(batch_size=24, value_range=(0, 255), seed=1)
    return next(iter(batches)).numpy().astype(np.uint8)


def real_batches(image_shape, value_range):
    few = 8 if image_shape[0] <= 128 else 2  # of each of three batches
    return kgan.data.from_arrays(
        pictures()[: 3 * few],
        batch_size=few,
        image_shape=image_shape,
        value_range=value_range,
        seed=1,
    )


def weights_of(network):
    return {weight.path: weight.numpy() for weight in network.trainable_weights}


def trained(name, image_shape):
    """A GAN after three steps in which every kernel moved."""
    gan = kgan.GAN.from_preset(name, image_shape=image_shape, filters=8, seed=3)
    gan.compile()
    before = [weights_of(network) for network in (gan.generator, gan.discriminator)]
    history = gan.fit(real_batches(image_shape, gan.value_range), shuffle=False, verbose=0).history
    assert np.isfinite(list(history.values())).all()
    assert history["skipped_updates"] == [0.0]
    for network, values in zip((gan.generator, gan.discriminator), before, strict=True):
        # A layer after one that starts at zero (attention's gamma) has no gradient yet.
        kernels = [path for path in values if "kernel" in path and "attention" not in path]
        after = weights_of(network)
        assert [path for path in kernels if np.any(after[path] != values[path])] == kernels
    return gan


def assert_draws(export, images, seed):
    drawn = kgan.runtime.Generator(export.path).generate(len(images), seed=seed)
    np.testing.assert_allclose(drawn.astype(int), images.astype(int), atol=1)


def test_a_gan_at_a_small_size(tmp_path):
    """The fast tier's share of the tests below."""
    gan = trained("dcgan", (16, 16, 1))
    images = gan.generate(3, seed=5)
    gan.save(tmp_path / "gan.keras")
    again = kgan.load_gan(tmp_path / "gan.keras")
    np.testing.assert_array_equal(again.generate(3, seed=5), images)
    assert_draws(kgan.export.to_onnx(again, tmp_path / "export"), images, seed=5)


@pytest.mark.slow
@pytest.mark.parametrize("name", GANS)
def test_a_gan_at_its_own_shape(name, tmp_path):
    gan = trained(name, PRESETS[name].image_shape)
    images = gan.generate(3, seed=5)
    assert images.shape == (3, *PRESETS[name].image_shape)
    assert_draws(kgan.export.to_onnx(gan, tmp_path / name), images, seed=5)


@pytest.mark.slow
@pytest.mark.parametrize("name", GANS)
def test_a_gan_at_another_shape(name, tmp_path):
    """Smaller and not square, and so all that can be done with a GAN."""
    gan = trained(name, OTHER_SHAPES[name])
    images = gan.generate(3, seed=5)
    assert images.shape == (3, *OTHER_SHAPES[name])
    gan.save(tmp_path / "gan.keras")
    again = kgan.load_gan(tmp_path / "gan.keras")
    np.testing.assert_array_equal(again.generate(3, seed=5), images)
    export = kgan.export.export(again, tmp_path / name)  # raises where a form differs
    assert set(export.parity) == {"onnx", "saved_model", "saved_model sample"}
    assert_draws(export, images, seed=5)
    again.fit(real_batches(OTHER_SHAPES[name], gan.value_range), shuffle=False, verbose=0)
    assert int(again.batches_seen) == 6


@pytest.mark.slow
@pytest.mark.parametrize(("name", "image_shape"), cases(AUTOENCODERS))
def test_an_autoencoder(name, image_shape, tmp_path):
    model = kgan.Autoencoder.from_preset(name, image_shape=image_shape)
    model.compile()
    batches = real_batches(image_shape, model.value_range)
    losses = model.fit(batches, epochs=4, shuffle=False, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    images = kgan.images.to_uint8(next(iter(batches)))
    made = model.reconstruct(images)
    model.save(tmp_path / "model.keras")
    again = kgan.load_autoencoder(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.reconstruct(images), made)
    again.fit(batches, shuffle=False, verbose=0)
    assert int(again.batches_seen) == 15
    assert int(again.optimizer.iterations) == 15
    export = kgan.export.export(model, tmp_path / name)
    encoder, decoder = (
        onnxruntime.InferenceSession(export.path / f"{half}.onnx")
        for half in ("encoder", "decoder")
    )
    (codes,) = encoder.run(["codes"], {"images": images})
    np.testing.assert_allclose(codes, model.encode(images), rtol=1e-4, atol=1e-3)
    (drawn,) = decoder.run(["images"], {"codes": codes})
    np.testing.assert_allclose(drawn.astype(int), made.astype(int), atol=1)
    layer = keras.layers.TFSMLayer(export.path, call_endpoint="serving_default")
    served = np.asarray(layer(images)["images"])
    np.testing.assert_allclose(served.astype(int), made.astype(int), atol=1)
