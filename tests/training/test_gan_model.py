"""`GAN` as a keras.Model: compile, fit, evaluate, predict, save, load, and the user's networks."""

import keras
import numpy as np
import pytest
from keras import layers

import kgan
from kgan.training.generating import sample


def networks(shape=(6, 4, 3), taken=None, logits=1):
    """A small pair of the user's own: no DCGAN, images in [0, 1]."""
    generator = keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(int(np.prod(shape))),
            layers.Reshape(shape),
            layers.Activation("sigmoid"),
        ]
    )
    discriminator = keras.Sequential(
        [keras.Input(taken or shape), layers.Flatten(), layers.Dropout(0.2), layers.Dense(logits)]
    )
    return generator, discriminator


def assert_equal_variables(one, other):
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy(), err_msg=a.path)


def test_compile_without_arguments_takes_the_presets(small_gan):
    assert type(small_gan.adversarial_loss) is kgan.losses.BCE
    assert not small_gan.adversarial_loss.has_penalty
    for optimizer in (small_gan.g_optimizer, small_gan.d_optimizer):
        assert isinstance(optimizer, keras.optimizers.Adam)
        assert float(optimizer.learning_rate) == pytest.approx(2e-4)
        assert (optimizer.beta_1, optimizer.beta_2) == (0.5, 0.999)
    assert small_gan.g_optimizer is not small_gan.d_optimizer


def test_history_has_losses_and_mean_logits(small_gan, real_images):
    history = small_gan.fit(real_images, batch_size=16, epochs=2, verbose=0).history
    names = {"d_loss", "g_loss", "real_logits", "fake_logits", "skipped_updates"}
    assert set(history) == names
    assert all(len(values) == 2 for values in history.values())


def test_fit_lowers_the_discriminators_loss_on_real_pictures(trained_gan):
    losses = trained_gan.history.history["d_loss"]
    assert losses[-1] < losses[0]


@pytest.mark.slow
def test_fit_takes_a_dataset(small_gan):
    batches = kgan.data.from_arrays(
        np.uint8(np.random.default_rng(0).integers(0, 256, (12, 16, 20))), batch_size=4
    )
    assert len(small_gan.fit(batches, verbose=0).history["d_loss"]) == 1
    assert int(small_gan.batches_seen) == 3


def test_evaluate_gives_losses_and_changes_nothing_it_was_trained_for(trained_gan, real_images):
    trained_gan.calibrate()  # as evaluating does
    before = [*trained_gan.get_weights(), trained_gan.seed_generator.state.numpy()]
    result = trained_gan.evaluate(real_images, batch_size=16, verbose=0, return_dict=True)
    assert set(result) >= {"d_loss", "g_loss", "real_logits", "fake_logits"}
    after = [*trained_gan.get_weights(), trained_gan.seed_generator.state.numpy()]
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)


def test_predict_gives_the_models_range_and_generate_uint8(trained_gan):
    latents = kgan.latents.from_seeds(range(3), 8)
    images = trained_gan.predict(latents, verbose=0)
    assert images.dtype == np.float32
    assert np.abs(images).max() <= 1.0
    generated = trained_gan.generate(3)
    assert generated.dtype == np.uint8
    np.testing.assert_array_equal(generated, kgan.images.to_uint8(images))


def test_a_seed_gives_the_same_picture_in_every_batch(trained_gan):
    whole = trained_gan.generate(9, seed=3)
    np.testing.assert_allclose(trained_gan.generate(9, seed=3, batch_size=2), whole, atol=1)
    np.testing.assert_allclose(trained_gan.generate(1, seed=8)[0], whole[5], atol=1)
    assert np.abs(whole[0].astype(int) - whole[1]).max() > 0


def test_nice_keeps_the_pictures_the_discriminator_finds_most_real(trained_gan):
    images, seeds = sample(trained_gan, 4, seed=10, nice=5)
    every = trained_gan.predict(kgan.latents.from_seeds(range(10, 30), 8), verbose=0)
    logits = trained_gan.discriminator.predict(every, verbose=0)[:, 0]
    assert seeds == sorted(range(10, 30), key=lambda seed: -logits[seed - 10])[:4]
    np.testing.assert_allclose(trained_gan.generate(1, seeds[2])[0], images[2], atol=1)


