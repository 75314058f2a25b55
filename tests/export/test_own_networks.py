"""Networks of users' own, with what no preset has: exported, optimized, the same as in Keras."""

import json
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

import kgan

L = keras.layers


def maps(latents, channels=20):
    """Dense -> 4x4 maps."""
    return L.Reshape((4, 4, channels))(L.Dense(16 * channels)(latents))


def dense_on_maps(latents):
    x = L.BatchNormalization()(L.Dense(12)(maps(latents)))
    return L.Conv2D(3, 3, padding="same")(x)


def dense_on_maps_without_bias(latents):
    return L.Conv2D(3, 3, padding="same")(L.Dense(12, use_bias=False)(maps(latents)))


def dense_on_tokens(latents):
    x = L.Reshape((16, 20))(L.Dense(320)(latents))
    x = L.Dense(48)(L.LayerNormalization()(L.Dense(40, activation="gelu")(x)))
    return L.Reshape((16, 16, 3))(x)


def residual_with_gain_zero(latents):
    x = maps(latents)
    y = L.Conv2D(20, 3, padding="same", bias_initializer="ones")(x)
    y = L.BatchNormalization(gamma_initializer="zeros", name="zero")(y)
    return L.Conv2D(3, 1)(L.Add()([x, y]))


def shift_that_cancels(latents):
    x = L.Conv2D(20, 3, padding="same", bias_initializer="ones", name="ones")(maps(latents))
    return L.Conv2D(3, 1)(L.Rescaling(1.0, -1.0)(x))


def odd_transposed(latents):
    x = L.Conv2DTranspose(24, (4, 3), strides=(2, 1), padding="same")(maps(latents))
    x = L.PReLU(shared_axes=[1, 2])(x)
    return L.Conv2DTranspose(3, 3, strides=3, padding="same")(L.GroupNormalization(4)(x))


def dilated_transposed(latents):
    x = L.Conv2DTranspose(24, 3, dilation_rate=2, padding="same")(maps(latents))
    return L.Conv2DTranspose(3, 3, strides=3, padding="same")(x)


def other_enlargements(latents):
    x = L.Conv2D(16, 3, padding="same")(L.UpSampling2D((1, 3))(maps(latents)))
    x = L.Conv2D(16, 3, padding="same", activation="relu")(L.UpSampling2D(3)(x))
    x = L.UpSampling2D(2, interpolation="bilinear")(x)
    return L.Conv2D(3, 1)(L.UpSampling2D(2)(x))


def shared_and_concatenated(latents):
    x = maps(latents)
    again = L.Conv2D(20, 3, padding="same")
    one = L.BatchNormalization()(again(x))
    x = L.Concatenate()([one, again(L.ReLU()(one)), x])
    x = L.Conv2DTranspose(16, 4, strides=2, padding="same")(x)
    return L.Conv2D(3, 3, padding="same")(L.BatchNormalization()(L.ReLU()(x)))


def cropped_and_cut(latents):
    x = L.Conv2DTranspose(20, 5, strides=2, padding="same")(maps(latents))
    x = L.ZeroPadding2D(2)(L.Cropping2D(((1, 0), (0, 2)))(x))
    x = L.DepthwiseConv2D(3, padding="same")(x)
    return L.Reshape((11, 10, 3))(L.Conv2D(3, 1)(x))


class Blurred(L.Layer):
    """By a kernel that is a constant of TensorFlow's, too large to be written into the graph."""

    def build(self, shape):
        kernel = np.outer([1, 2, 1], [1, 2, 1]) / 16
        kernel = np.repeat(kernel[:, :, None, None], shape[-1], axis=2)
        self.kernel = tf.constant(kernel, tf.float32)

    def call(self, inputs):
        return tf.nn.depthwise_conv2d(inputs, self.kernel, [1, 1, 1, 1], "SAME")


class Placed(L.Layer):
    """With numpy's positions beside it, repeated for each image of the batch."""

    def build(self, shape):
        self.positions = np.random.default_rng(0).normal(size=(1, *shape[1:])).astype(np.float32)

    def call(self, inputs):
        return tf.concat([inputs, tf.tile(self.positions, [tf.shape(inputs)[0], 1, 1, 1])], -1)


def captured_constants(latents):
    return L.Conv2D(3, 1)(Placed()(Blurred()(maps(latents))))


def grouped(latents):
    x = L.Conv2D(20, 3, groups=2, padding="same")(maps(latents))
    return L.Conv2D(3, 1)(L.Conv2DTranspose(8, 4, 2, "same")(x))


def activations(latents):
    x = maps(latents)
    for name in ("silu", "celu", "mish", "gelu"):
        x = L.Activation(name)(L.Conv2D(8, 1)(x))
    return L.Conv2D(3, 1)(x)


def sizes_that_are_no_multiples(latents):
    x = L.Reshape((11, 7, 4))(L.Dense(308)(latents))
    x = L.Conv2D(4, 3, padding="same")(L.Resizing(26, 13, interpolation="nearest")(x))
    x = L.Conv2D(4, 1)(L.Resizing(11, 8, interpolation="nearest")(x))
    return L.Conv2D(3, 1)(L.Resizing(26, 9)(x))


def transposed_rows(latents):
    x = L.Conv1DTranspose(16, 8, 2, "same")(L.Reshape((8, 8))(L.Dense(64)(latents)))
    x = L.Conv1DTranspose(8, 5, 3, "valid")(x)
    return L.Reshape((16, 8, 3))(L.Cropping1D(2)(L.ZeroPadding1D(1)(x)))


