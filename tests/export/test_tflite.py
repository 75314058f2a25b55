"""TFLite: the names and the pictures of the other forms, by its built-in operators alone."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

import kgan
from kgan.cli.main import main
from tests.tiers import tiered

SMALL = {
    "dcgan_upsample": {"image_shape": (16, 16, 3), "filters": 2},  # Keras's UpSampling2D
    "r3gan": {"image_shape": (8, 8, 3), "filters": 4, "num_classes": 3},
    "sagan": {"image_shape": (8, 8, 3), "filters": 8},
}


def interpreted(path, **arrays):
    run = Interpreter(str(path)).get_signature_runner()
    (output,) = run(**arrays).values()
    return output


def scrambled(model):
    rng = np.random.default_rng(0)
    for weight in model.weights:
        if "float" in weight.dtype:
            weight.assign(weight + 0.05 * rng.random(weight.shape))
    return model


@pytest.mark.parametrize("float_output", [False, True])
def test_the_interpreter_gives_keras_pictures(trained_gan, tmp_path, float_output):
    forms = {"onnx": False, "saved_model": False, "tflite": True}
    export = kgan.export.export(
        trained_gan, tmp_path / "clothes", float_output=float_output, **forms
    )
    assert {path.name for path in export.path.iterdir()} == {
        "model.tflite",
        "manifest.json",
        "README.md",
        "samples.png",
    }
    manifest = json.loads((export.path / "manifest.json").read_text())
    assert manifest["parity"]["tflite"]["batch_sizes"] == [1, 3, 8]
    assert "model.tflite" in manifest["files"]
    interpreter = Interpreter(str(export.path / "model.tflite"))
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert list(taken["shape_signature"]) == [-1, 8]
    assert list(given["shape_signature"]) == [-1, 16, 20, 1]
    assert interpreter.get_signature_list() == {
        "serving_default": {"inputs": ["latents"], "outputs": ["images"]}
    }
    for n in (1, 5, 3):  # 5 was never measured, and the batch shrinks again
        latents = kgan.latents.from_seeds(range(77, 77 + n), 8)
        received = interpreted(export.path / "model.tflite", latents=latents)
        if float_output:
            expected = trained_gan.predict(latents, verbose=0)
            np.testing.assert_allclose(received, expected, atol=1e-4)
        else:
            assert received.dtype == np.uint8
            expected = trained_gan.generate(n, seed=77).astype(int)
            np.testing.assert_allclose(received, expected, atol=1)


@pytest.mark.parametrize("preset", tiered(SMALL, lambda name: name not in ("sagan", "r3gan")))
def test_every_kind_of_generator_converts(preset, tmp_path):
    gan = scrambled(kgan.GAN.from_preset(preset, **SMALL[preset]))
    forms = {"onnx": False, "saved_model": False, "tflite": True}
    path = kgan.export.export(gan, tmp_path / preset, **forms).path / "model.tflite"
    arrays = {"latents": kgan.latents.from_seeds(range(4), gan.latent_dim, "normal")}
    if gan.num_classes:
        arrays["labels"] = np.arange(4) % 3
    expected = gan.generate(4).astype(int)
    assert expected.std() > 1
    np.testing.assert_allclose(interpreted(path, **arrays), expected, atol=1)


def test_both_halves_of_an_autoencoder_convert(tmp_path, capsys):
    model = kgan.Autoencoder.from_preset("conv_autoencoder", image_shape=(8, 8, 1), filters=4)
    model.save(tmp_path / "codes.keras")
    arguments = ["export", str(tmp_path / "codes.keras"), "--tflite", "--out", str(tmp_path)]
    assert main(arguments) == 0
    *lines, directory = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["tflite encode", "tflite decode"]
    pictures = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 1), np.uint8)
    codes = interpreted(f"{directory}/encoder.tflite", images=pictures)
    np.testing.assert_allclose(codes, model.encode(pictures), atol=1e-5)
    made = interpreted(f"{directory}/decoder.tflite", codes=codes)
    np.testing.assert_allclose(made.astype(int), model.decode(codes).astype(int), atol=1)


@keras.saving.register_keras_serializable(package="kgan_tests")
class InverseErf(keras.layers.Layer):
    """What no operator of TFLite does."""

    def call(self, x):
        return tf.math.erfinv(tf.math.tanh(x))


def test_a_network_that_tflite_cannot_run_is_named(tmp_path, capfd):
    generator = keras.Sequential(
        [keras.Input((16,)), InverseErf(), keras.layers.Dense(16), keras.layers.Reshape((4, 4, 1))]
    )
    discriminator = keras.Sequential(
        [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    kgan.GAN(generator, discriminator, value_range=(-1, 1)).save(tmp_path / "own.keras")
    out = tmp_path / "exports"
    capfd.readouterr()
    assert main(["export", str(tmp_path / "own.keras"), "--tflite", "--out", str(out)]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.endswith("Received operations that TFLite does not have: Erfinv")
    assert not out.exists()
