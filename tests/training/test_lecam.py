"""LeCam regularisation against NumPy: its formula, its anchors, and what a step makes of both."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kgan
from kgan.losses.objectives import BCE
from kgan.training.adversarial_step import discriminator_objective
from kgan.training.lecam_anchors import Anchors

RNG = np.random.default_rng(3)
REAL, FAKE = RNG.normal(size=(2, 6, 1)).astype(np.float32)
ANCHORS = Anchors(tf.constant(0.7), tf.constant(-0.4), tf.constant(1.0))


def penalty(learn_from=("real", "fake"), anchors=ANCHORS):
    """The objective's penalty where the logits are the images themselves."""
    judged = discriminator_objective(
        [lambda images: images] * 3,
        tf.constant(REAL),
        tf.constant(FAKE),
        BCE(lecam=0.3),
        learn_from,
        anchors=anchors,
    )
    plain = BCE().discriminator_loss(REAL, FAKE)
    np.testing.assert_allclose(judged.loss - judged.penalty, plain, rtol=1e-5)
    return float(judged.penalty)


def test_the_penalty_is_the_papers():
    real = 0.3 * np.mean((REAL.astype(np.float64) + 0.4) ** 2)
    fake = 0.3 * np.mean((FAKE.astype(np.float64) - 0.7) ** 2)
    assert penalty() == pytest.approx(real + fake, rel=1e-5)
    assert penalty(("real",)) == pytest.approx(real, rel=1e-5)
    assert penalty(("fake",)) == pytest.approx(fake, rel=1e-5)
    assert penalty(anchors=ANCHORS._replace(known=tf.constant(0.0))) == 0


def pointwise_gan(**compiled):
    """A GAN whose discriminator is one weight times the mean of an image."""
    generator = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(16, "tanh"), keras.layers.Reshape((4, 4, 1))]
    )
    judge = keras.layers.Dense(1, use_bias=False, kernel_initializer=keras.initializers.Constant(3))
    mean = keras.layers.GlobalAveragePooling2D()
    discriminator = keras.Sequential([keras.Input((4, 4, 1)), mean, judge])
    gan = kgan.GAN(generator, discriminator, seed=0)
    gan.compile(
        BCE(lecam=0.3),
        keras.optimizers.SGD(0.0),
        keras.optimizers.SGD(0.1),
        redraw_latents=False,
        **compiled,
    )
    return gan, judge.kernel


def level(low, high):
    return RNG.uniform(low, high, (5, 4, 4, 1)).astype(np.float32)


@pytest.mark.parametrize("d_update", ["joint", "sequential"])
def test_steps_move_the_weight_and_the_anchors_as_numpy_does(d_update):
    gan, kernel = pointwise_gan(d_update=d_update)
    weight, anchors = 3.0, None
    for images in (level(-0.5, 1.0), level(-0.9, 0.5), level(-0.6, 1.0)):
        seed = gan.seed_generator.state.numpy()
        fakes = np.asarray(gan.generator(gan.draw_latents(5)), np.float64)
        gan.seed_generator.state.assign(seed)
        gan.train_on_batch(images)
        x = {"real": images.astype(np.float64).mean((1, 2, 3)), "fake": fakes.mean((1, 2, 3))}
        turns = (("fake", "real"),) if d_update == "joint" else (("fake",), ("real",))
        for turn in turns:
            slope = 0.0
            for kind in turn:
                logits, sign = weight * x[kind], -1.0 if kind == "real" else 1.0
                slope += np.mean(sign / (1 + np.exp(-sign * logits)) * x[kind])
                if anchors:
                    other = anchors["fake" if kind == "real" else "real"]
                    slope += 0.3 * np.mean(2 * (logits - other) * x[kind])
            judged, weight = weight, weight - 0.1 * slope
        means = {kind: judged * x[kind].mean() for kind in x}
        old, decay = (anchors, 0.99) if anchors else (means, 0.0)
        anchors = {kind: decay * old[kind] + (1 - decay) * means[kind] for kind in means}
        np.testing.assert_allclose(kernel.numpy(), [[weight]], rtol=1e-4)
        assert float(gan.lecam_anchors.real) == pytest.approx(anchors["real"], rel=1e-4)
        assert float(gan.lecam_anchors.fake) == pytest.approx(anchors["fake"], rel=1e-4)


def test_a_skipped_step_leaves_the_anchors():
    gan, _ = pointwise_gan()
    gan.train_on_batch(level(-0.5, 1.0))
    before = [v.numpy() for v in gan.lecam_anchors.variables]
    assert before[0] != 0
    broken = level(-0.5, 1.0)
    broken[0] = 3e38  # whose sum, and with it the logit, is infinite
    gan.train_on_batch(broken)
    assert [v.numpy() for v in gan.lecam_anchors.variables] == before


def test_a_saved_model_goes_on_with_its_anchors(tmp_path):
    gan, _ = pointwise_gan()
    assert "penalty" in gan.train_on_batch(level(-0.5, 1.0), return_dict=True)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    assert loaded.adversarial_loss.get_config()["lecam"] == 0.3
    batch = level(-0.5, 1.0)
    for model in (gan, loaded):
        model.train_on_batch(batch)
    for one, other in zip(gan.variables, loaded.variables, strict=True):
        np.testing.assert_array_equal(one, other, err_msg=one.path)
    without = keras.models.load_model(tmp_path / "gan.keras", compile=False)
    without.compile()
    assert without.lecam_anchors is None
