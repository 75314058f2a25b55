"""A discriminator that learns something beside from real images: `logits_and_own_loss`."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kgan
from kgan.training.judging import judges_of
from tests.training.test_distribution import ONE, REAL, assert_same, own_networks, train


class Tasked(keras.Model):
    """Its logits are also to be the images' mean, times a factor that is drawn."""

    def logits_and_own_loss(self, images, seed, training=True):
        logits = self(images, training=training)
        means = tf.reduce_mean(images, axis=(1, 2, 3))[:, None]
        factor = 1.0 + tf.random.stateless_uniform((), seed, alg="philox")
        return logits, factor * tf.reduce_mean(tf.abs(logits - means))


def tasked_gan(task=Tasked):
    generator, discriminator = own_networks()
    tasked = task(discriminator.inputs, discriminator.outputs[0])
    return kgan.GAN(generator, tasked, seed=0)


@pytest.mark.slow
def test_its_loss_counts_with_real_images_and_is_shown_as_a_penalty():
    class Sure(Tasked):
        def logits_and_own_loss(self, images, seed, training=True):
            logits, own = super().logits_and_own_loss(images, seed, training)
            return logits, 0.0 * own + 3.0

    (_, plain), (_, sure) = (
        train(ONE, lambda task=task: tasked_gan(task)) for task in (Tasked, Sure)
    )
    assert sure["penalty"] == [3.0, 3.0]
    assert 0 < plain["penalty"][0] != plain["penalty"][1]
    assert max(sure["d_loss"]) < 2.0  # bce's alone, 1.39 where nothing is known


def test_it_sees_what_the_discriminator_judges():
    gan = tasked_gan()
    gan.compile(diff_augment="color,translation,cutout")
    first, second = judges_of(gan, None, 2)
    images = tf.constant(REAL[:4])
    logits = first(images)
    assert np.abs(logits - gan.discriminator(images, training=True)).max() > 1e-3
    learnt, own = first.learn(images)
    np.testing.assert_allclose(learnt, logits, rtol=1e-6)
    assert np.abs(second.learn(images)[0] - logits).max() > 1e-3
    changed = gan.diff_augment(images, first.seed)
    distance = np.abs(logits - tf.reduce_mean(changed, axis=(1, 2, 3))[:, None]).mean()
    assert 1.0 <= float(own) / distance < 2.0


@pytest.mark.slow
def test_two_replicas_learn_it_as_one_device(two_replicas):
    compiled = {"compiled": lambda: {"loss": kgan.losses.Hinge(r1_gamma=1.0)}}
    assert_same(train(ONE, tasked_gan, **compiled), train(two_replicas, tasked_gan, **compiled))