def test_a_reloaded_model_trains_on_as_the_same_model_would_have(tmp_path, real_images):
    gan = kgan.GAN(*networks(shape=(16, 20, 1)), seed=4)  # its Dropout has a seed state too
    gan.compile("minimax", keras.optimizers.Adam(1e-2), "rmsprop", d_steps=2, d_update="sequential")
    real_images = (real_images + 1) / 2  # these networks' range
    gan.fit(real_images, batch_size=16, shuffle=False, verbose=0)
    gan.save(tmp_path / "gan.keras")
    again = keras.models.load_model(tmp_path / "gan.keras")
    assert_equal_variables(again.variables, gan.variables)
    for name in ("g_optimizer", "d_optimizer"):
        assert type(getattr(again, name)) is type(getattr(gan, name))
        assert_equal_variables(getattr(again, name).variables, getattr(gan, name).variables)
    before = gan.get_weights()
    histories = [
        model.fit(real_images, batch_size=16, epochs=2, shuffle=False, verbose=0).history
        for model in (gan, again)
    ]
    assert histories[0] == histories[1]
    assert_equal_variables(again.variables, gan.variables)
    assert any(not np.array_equal(a, b) for a, b in zip(before, gan.get_weights(), strict=True))


def test_a_preset_gan_round_trips_through_keras(tmp_path, trained_gan):
    trained_gan.save(tmp_path / "gan.keras")
    again = keras.models.load_model(tmp_path / "gan.keras")
    assert again.preset == "dcgan"
    np.testing.assert_array_equal(again.generate(5), trained_gan.generate(5))
    assert_equal_variables(again.variables, trained_gan.variables)


def test_networks_of_the_users_own():
    gan = kgan.GAN(*networks())
    assert (gan.latent_dim, gan.image_shape, gan.value_range) == (5, (6, 4, 3), (0.0, 1.0))
    gan.compile()
    assert float(gan.g_optimizer.learning_rate) == pytest.approx(2e-4)
    assert gan.g_optimizer.beta_1 == 0.5
    real = np.random.default_rng(0).random((8, 6, 4, 3), np.float32)
    gan.fit(real, batch_size=4, verbose=0)
    assert gan.generate(2).shape == (2, 6, 4, 3)


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ([layers.Dense(12, "sigmoid"), layers.Reshape((2, 2, 3))], (0.0, 1.0)),
        ([layers.Dense(12), layers.Reshape((2, 2, 3)), layers.Activation("sigmoid")], (0.0, 1.0)),
        ([layers.Dense(12, "sigmoid"), layers.Reshape((2, 2, 3)), layers.ReLU()], (0.0, 1.0)),
        ([layers.Dense(12, "tanh"), layers.Reshape((2, 2, 3))], (-1.0, 1.0)),
    ],
)
def test_the_value_range_is_read_off_the_last_activation(last, expected):
    inner = keras.Sequential([keras.Input((5,)), *last])
    _, discriminator = networks(shape=(2, 2, 3))
    nested = keras.Sequential([keras.Input((5,)), inner])
    for generator in (inner, nested):
        assert kgan.GAN(generator, discriminator).value_range == expected
    chosen = kgan.GAN(inner, discriminator, value_range=(0, 255))
    assert chosen.value_range == (0.0, 255.0)
    with pytest.raises(kgan.InputError, match="value_range"):
        kgan.GAN(inner, discriminator, value_range=(1, 1))


@pytest.mark.slow
def test_losses_given_as_functions_are_saved_by_name(tmp_path, small_gan, real_images):
    pair = (kgan.losses.minimax_generator_loss, kgan.losses.bce_discriminator_loss)
    small_gan.compile(pair)
    small_gan.fit(real_images, batch_size=32, verbose=0)
    small_gan.save(tmp_path / "gan.keras")
    again = kgan.load_gan(tmp_path / "gan.keras")
    assert (again.adversarial_loss.generator, again.adversarial_loss.discriminator) == pair
    small_gan.compile((lambda fake: -fake, lambda real, fake: fake - real))
    small_gan.save(tmp_path / "own.keras")
    with pytest.raises(kgan.InputError, match=r"compiled with functions .* compile=False"):
        kgan.load_gan(tmp_path / "own.keras")
    again = kgan.load_gan(tmp_path / "own.keras", compile=False)
    np.testing.assert_array_equal(again.generate(2), small_gan.generate(2))


def test_integer_images_are_refused(small_gan):
    with pytest.raises(kgan.InputError, match="uint8"):
        small_gan.fit(np.zeros((8, 16, 20, 1), np.uint8), batch_size=4, verbose=0)


@pytest.mark.slow
def test_weight_regularizers_of_the_layers_count():
    kernels = []
    for regularizer in (None, keras.regularizers.L2(0.05)):
        keras.utils.set_random_seed(6)
        generator, _ = networks()
        dense = layers.Dense(1, kernel_regularizer=regularizer)
        discriminator = keras.Sequential([keras.Input((6, 4, 3)), layers.Flatten(), dense])
        gan = kgan.GAN(generator, discriminator, seed=6)
        gan.compile(d_optimizer=keras.optimizers.SGD(0.5))
        before = dense.kernel.numpy()
        real = np.random.default_rng(0).random((4, 6, 4, 3), np.float32)
        gan.fit(real, batch_size=4, shuffle=False, verbose=0)
        kernels.append(dense.kernel.numpy())
    # d/dw of 0.05 w^2 is 0.1 w, times the learning rate
    np.testing.assert_allclose(kernels[0] - kernels[1], 0.5 * 0.1 * before, atol=1e-6)


