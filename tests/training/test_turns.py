"""What the discriminator learns from in a step: whose turn it is, and which share of the batch."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kgan
from kgan.training.adversarial_step import discriminator_step


def tours_discriminator():
    """The MNIST tour's own, with the sigmoid and the loss that it was written with."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(64, 5, padding="same", activation="tanh"),
            layers.MaxPooling2D(2),
            layers.Conv2D(128, 5, activation="tanh"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(1024, activation="tanh"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


@pytest.mark.slow
def test_dcgan_tanh_takes_the_tours_own_step():
    gan = kgan.GAN.from_preset("dcgan_tanh", seed=0)
    gan.compile()
    theirs = tours_discriminator()
    theirs.set_weights(gan.discriminator.get_weights())
    theirs.compile(keras.optimizers.SGD(5e-4, 0.9, nesterov=True), "binary_crossentropy")
    real = np.random.default_rng(0).uniform(-1, 1, (16, 28, 28, 1)).astype(np.float32)
    for _ in range(2):  # the second with momentum
        state = gan.seed_generator.state.numpy()
        latents = gan.draw_latents(16)
        gan.seed_generator.state.assign(state)  # the step draws the same
        # In training mode, as the step makes its fakes.
        fake, _ = gan.generator.stateless_call(
            gan.generator.trainable_variables,
            gan.generator.non_trainable_variables,
            latents,
            training=True,
        )
        before = [weight.copy() for weight in theirs.get_weights()]
        discriminator_step(gan, tf.constant(real))
        theirs.train_on_batch(
            np.concatenate([real, fake]), np.concatenate([np.ones((16, 1)), np.zeros((16, 1))])
        )
        for ours, expected, old in zip(
            gan.discriminator.get_weights(), theirs.get_weights(), before, strict=True
        ):
            assert np.abs(expected - old).max() > 1e-7
            np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-7)


def counted(gan):
    """The sizes of the batches that each network's first layer saw while a step was traced."""
    seen = {"generator": [], "discriminator": []}
    for role, sizes in seen.items():
        network = getattr(gan, role)
        call = network.call

        def counting(inputs, *args, call=call, sizes=sizes, **kwargs):
            first = inputs[0] if isinstance(inputs, list) else inputs
            sizes.append(first.shape[0])
            return call(inputs, *args, **kwargs)

        network.call = counting
    return seen


def test_dcgan_upsample_learns_from_half_a_batch_of_each_fake_first():
    gan = kgan.GAN.from_preset("dcgan_upsample", image_shape=(16, 16, 1), filters=4, seed=0)
    gan.compile(run_eagerly=True)
    assert (gan.d_update, gan.d_share) == ("sequential", 0.5)
    seen = counted(gan)
    gan.train_step(tf.zeros((8, 16, 16, 1)))
    assert seen["generator"] == [4, 4, 8]  # two turns of the discriminator, then its own
    assert seen["discriminator"][-1] == 8
    assert set(seen["discriminator"][:-1]) == {4}
    assert gan.d_optimizer.iterations == 2
    assert gan.g_optimizer.iterations == 1


@pytest.mark.slow
def test_a_share_is_an_option_of_every_preset_and_is_saved(tmp_path, real_images):
    gan = kgan.GAN.from_preset(
        "dcgan", image_shape=(16, 20, 1), latent_dim=4, filters=2, num_classes=3, seed=0
    )
    gan.compile(d_share=0.3)
    labels = np.arange(20) % 3
    gan.fit(real_images[:20], labels, batch_size=10, verbose=0)
    gan.save(tmp_path / "gan.keras")
    again = kgan.load_gan(tmp_path / "gan.keras")
    assert (again.d_share, again.d_update) == (0.3, "joint")


@pytest.mark.parametrize("share", [0, 1.5, "half", True, float("nan")])
def test_a_share_that_is_none(small_gan, share):
    with pytest.raises(kgan.InputError, match=r"d_share must be a number above 0, up to 1\. Rec"):
        small_gan.compile(d_share=share)


def test_a_model_saved_before_there_was_a_share_learns_from_whole_batches():
    gan = kgan.GAN.from_preset("dcgan_upsample", image_shape=(16, 16, 1), filters=4)
    gan.compile()
    config = gan.get_compile_config()
    del config["d_share"]
    gan.compile_from_config(config)
    assert gan.d_share == 1.0
