"""What penalties and the relativistic loss do to one step, worked out by hand."""

import dataclasses
import functools

import keras
import numpy as np
import pytest

import kgan
from kgan.models import PRESETS

RNG = np.random.default_rng(2)
REAL = RNG.uniform(-1, 1, (4, 4, 4, 1)).astype(np.float32)


def linear_gan():
    """D(x) = w . x, whose gradient in x is w everywhere."""
    generator = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(16, "tanh"), keras.layers.Reshape((4, 4, 1))]
    )
    judge = keras.layers.Dense(1, use_bias=False)
    discriminator = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), judge])
    return kgan.GAN(generator, discriminator, seed=0), judge.kernel


def nothing_generator_loss(fake_logits):
    return 0.0 * keras.ops.mean(fake_logits)


def nothing_discriminator_loss(real_logits, fake_logits):
    return 0.0 * keras.ops.mean(real_logits + fake_logits)


@pytest.mark.parametrize("d_update", ["joint", "sequential"])
@pytest.mark.parametrize(
    ("penalties", "gradient"),
    [
        # gamma / 2 |w|^2, whose gradient is gamma w
        ({"r1_gamma": 0.3}, lambda w: 0.3 * w),
        ({"r2_gamma": 0.2}, lambda w: 0.2 * w),
        # weight (|w| - 1)^2
        (
            {"gradient_penalty": 0.1},
            lambda w: 0.2 * (np.linalg.norm(w) - 1) * w / np.linalg.norm(w),
        ),
    ],
    ids=["r1", "r2", "gradient_penalty"],
)
def test_a_penalty_moves_the_weights_as_its_formula_says(penalties, gradient, d_update):
    gan, kernel = linear_gan()
    before = kernel.numpy()
    loss = kgan.losses.LossPair(nothing_generator_loss, nothing_discriminator_loss, **penalties)
    gan.compile(loss, d_optimizer=keras.optimizers.SGD(1.0), d_update=d_update)
    history = gan.fit(REAL, batch_size=4, verbose=0).history
    np.testing.assert_allclose(kernel.numpy(), before - gradient(before), atol=1e-6)
    norm = np.linalg.norm(before)
    value = {
        "r1_gamma": 0.15 * norm**2,
        "r2_gamma": 0.1 * norm**2,
        "gradient_penalty": 0.1 * (norm - 1) ** 2,
    }[next(iter(penalties))]
    assert history["penalty"] == [pytest.approx(value, rel=1e-4)]
    assert history["d_loss"] == [pytest.approx(0.0, abs=1e-6)]


def test_the_relativistic_step_compares_pairs():
    gan, kernel = linear_gan()
    gan.compile(
        kgan.losses.Relativistic(r1_gamma=0.0, r2_gamma=0.0),
        g_optimizer=keras.optimizers.SGD(0.0),
        d_optimizer=keras.optimizers.SGD(1.0),
    )
    before = kernel.numpy().astype(np.float64)
    twin = kgan.GAN.from_config(gan.get_config())
    twin.set_weights(gan.get_weights())
    fakes = [np.asarray(twin.generator(twin.draw_latents(4))).reshape(4, -1) for _ in range(2)]
    history = gan.fit(REAL, batch_size=4, shuffle=False, verbose=0).history
    real = REAL.reshape(4, -1).astype(np.float64)
    margin = (real - fakes[0]) @ before
    assert history["d_loss"] == [pytest.approx(np.logaddexp(0, -margin).mean(), rel=1e-5)]
    # d/dw softplus(-m) = -s(-m) (real - fake)
    gradient = -((real - fakes[0]) / (1 + np.exp(margin))).mean(0)[:, None]
    np.testing.assert_allclose(kernel.numpy(), before - gradient, atol=1e-5)
    margin = (fakes[1] - real) @ kernel.numpy()
    assert history["g_loss"] == [pytest.approx(np.logaddexp(0, -margin).mean(), rel=1e-5)]