def transposed_volumes(latents):
    x = L.Reshape((4, 4, 2, 3))(L.Dense(96)(latents))
    return L.Reshape((16, 16, 3))(L.Conv3DTranspose(3, 4, 2, "same")(x))


class Largest(L.Layer):
    """One-hot of the place of the largest number."""

    def call(self, inputs):
        return tf.one_hot(tf.argmax(inputs, -1), inputs.shape[-1])


def one_hot(latents):
    return L.Conv2D(3, 3, padding="same")(maps(L.Concatenate()([latents, Largest()(latents)])))


def dense_alone(latents):
    x = L.BatchNormalization()(L.LeakyReLU()(L.Dense(40)(latents)))
    return L.Reshape((12, 20, 1))(L.Dense(240, activation="sigmoid")(x))


NETWORKS = [
    dense_on_maps,
    dense_on_maps_without_bias,
    dense_on_tokens,
    residual_with_gain_zero,
    shift_that_cancels,
    odd_transposed,
    dilated_transposed,
    other_enlargements,
    shared_and_concatenated,
    cropped_and_cut,
    dense_alone,
    captured_constants,
    grouped,
    activations,
    sizes_that_are_no_multiples,
    pytest.param(transposed_rows, marks=pytest.mark.slow),
    pytest.param(transposed_volumes, marks=pytest.mark.slow),
    pytest.param(one_hot, marks=pytest.mark.slow),
]


def gan_of(network):
    latents = keras.Input((8,))
    generator = keras.Model(latents, network(latents), name=network.__name__)
    random = np.random.default_rng(0)
    for variable in generator.variables:
        if variable.path.endswith("moving_variance"):
            variable.assign(random.uniform(0.3, 2, variable.shape))
        elif variable.path.endswith(("moving_mean", "beta")):
            variable.assign(random.normal(0, 0.3, variable.shape))
        elif variable.path.endswith("gamma") and "zero" not in variable.path:
            variable.assign(random.normal(1, 0.2, variable.shape))
    images = keras.Input(generator.output_shape[1:])
    discriminator = keras.Model(images, L.Dense(1)(L.Flatten()(images)))
    return kgan.GAN(generator, discriminator, value_range=(-1, 1))


def skip_unless_it_runs(gan):
    try:
        gan.predict(np.zeros((1, 8)), verbose=0)
    except tf.errors.OpError:
        pytest.skip("TensorFlow has no dilated Conv2DTranspose on this processor")


IN_TFLITE = [
    captured_constants,
    activations,
    pytest.param(grouped, marks=pytest.mark.slow),
    pytest.param(sizes_that_are_no_multiples, marks=pytest.mark.slow),
    pytest.param(transposed_rows, marks=pytest.mark.slow),
]


@pytest.mark.parametrize("network", IN_TFLITE, ids=lambda network: network.__name__)
def test_in_tflite_the_same(network, tmp_path):
    gan = gan_of(network)
    forms = {"onnx": False, "saved_model": False, "tflite": True}
    export = kgan.export.export(gan, tmp_path / "own", float_output=True, **forms)
    latents = kgan.latents.from_seeds(range(3), 8)
    run = Interpreter(str(export.path / "model.tflite")).get_signature_runner()
    made = run(latents=latents)["images"]
    np.testing.assert_allclose(made, gan.predict(latents, verbose=0), atol=1e-4)
    assert made.std() > 0.01


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.__name__)
def test_exported_optimized_and_the_same(network, tmp_path):
    gan = gan_of(network)
    if network is dilated_transposed:
        skip_unless_it_runs(gan)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # that the graph stays as it was
        export = kgan.export.to_onnx(gan, tmp_path / "own", float_output=True)
    manifest = json.loads((export.path / "manifest.json").read_text())
    assert manifest["optimized"] is True
    assert export.parity["onnx"]["float_max_abs_difference"] < 1e-4
    assert manifest["reference"]["model.onnx"]["max_abs_difference"] < 1e-4
    latents = kgan.latents.from_seeds(range(3), 8)
    session = kgan.runtime.Generator(export.path).session
    (made,) = session.run(["images"], {"latents": latents})
    np.testing.assert_allclose(made, gan.predict(latents, verbose=0), atol=1e-4)
    assert made.std() > 0.01


def test_a_graph_that_a_pass_fails_on_is_delivered_as_it_was(tmp_path, monkeypatch):
    from kgan.export import formats as forms

    def fails(model):
        raise ValueError("no such shape\nmore")

    monkeypatch.setattr(forms, "optimize_graph", fails)
    with pytest.warns(UserWarning, match="stays as tf2onnx made it: no such shape$"):
        export = kgan.export.to_onnx(gan_of(dense_alone), tmp_path / "own")
    assert json.loads((export.path / "manifest.json").read_text())["optimized"] is False
    assert kgan.runtime.Generator(export.path).generate(2).shape == (2, 12, 20, 1)


@keras.saving.register_keras_serializable(package="tests")
class Inverted(L.Layer):
    """Uses an operation that ONNX has not."""

    def call(self, inputs):
        return tf.math.igamma(tf.abs(inputs) + 1.0, tf.abs(inputs))


def unknown_to_onnx(latents):
    return L.Conv2D(3, 1)(Inverted()(maps(latents)))


def test_what_onnx_cannot_hold_is_one_line(tmp_path):
    with pytest.raises(
        kgan.InputError, match=r"tf2onnx cannot write this network as ONNX.*Received"
    ) as caught:
        kgan.export.to_onnx(gan_of(unknown_to_onnx), tmp_path / "own")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "own").exists()
