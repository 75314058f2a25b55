"""`train_step` equals the same step worked out in NumPy."""

import keras
import numpy as np
import pytest
from keras import layers

import kgan

from . import numpy_reference as reference


def networks():
    """The reference's two networks in Keras, with weights far from symmetric."""
    norm = {"momentum": reference.MOMENTUM, "epsilon": reference.EPSILON}
    kernel = {"kernel_initializer": keras.initializers.RandomNormal(stddev=0.4, seed=3)}
    generator = keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(8, use_bias=False, **kernel),
            layers.Reshape((2, 2, 2)),
            layers.BatchNormalization(**norm),
            layers.ReLU(),
            layers.Conv2DTranspose(1, 5, strides=2, padding="same", **kernel),
            layers.Activation("tanh"),
        ]
    )
    discriminator = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            layers.Conv2D(2, 3, strides=2, padding="same", **kernel),
            layers.LeakyReLU(0.2),
            layers.Conv2D(3, 3, padding="same", use_bias=False, **kernel),
            layers.BatchNormalization(**norm),
            layers.LeakyReLU(0.2),
            layers.Flatten(),
            layers.Dense(1, **kernel),
        ]
    )
    return generator, discriminator


def statistics(network):
    norm = next(x for x in network.layers if isinstance(x, layers.BatchNormalization))
    return {"mean": norm.moving_mean.numpy(), "variance": norm.moving_variance.numpy()}


def in_float64(weights):
    return [w.numpy().astype(np.float64) for w in weights]


@pytest.mark.parametrize(
    ("d_update", "optimizers", "steps"),
    [
        ("joint", (lambda: keras.optimizers.SGD(0.3), lambda: reference.SGD(0.3)), 1),
        pytest.param(
            "joint",
            (lambda: keras.optimizers.Adam(0.01, 0.5), lambda: reference.Adam(0.01, 0.5)),
            3,
            marks=pytest.mark.slow,
        ),
        ("sequential", (lambda: keras.optimizers.SGD(0.3), lambda: reference.SGD(0.3)), 2),
    ],
    ids=["joint-sgd", "joint-adam-3-steps", "sequential-sgd"],
)
def test_losses_weights_and_statistics_equal_numpys(d_update, optimizers, steps):
    generator, discriminator = networks()
    gan = kgan.GAN(generator, discriminator, seed=5)
    make_keras, make_numpy = optimizers
    gan.compile(g_optimizer=make_keras(), d_optimizer=make_keras(), d_update=d_update)
    state = {
        "g": in_float64(generator.trainable_weights),
        "d": in_float64(discriminator.trainable_weights),
        "g_stats": statistics(generator),
        "d_stats": statistics(discriminator),
        "g_opt": make_numpy(),
        "d_opt": make_numpy(),
    }
    before = [w.copy() for w in state["g"] + state["d"]]
    # A second GAN with the same seed draws the same latents, first D's, then G's.
    draws = kgan.GAN(*networks(), seed=5)
    pictures = np.random.default_rng(0).uniform(-1, 1, (steps, 6, 4, 4, 1))

    for real in pictures:
        latents = [draws.draw_latents(6).numpy().astype(np.float64) for _ in range(2)]
        expected = reference.train_step(state, real, *latents, d_update=d_update)
        gan.reset_metrics()
        # Not fit, which calibrates the generator's statistics at its end.
        logs = gan.train_on_batch(real.astype(np.float32), return_dict=True)
        received = logs["d_loss"], logs["g_loss"]
        np.testing.assert_allclose(received, expected, atol=1e-4)

    received = in_float64(generator.trainable_weights + discriminator.trainable_weights)
    for old, new, expected in zip(before, received, state["g"] + state["d"], strict=True):
        np.testing.assert_allclose(new, expected, atol=1e-4)
        assert np.abs(new - old).max() > 1e-3  # the step is far larger than the tolerance
    for network, key in ((generator, "g_stats"), (discriminator, "d_stats")):
        for name, value in statistics(network).items():
            np.testing.assert_allclose(value, state[key][name], atol=1e-4)
