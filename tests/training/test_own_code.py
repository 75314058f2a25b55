"""Networks with the user's own code: averaged, in float32, told where no file brings them back."""

import warnings

import keras
import numpy as np
import pytest
from keras import layers

import kgan
from kgan.models.own_code import own_code, why_not_from_config
from kgan.models.rebuild import copy_network, float32_copy
from kgan.models.same_layers import SameLayers

POLICIES = ("mixed_float16", "float64", "float32")


class Doubled(layers.Layer):
    """A layer without get_config: what it is given is no config."""

    def __init__(self, function, **kwargs):
        super().__init__(**kwargs)
        self.function = function

    def call(self, inputs):
        return self.function(inputs)


class Forgetful(layers.Layer):
    """Its get_config leaves something out."""

    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs):
        return self.factor * inputs

    def get_config(self):
        return super().get_config()


class Clip(keras.constraints.Constraint):
    def __call__(self, w):
        return keras.ops.clip(w, -0.01, 0.01)


def twice(x):
    return 2.0 * x


def times(factor):
    def scaled(x):
        return factor * x

    return scaled


def generator(*body):
    """8 latents to 8x8x1, `body` between normalised and spectrally normalised convolutions."""
    keras.utils.set_random_seed(1)
    convolution = layers.Conv2D(3, 3, padding="same")
    return keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(4 * 4 * 3),
            layers.Reshape((4, 4, 3)),
            kgan.layers.SpectralNormalization(convolution, seed=1),
            *body,
            layers.BatchNormalization(momentum=0.5),
            layers.Conv2DTranspose(1, 4, 2, "same", activation="tanh"),
        ]
    )


def discriminator(**kwargs):
    keras.utils.set_random_seed(2)
    return keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(1, **kwargs)])


def trained(body, images):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This GAN trains, draws and exports", UserWarning)
        gan = kgan.GAN(generator(body), discriminator(), ema_half_life_images=32, seed=0)
    rates = [keras.optimizers.SGD(0.1) for _ in range(2)]
    gan.compile(g_optimizer=rates[0], d_optimizer=rates[1])
    gan.fit(images, batch_size=8, epochs=2, shuffle=False, verbose=0)
    return gan


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(-1, 1, (32, 8, 8, 1)).astype("float32")