def test_activity_regularizers_are_refused():
    generator, _ = networks()
    dense = layers.Dense(1, activity_regularizer="l2", name="lazy")
    discriminator = keras.Sequential([keras.Input((6, 4, 3)), layers.Flatten(), dense])
    with pytest.raises(kgan.InputError, match=r"no activity regularizers.* one: lazy"):
        kgan.GAN(generator, discriminator)


def test_summary_names_both_networks(small_gan):
    lines = []
    small_gan.summary(print_fn=lines.append)
    assert "dcgan_generator" in "".join(lines)
    assert "dcgan_discriminator" in "".join(lines)


@keras.saving.register_keras_serializable(package="kgan_tests")
class SubclassedDiscriminator(keras.Model):
    """No symbolic input, and a call that does not name `training`."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.flatten = layers.Flatten()
        self.norm = layers.BatchNormalization()
        self.dense = layers.Dense(1)

    def call(self, images):
        return self.dense(self.norm(self.flatten(images)))


@pytest.mark.slow
def test_subclassed_networks_train_in_training_mode_and_reload(tmp_path):
    generator, _ = networks()
    discriminator = SubclassedDiscriminator()
    with pytest.raises(kgan.InputError, match="discriminator must be a built Keras model"):
        kgan.GAN(generator, discriminator)
    discriminator(np.zeros((1, 6, 4, 3), np.float32))
    gan = kgan.GAN(generator, discriminator)
    gan.compile()
    statistics = discriminator.norm.moving_mean.numpy()
    real = np.random.default_rng(0).random((8, 6, 4, 3), np.float32)
    gan.fit(real, batch_size=4, verbose=0)
    assert np.abs(discriminator.norm.moving_mean.numpy() - statistics).max() > 0
    gan.save(tmp_path / "gan.keras")
    again = keras.models.load_model(tmp_path / "gan.keras")
    assert_equal_variables(again.variables, gan.variables)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"taken": (4, 6, 3)}, "must take the generator's images"),
        ({"logits": 2}, "one logit per image"),
        ({"shape": (6, 4, 9)}, "C from 1 to 8"),
        ({"shape": (6, 4)}, "must give images"),
    ],
)
def test_networks_that_do_not_fit_are_named(changes, message):
    with pytest.raises(kgan.InputError, match=message):
        kgan.GAN(*networks(**changes))


def test_mistakes_in_compile_and_generate_are_named(small_gan):
    with pytest.raises(kgan.InputError, match="bce, minimax"):
        small_gan.compile("bse")
    with pytest.raises(kgan.InputError, match=r"d_steps .* Received: 0"):
        small_gan.compile(d_steps=0)
    with pytest.raises(kgan.InputError, match="'both'"):
        small_gan.compile(d_update="both")
    shared = keras.optimizers.Adam()
    with pytest.raises(kgan.InputError, match="two optimizers"):
        small_gan.compile(g_optimizer=shared, d_optimizer=shared)
    with pytest.raises(kgan.InputError, match=r"n must .* Received: 0"):
        small_gan.generate(0)
    with pytest.raises(kgan.InputError, match="Received: -1"):
        small_gan.generate(1, seed=-1)
    with pytest.raises(kgan.InputError, match="Unknown preset"):
        kgan.GAN.from_preset("dcgans")


@pytest.mark.parametrize("kind", [list, dict], ids=["list", "dict"])
def test_a_discriminator_of_several_outputs_is_one_line(small_gan, kind):
    """An auxiliary classifier (ACGAN): kgan conditions by projection."""
    images = keras.Input((16, 20, 1))
    features = keras.layers.Flatten()(images)
    outputs = [keras.layers.Dense(units)(features) for units in (1, 10)]
    named = outputs if kind is list else dict(zip(("real", "kind"), outputs, strict=True))
    with pytest.raises(
        kgan.InputError, match=r"one tensor, one logit .*second input.*10"
    ) as caught:
        kgan.GAN(small_gan.generator, keras.Model(images, named))
    assert "\n" not in str(caught.value)


def test_networks_under_channels_first_are_told(small_gan):
    keras.config.set_image_data_format("channels_first")
    try:
        latents = keras.Input((8,))
        pixels = keras.layers.Dense(3 * 16 * 16)(latents)
        network = keras.Model(latents, keras.layers.Reshape((3, 16, 16))(pixels))
        with pytest.raises(
            kgan.InputError, match=r"keras\.json says channels_first.*channels_last'"
        ):
            kgan.GAN(network, small_gan.discriminator)
    finally:
        keras.config.set_image_data_format("channels_last")