@pytest.mark.slow
def test_a_penalty_leaves_no_statistics_and_other_losses_show_none(small_gan, real_images):
    """Pictures between real and fake are not the discriminator's to remember."""
    statistics = []
    for weight in (0.0, 10.0):
        gan = kgan.GAN.from_config(small_gan.get_config())
        gan.set_weights(small_gan.get_weights())
        gan.compile(kgan.losses.BCE(gradient_penalty=weight))
        history = gan.fit(real_images[:8], batch_size=8, shuffle=False, verbose=0).history
        assert ("penalty" in history) == bool(weight)
        moving = [w.numpy() for w in gan.discriminator.non_trainable_weights]
        statistics.append(moving)
    for one, other in zip(*statistics, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_penalties_train_in_mixed_precision(policy, real_images):
    keras.config.set_dtype_policy(policy)
    gan = kgan.GAN.from_preset("r3gan", image_shape=(8, 8, 1), latent_dim=4, filters=8)
    gan.compile()
    history = gan.fit(real_images[:, :8, :8], batch_size=16, epochs=2, verbose=0).history
    assert np.isfinite(list(history.values())).all()
    assert min(history["penalty"]) > 0


@pytest.mark.slow
def test_a_wasserstein_gan_takes_five_steps_a_generator_step(real_images):
    gan = kgan.GAN.from_preset("gan", image_shape=(16, 20, 1), latent_dim=4, filters=8)
    gan.compile("wasserstein", d_steps=5)
    images = (real_images[:40] + 1) / 2  # this preset's range
    history = gan.fit(images, batch_size=4, verbose=0).history
    assert int(gan.d_optimizer.iterations) == 10
    assert int(gan.g_optimizer.iterations) == 2
    assert history["penalty"][0] > 0


def test_a_loss_with_its_penalties_is_saved(small_gan, tmp_path):
    small_gan.compile(kgan.losses.Relativistic(r1_gamma=0.3, r2_gamma=0.1))
    small_gan.save(tmp_path / "gan.keras")
    again = kgan.load_gan(tmp_path / "gan.keras")
    assert isinstance(again.adversarial_loss, kgan.losses.Relativistic)
    assert (again.adversarial_loss.r1_gamma, again.adversarial_loss.r2_gamma) == (0.3, 0.1)
    assert again.updates.shown == {"penalty"}


def test_the_name_of_the_presets_own_loss_takes_its_penalties(monkeypatch):
    own = {"loss_options": {"r1_gamma": 0.3, "r2_gamma": 0.2}, "gammas": {}}
    softer = dataclasses.replace(PRESETS["r3gan"], **own)
    monkeypatch.setitem(PRESETS, "r3gan", softer)
    gan = kgan.GAN.from_preset("r3gan", image_shape=(8, 8, 1), filters=8)
    gan.compile("relativistic")
    assert (gan.adversarial_loss.r1_gamma, gan.adversarial_loss.r2_gamma) == (0.3, 0.2)


def test_a_skipped_turn_leaves_the_other_turns_figures():
    """Sequential: R2 of infinite fakes is left out, the real turn's penalty is shown."""
    gan, _ = linear_gan()
    loss = kgan.losses.LossPair(
        nothing_generator_loss, nothing_discriminator_loss, r1_gamma=2.0, r2_gamma=2.0
    )
    gan.compile(loss, d_optimizer=keras.optimizers.SGD(0.0), d_update="sequential")
    gan.generator.layers[0].kernel.assign(np.full((3, 16), np.nan))
    history = gan.fit(REAL, batch_size=4, verbose=0).history
    assert history["skipped_updates"][0] >= 1.0
    assert np.isfinite(history["penalty"]).all()


def test_weight_regularizers_count_once_a_batch(real_images):
    """L2(0.5): the gradient is w, so SGD(0.1) leaves 0.9 w, whatever the order of updates."""
    for d_update in ("joint", "sequential"):
        gan, kernel = linear_gan()
        kernel.regularizer = keras.regularizers.L2(0.5)
        before = kernel.numpy()
        pair = (nothing_generator_loss, nothing_discriminator_loss)
        gan.compile(pair, d_optimizer=keras.optimizers.SGD(0.1), d_update=d_update)
        gan.fit(REAL, batch_size=4, verbose=0)
        np.testing.assert_allclose(kernel.numpy(), 0.9 * before, atol=1e-6)


@pytest.mark.slow
def test_evaluate_shows_no_penalty_it_did_not_compute(small_gan, real_images):
    small_gan.compile(kgan.losses.BCE(r1_gamma=1.0))
    small_gan.fit(real_images[:8], batch_size=8, verbose=0)
    assert "penalty" not in small_gan.evaluate(real_images[:8], verbose=0, return_dict=True)


def test_a_pair_that_cannot_be_saved_is_refused_before_training(small_gan, tmp_path):
    partial = functools.partial(kgan.losses.bce_discriminator_loss, label_smoothing=0.1)
    with pytest.raises(kgan.InputError, match="that Keras can save"):
        small_gan.compile((kgan.losses.bce_generator_loss, partial))

    def mine(fake_logits):
        return keras.ops.mean(fake_logits)

    small_gan.compile((mine, kgan.losses.bce_discriminator_loss))
    small_gan.save(tmp_path / "gan.keras")
    with pytest.raises(kgan.InputError, match="compile=False"):
        kgan.load_gan(tmp_path / "gan.keras")
    kgan.load_gan(tmp_path / "gan.keras", compile=False).generate(1)
