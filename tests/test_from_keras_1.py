"""docs/from-keras-1.md: the loop of old GAN code in today's Keras, and what kgan does instead."""

import re
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

import kgan

PAGE = Path(__file__).parents[1] / "docs" / "from-keras-1.md"
MARKER = "<!-- tests/test_from_keras_1.py runs this block -->"
B = 8
REAL = np.random.default_rng(0).uniform(-1, 1, (2, B, 4, 4, 1)).astype("float32")


def blocks():
    """The page's Python: all of it in short, the old loop, and kgan's."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.findall(
        re.escape(MARKER) + r"\n```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE
    )
    assert len(found) == text.count("```python") == 3
    return found


def networks(normalised=False):
    """A generator and a discriminator of logits; far from symmetric where they normalise."""
    norm = [layers.BatchNormalization(momentum=0.5)] if normalised else []
    kernel = {"kernel_initializer": keras.initializers.RandomNormal(stddev=0.5, seed=3)}
    generator = [keras.Input((3,)), layers.Dense(16, **kernel), *norm]
    generator += [layers.Reshape((4, 4, 1)), layers.Activation("tanh")]
    norm = [layers.BatchNormalization(momentum=0.5)] if normalised else []
    discriminator = [keras.Input((4, 4, 1)), layers.Conv2D(2, 3, strides=2, **kernel), *norm]
    discriminator += [layers.LeakyReLU(0.2), layers.Flatten(), layers.Dense(1, **kernel)]
    return keras.Sequential(generator), keras.Sequential(discriminator)


def copies_of(originals):
    copies = [keras.models.clone_model(network) for network in originals]
    for copy, network in zip(copies, originals, strict=True):
        copy.set_weights(network.get_weights())
    return copies


class OldLoop:
    """The combined model and `train_on_batch`, with latents as a `GAN` of the seed 5 draws them."""

    def __init__(self, generator, discriminator, g_optimizer, d_optimizer):
        self.generator, self.discriminator = generator, discriminator
        self.judge = keras.Sequential([discriminator, layers.Activation("sigmoid")])
        self.judge.compile(d_optimizer, "binary_crossentropy", run_eagerly=True)
        self.judge.trainable = False
        self.combined = keras.Sequential([generator, self.judge])
        self.combined.compile(g_optimizer, "binary_crossentropy", run_eagerly=True)
        self.draws = kgan.GAN(*copies_of((generator, discriminator)), seed=5)

    def fake(self, n):
        return self.generator.predict(self.draws.draw_latents(n).numpy(), verbose=0)

    def learn(self, images, labels):
        self.judge.reset_metrics()  # Keras 3 before 2026 adds up
        self.judge.trainable = True
        loss = self.judge.train_on_batch(images, np.reshape(labels, (-1, 1)))
        self.judge.trainable = False
        return loss

    def generator_step(self):
        self.combined.reset_metrics()
        return self.combined.train_on_batch(self.draws.draw_latents(B).numpy(), np.ones((B, 1)))

    def mixed_step(self, real, label=1.0):
        images = np.concatenate([real, self.fake(B)])
        return self.learn(images, [label] * B + [0.0] * B), self.generator_step()

    def halved_step(self, real, first):
        """What kgan would report: both halves as they are judged between the two updates."""
        half = B // 2
        halves = {"real": (real[:half], [1.0] * half), "fake": (self.fake(half), [0.0] * half)}
        (second,) = halves.keys() - {first}
        self.learn(*halves[first])
        logits = {kind: self.discriminator(images).numpy() for kind, (images, _) in halves.items()}
        self.learn(*halves[second])
        return bce(logits["real"], 1) + bce(logits["fake"], 0), self.generator_step()


def by_kgan(pair, steps=2, **compiled):
    """(losses of each step, the GAN) of kgan's training from the pair's weights."""
    gan = kgan.GAN(*copies_of(pair), seed=5)
    gan.compile(run_eagerly=True, **compiled)
    losses = []
    for real in REAL[:steps]:
        gan.reset_metrics()
        logs = gan.train_on_batch(real, return_dict=True)
        losses.append([float(logs["d_loss"]), float(logs["g_loss"])])
    return losses, gan


def weights_of(*pair):
    return [weight for network in pair for weight in network.get_weights()]


def assert_same_weights(gan, old, begun, apart=1e-3):
    """Equal to 1e-5 after steps that moved each weight much further."""
    received = weights_of(gan.generator, gan.discriminator)
    expected = weights_of(old.generator, old.discriminator)
    for new, other, first in zip(received, expected, begun, strict=True):
        np.testing.assert_allclose(new, other, atol=1e-5)
        assert np.abs(new - first).max() > apart


def test_the_pages_two_ways_give_the_same_numbers():
    names = {}
    exec(blocks()[1], names)
    begun = weights_of(*names["copies"])
    exec(blocks()[2], names)  # compares losses and weights
    moved = zip(weights_of(*names["copies"]), begun, strict=True)
    assert min(np.abs(new - first).max() for new, first in moved) > 1e-3
    assert np.ptp(names["now"], axis=0).min() > 1e-4  # two steps, two losses
    assert names["combined"].layers[0] is names["generator"] is not names["gan"].generator


def test_all_of_it_now(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    generator, discriminator = networks()
    names = {"kgan": kgan, "keras": keras, "images": np.concatenate(REAL)}
    names |= {"generator": generator, "discriminator": discriminator}
    code = blocks()[0]
    assert "epochs=100" in code
    exec(code.replace("epochs=100", "epochs=1, verbose=0"), names)
    assert kgan.load_gan("gan.keras").latent_distribution == "uniform"


@pytest.mark.parametrize(
    ("optimizer", "loss", "d_rate", "label", "times"),
    [
        (keras.optimizers.Adam, kgan.losses.BCE(one_mean=True), 0.02, 1.0, 1.0),
        (keras.optimizers.SGD, kgan.losses.BCE(0.1, one_mean=True), 0.02, 0.9, 1.0),
        (keras.optimizers.SGD, kgan.losses.BCE(), 0.01, 1.0, 2.0),
    ],
    ids=["adam", "labels-of-0.9", "bce-at-half-the-rate"],
)
def test_a_mixed_batch_and_the_combined_model(optimizer, loss, d_rate, label, times):
    pair = networks()
    begun = weights_of(*pair)
    optimizers = {"g_optimizer": optimizer(0.02), "d_optimizer": optimizer(d_rate)}
    losses, gan = by_kgan(pair, loss=loss, **optimizers)
    old = OldLoop(*pair, optimizer(0.02), optimizer(0.02))
    expected = [old.mixed_step(real, label) for real in REAL]
    np.testing.assert_allclose(losses, np.array(expected) * [times, 1.0], atol=1e-5)
    assert_same_weights(gan, old, begun, apart=1e-4)


def test_two_updates_of_the_discriminator_from_half_batches():
    pair = networks()
    begun = weights_of(*pair)
    sgd = keras.optimizers.SGD
    loops = [OldLoop(*copies_of(pair), sgd(0.1), sgd(0.1)) for _ in range(2)]
    expected = [loops[0].halved_step(real, "fake") for real in REAL]
    for real in REAL:
        loops[1].halved_step(real, "real")
    losses, gan = by_kgan(
        pair, g_optimizer=sgd(0.1), d_optimizer=sgd(0.1), d_update="sequential", d_share=0.5
    )
    np.testing.assert_allclose(losses, expected, atol=1e-5)
    assert_same_weights(gan, loops[0], begun)
    others = weights_of(loops[1].generator, loops[1].discriminator)
    received = weights_of(gan.generator, gan.discriminator)
    apart = [np.abs(a - b).max() for a, b in zip(received, others, strict=True)]
    assert max(apart) > 1e-4  # real images first is another training


def bce(logits, label):
    """Mean cross entropy of logits with a label of 0 or 1."""
    return float(np.mean(np.logaddexp(0.0, -logits if label else logits)))


def statistics(network):
    norm = next(x for x in network.layers if isinstance(x, layers.BatchNormalization))
    return np.stack([norm.moving_mean.numpy(), norm.moving_variance.numpy()])


def test_where_batch_normalisation_makes_them_differ():
    """One step at a rate of 0, each loss and statistic by Keras's layers called one by one."""
    pair = networks(normalised=True)
    for network in pair:  # moving averages that are no batch's
        network(np.random.default_rng(1).normal(1, 2, (6, *network.input_shape[1:])), training=True)
    still = keras.optimizers.SGD
    draws = kgan.GAN(*copies_of(pair), seed=5)
    first, second = (draws.draw_latents(B).numpy() for _ in range(2))

    old = OldLoop(*copies_of(pair), still(0.0), still(0.0))
    received = old.mixed_step(REAL[0])
    generator, discriminator = copies_of(pair)
    mixed = np.concatenate([REAL[0], generator(first, training=False)])
    logits = discriminator(mixed, training=True).numpy()
    d_loss = (bce(logits[:B], 1) + bce(logits[B:], 0)) / 2
    fake = generator(second, training=True)
    g_loss = bce(discriminator(fake, training=False).numpy(), 1)
    np.testing.assert_allclose(received, [d_loss, g_loss], atol=1e-5)
    np.testing.assert_allclose(statistics(old.generator), statistics(generator), atol=1e-5)
    np.testing.assert_allclose(statistics(old.discriminator), statistics(discriminator), atol=1e-5)

    loss = kgan.losses.BCE(one_mean=True)
    (now,), gan = by_kgan(pair, 1, loss=loss, g_optimizer=still(0.0), d_optimizer=still(0.0))
    generator, discriminator = copies_of(pair)
    unwritten = keras.models.clone_model(generator)
    unwritten.set_weights(generator.get_weights())
    real_logits = discriminator(REAL[0], training=True).numpy()
    fake_logits = discriminator(unwritten(first, training=True), training=True).numpy()
    kept = statistics(discriminator)
    g_loss_now = bce(discriminator(generator(second, training=True), training=True).numpy(), 1)
    np.testing.assert_allclose(
        now, [(bce(real_logits, 1) + bce(fake_logits, 0)) / 2, g_loss_now], atol=1e-5
    )
    np.testing.assert_allclose(statistics(gan.generator), statistics(generator), atol=1e-5)
    np.testing.assert_allclose(statistics(gan.discriminator), kept, atol=1e-5)
    assert np.abs(np.subtract(now, received)).min() > 1e-2
    assert np.abs(kept - statistics(old.discriminator)).max() > 1e-2