@pytest.mark.slow
@pytest.mark.parametrize("policy", POLICIES)
def test_the_same_as_of_keras_layers(policy, images, tmp_path):
    """A Lambda that doubles is Rescaling(2): averages, statistics and pictures are its own."""
    keras.config.set_dtype_policy(policy)
    own = trained(layers.Lambda(lambda x: 2.0 * x), images)
    keras_own = trained(layers.Rescaling(2.0), images)
    assert isinstance(own.ema_generator, SameLayers)
    assert not isinstance(keras_own.ema_generator, SameLayers)
    averages, expected = (gan.ema_generator.get_weights() for gan in (own, keras_own))
    moved = 0.0
    for one, other, live in zip(averages, expected, own.generator.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
        moved = max(moved, np.abs(one - live).max())
    assert moved > 1e-3  # the average is not the network in training
    pictures = own.generate(4)
    np.testing.assert_allclose(pictures.astype(int), keras_own.generate(4), atol=1)
    assert float32_copy(own.inference_generator)(np.zeros((1, 8))).dtype == "float32"
    if policy != "float32":
        export = kgan.export.to_onnx(own, tmp_path / "own")
        drawn = kgan.runtime.Generator(export.path).generate(4)
        np.testing.assert_allclose(drawn.astype(int), pictures, atol=1)


def test_what_no_file_brings_back_is_told_when_the_model_is_made(images, tmp_path):
    cases = {
        r"lambda \(Lambda\), has no name": layers.Lambda(lambda x: x, name="lambda"),
        r"doubled \(Doubled\) has no get_config": Doubled(twice, name="doubled"),
        r"other outputs: a get_config leaves": Forgetful(3.0),
    }
    for words, layer in cases.items():
        with pytest.warns(UserWarning, match=f"cannot be saved and loaded: the generator.*{words}"):
            gan = kgan.GAN(generator(layer), discriminator())
    with pytest.warns(UserWarning, match="the generator.* doubled"):
        gan = kgan.GAN(generator(Doubled(twice, name="doubled")), discriminator())
    gan.compile()
    checkpoint = kgan.callbacks.Checkpoint(tmp_path / "gan.keras")
    with pytest.raises(kgan.InputError, match=r"cannot be saved: .*doubled.* has no get_config"):
        gan.fit(images, batch_size=8, callbacks=[checkpoint], verbose=0)
    assert int(gan.batches_seen) == 0
    assert list(tmp_path.iterdir()) == []


def test_two_functions_of_one_name_are_not_mixed_up():
    network = generator(layers.Activation(times(2.0)), layers.Activation(times(3.0)))
    assert "2 different things in it have the name scaled" in why_not_from_config(network)
    latents = np.random.default_rng(0).normal(size=(2, 8)).astype("float32")
    np.testing.assert_array_equal(copy_network(network)(latents), network(latents))


def test_what_has_a_name_is_found_by_it():
    """Activations, initializers and constraints of the user's, none of them registered."""
    one = layers.Dense(3, activation=twice, kernel_constraint=Clip(), name="one")
    network = generator(one)
    assert own_code(network) == {"twice": [twice], "Clip": [Clip]}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gan = kgan.GAN(network, discriminator(kernel_constraint=Clip()), ema_half_life_images=9)
    latents = np.random.default_rng(0).normal(size=(2, 8)).astype("float32")
    np.testing.assert_array_equal(gan.ema_generator(latents), network(latents))
    assert isinstance(gan.ema_generator.get_layer("one").kernel_constraint, Clip)
    assert not isinstance(gan.ema_generator, SameLayers)


@pytest.mark.slow
def test_custom_objects_name_what_is_not_registered(images, tmp_path):
    networks = generator(layers.Activation(twice)), discriminator(kernel_constraint=Clip())
    gan = kgan.GAN(*networks, ema_half_life_images=9)
    gan.compile()
    gan.fit(images, batch_size=8, verbose=0)
    path = tmp_path / "gan.keras"
    gan.save(path)
    for objects, names, given in (
        (None, "Clip, twice", "'Clip': Clip, 'twice': twice"),
        ({"twice": twice}, "Clip", "'Clip': Clip"),
    ):
        words = f"Keras does not know this model's {names}: .*={{{given}}}"
        with pytest.raises(kgan.InputError, match=words) as caught:
            kgan.load_gan(path, custom_objects=objects)
        assert "\n" not in str(caught.value)
    again = kgan.load_gan(path, custom_objects={"twice": twice, "Clip": Clip})
    np.testing.assert_array_equal(again.generate(2), gan.generate(2))
    again.fit(images, batch_size=8, verbose=0)
    assert np.abs(again.discriminator.get_weights()[0]).max() <= np.float32(0.01)


@pytest.mark.slow
def test_a_lambda_comes_back_where_keras_is_told_to_run_it(images, tmp_path):
    gan = trained(layers.Lambda(lambda x: 2.0 * x), images)
    gan.save(tmp_path / "gan.keras")
    with pytest.warns(UserWarning, match="a lambda"):
        again = keras.models.load_model(tmp_path / "gan.keras", safe_mode=False)
    assert isinstance(again.ema_generator, SameLayers)
    for one, other in zip(gan.variables, again.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy(), err_msg=one.path)
    np.testing.assert_array_equal(again.generate(2), gan.generate(2))
    with pytest.raises(kgan.InputError, match="holds Python code"):
        kgan.load_gan(tmp_path / "gan.keras")


def test_float16_weights_are_refused_at_compile():
    keras.config.set_dtype_policy("float16")
    gan = kgan.GAN(generator(), discriminator())
    with pytest.raises(kgan.InputError, match=r"mixed_float16.*Received: .*/kernel in float16"):
        gan.compile()


@pytest.mark.slow
def test_a_subclassed_model_without_get_config(images):
    class Mine(keras.Model):
        def __init__(self, function):
            super().__init__()
            self.dense = layers.Dense(64)
            self.function = function

        def call(self, latents):
            return keras.ops.reshape(self.function(self.dense(latents)), (-1, 8, 8, 1))

    mine = Mine(keras.ops.tanh)
    mine(np.zeros((1, 8), "float32"))
    with pytest.warns(UserWarning, match="cannot be saved and loaded"):
        gan = kgan.GAN(mine, discriminator(), ema_half_life_images=32)
    gan.compile()
    gan.fit(images, batch_size=8, verbose=0)
    kernel = gan.ema_generator.get_weights()[0]
    latents = kgan.latents.from_seeds(range(2), 8)
    expected = np.tanh(latents @ kernel + gan.ema_generator.get_weights()[1])
    drawn = gan.predict(latents, verbose=0)
    np.testing.assert_allclose(drawn, expected.reshape(2, 8, 8, 1), atol=1e-5)
    assert np.abs(kernel - mine.get_weights()[0]).max() > 0


@pytest.mark.slow
def test_on_two_replicas(two_replicas, images):
    with two_replicas.scope():
        networks = generator(layers.Lambda(lambda x: 2.0 * x)), discriminator()
        with pytest.warns(UserWarning, match="lambda"):
            gan = kgan.GAN(*networks, ema_half_life_images=32)
        gan.compile()
    gan.fit(images, batch_size=8, verbose=0)
    assert np.isfinite(gan.predict(np.zeros((2, 8), "float32"), verbose=0)).all()
    assert gan.generate(2).std() > 0
