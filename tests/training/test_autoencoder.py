"""`Autoencoder` as a keras.Model, and the linear one against principal component analysis."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kgan


@pytest.fixture(scope="module")
def pictures():
    """256 real pictures, uint8 (256, 8, 8, 1)."""
    batches = kgan.data.embedded(
        batch_size=256, image_shape=(8, 8, 1), value_range=(0, 255), shuffle=False
    )
    return next(iter(batches)).numpy().astype(np.uint8)


@pytest.mark.slow
def test_the_linear_one_learns_what_principal_components_hold(pictures):
    model = kgan.Autoencoder.from_preset("autoencoder", image_shape=(8, 8, 1), latent_dim=4)
    model.compile(keras.optimizers.Adam(1e-2))
    images = kgan.images.from_uint8(pictures)
    model.fit(tf.data.Dataset.from_tensors(images).repeat(600), verbose=0)
    centred = images.reshape(256, -1) - images.reshape(256, -1).mean(0)
    # what is left of the variance beyond the first four components: no four numbers hold more
    best = (np.linalg.svd(centred, compute_uv=False)[4:] ** 2).sum() / centred.size
    reached = model.evaluate(images, verbose=0)
    assert best <= reached < 1.1 * best


def test_encode_decode_and_reconstruct_agree(pictures):
    model = kgan.Autoencoder.from_preset("conv_autoencoder", image_shape=(8, 8, 1), filters=4)
    codes = model.encode(pictures[:5])
    assert codes.shape == (5, 2, 2, 2)
    made = model.reconstruct(pictures[:5])
    np.testing.assert_array_equal(model.decode(codes), made)
    floats = model.predict(kgan.images.from_uint8(pictures[:5]), verbose=0)
    np.testing.assert_array_equal(kgan.images.to_uint8(floats), made)


def test_users_own_networks_range_and_loss(pictures, tmp_path):
    encoder = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]
    )
    decoder = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(64, "sigmoid"), keras.layers.Reshape((8, 8, 1))]
    )
    model = kgan.Autoencoder(encoder, decoder, value_range=(0, 1))
    model.compile(keras.optimizers.Adam(1e-2), "binary_crossentropy")
    images = kgan.images.from_uint8(pictures, (0, 1))
    model.fit(images, batch_size=64, epochs=2, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.loss == "binary_crossentropy"
    assert again.value_range == (0.0, 1.0)
    np.testing.assert_array_equal(again.reconstruct(pictures[:3]), model.reconstruct(pictures[:3]))
    assert float(again.optimizer.learning_rate) == pytest.approx(1e-2)


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_trains_and_exports_in_float32(pictures, policy, tmp_path):
    keras.config.set_dtype_policy(policy)
    model = kgan.Autoencoder.from_preset("conv_autoencoder", image_shape=(8, 8, 1), filters=4)
    model.compile()
    history = model.fit(
        kgan.images.from_uint8(pictures), batch_size=64, epochs=3, verbose=0
    ).history
    assert history["loss"][-1] < history["loss"][0]
    scaled = isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    assert scaled == (policy == "mixed_float16")
    export = kgan.export.to_onnx(model, tmp_path / "half")
    assert export.parity["onnx encode"]["float_max_abs_difference"] < 1e-4


def test_the_networks_policy_counts_whatever_the_global_one_is():
    halves = {"dtype": "mixed_float16", "image_shape": (8, 8, 1), "filters": 4}
    model = kgan.Autoencoder(kgan.models.ConvEncoder(**halves), kgan.models.ConvDecoder(**halves))
    model.compile()
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)


def test_the_end_of_a_dataset_of_unknown_length_is_no_step(pictures):
    model = kgan.Autoencoder.from_preset("autoencoder", image_shape=(8, 8, 1), latent_dim=4)
    model.compile()
    images = kgan.images.from_uint8(pictures[:32])
    batches = tf.data.Dataset.from_tensor_slices(images).batch(16).filter(lambda batch: True)
    model.fit(batches, epochs=3, shuffle=False, verbose=0)
    assert int(model.batches_seen) == int(model.optimizer.iterations) == 6


def test_the_strip_shows_input_over_output(pictures, tmp_path):
    model = kgan.Autoencoder.from_preset("autoencoder", image_shape=(8, 8, 1), latent_dim=4)
    model.compile()
    strip = kgan.callbacks.ReconstructionStrip(tmp_path, pictures[:12], every_steps=2)
    model.fit(
        kgan.images.from_uint8(pictures), batch_size=64, epochs=1, callbacks=[strip], verbose=0
    )
    names = sorted(path.name for path in tmp_path.glob("step-*"))
    assert names == ["step-000000.png", "step-000002.png", "step-000004.png"]
    sheet = keras.utils.img_to_array(
        keras.utils.load_img(tmp_path / names[-1], color_mode="grayscale")
    )
    made = model.reconstruct(pictures[:12])
    np.testing.assert_array_equal(sheet[2:10, 2:10], pictures[0])
    np.testing.assert_array_equal(sheet[12:20, 2:10], made[0])
    np.testing.assert_array_equal(sheet[22:30, 2:10], pictures[8])
    np.testing.assert_array_equal(sheet[32:40, 32:40], made[11])


def test_mistakes_are_named(pictures, trained_gan, tmp_path):
    model = kgan.Autoencoder.from_preset("autoencoder", image_shape=(8, 8, 1), latent_dim=4)
    with pytest.raises(kgan.InputError, match=r"uint8 \(N, 8, 8, 1\). Received: float32"):
        model.encode(np.zeros((2, 8, 8, 1), np.float32))
    with pytest.raises(kgan.InputError, match=r"Codes must be \(N, 4\). Received: \(2, 5\)"):
        model.decode(np.zeros((2, 5)))
    with pytest.raises(kgan.InputError, match="Known: autoencoder, conv_autoencoder"):
        kgan.Autoencoder.from_preset("dcgan")
    other = kgan.models.LinearDecoder((8, 8, 1), latent_dim=5)
    with pytest.raises(kgan.InputError, match="decoder must map the codes"):
        kgan.Autoencoder(model.encoder, other)
    model.compile()
    model.save(tmp_path / "model.keras")
    with pytest.raises(kgan.InputError, match=r"not a kgan.GAN: .* holds a Autoencoder"):
        kgan.load_gan(tmp_path / "model.keras")