def test_a_flag_that_stays_down_stops_the_discriminator_in_keras_3():
    generator, discriminator = networks()
    discriminator.compile(keras.optimizers.SGD(0.1), "binary_crossentropy")
    discriminator.trainable = False
    combined = keras.Sequential([generator, discriminator])
    combined.compile(keras.optimizers.SGD(0.1), "binary_crossentropy")
    begun = weights_of(discriminator)
    with pytest.warns(UserWarning, match="trainable"):
        discriminator.train_on_batch(REAL[0], np.ones((B, 1)))
    for new, first in zip(weights_of(discriminator), begun, strict=True):
        np.testing.assert_array_equal(new, first)


@pytest.mark.parametrize(
    "old",
    [
        lambda: layers.Convolution2D(4, 5, subsample=(2, 2)),
        lambda: layers.Conv2D(4, 5, border_mode="same"),
        lambda: layers.BatchNormalization(mode=2),
        lambda: keras.optimizers.Adam(lr=2e-4),
    ],
    ids=["subsample", "border_mode", "mode", "lr"],
)
def test_old_arguments_are_refused(old):
    with pytest.raises((TypeError, ValueError)):
        old()


def test_what_keras_3_takes_and_says_of_old_arguments():
    assert not hasattr(layers, "Deconvolution2D")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        assert layers.LeakyReLU(alpha=0.3).negative_slope == 0.3
        assert keras.optimizers.Adam(decay=1e-4).epsilon == 1e-7
    assert len(told) == 2
    norm = layers.BatchNormalization()
    assert (norm.momentum, norm.epsilon) == (0.99, 1e-3)
    assert keras.initializers.RandomNormal().stddev == 0.05


def test_one_optimizer_for_both_networks_is_refused():
    generator, discriminator = networks()
    shared = keras.optimizers.Adam(2e-4)
    discriminator.compile(shared, "binary_crossentropy", run_eagerly=True)
    discriminator.train_on_batch(REAL[0], np.ones((B, 1)))
    discriminator.trainable = False
    combined = keras.Sequential([generator, discriminator])
    combined.compile(shared, "binary_crossentropy", run_eagerly=True)
    with pytest.raises(ValueError, match="Unknown variable"):
        combined.train_on_batch(np.zeros((B, 3)), np.ones((B, 1)))
    with pytest.raises(kgan.InputError, match="two optimizers"):
        kgan.GAN(*networks()).compile(g_optimizer=shared, d_optimizer=shared)
