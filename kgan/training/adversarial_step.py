"""The two halves of an adversarial step (Goodfellow et al. 2014, algorithm 1).

Each half changes the variables of one network and of no other: weights,
normalisation statistics and random seeds alike.
"""

import keras
import tensorflow as tf

from kgan.errors import InputError
from kgan.losses.penalties import gradient_penalty, logits_and_squared_gradient
from kgan.training import replicas
from kgan.training.averaging import update_average

# What each of the discriminator's updates learns from, by `d_update`.
TURNS = {"joint": [("real", "fake")], "sequential": [("fake",), ("real",)]}


def discriminator_step(gan, real_images, labels=None):
    """Updates the discriminator from one batch of real images and one of fakes.

    Args:
        gan: a compiled `GAN`.
        real_images: float tensor (B, H, W, C) in the model's range.
        labels: int tensor (B,), the images' classes, which the fakes take over;
            None for a model without classes.
    """
    batch_size = real_images.shape[0] or tf.shape(real_images)[0]
    latents = gan.draw_latents(batch_size)
    rule = gan.adversarial_loss
    # Drawn out here: inside an update, a seed that is not the network's own would not move on.
    mix = gan.draw_uniform(batch_size) if rule.gradient_penalty else None
    judge_real, judge_fake, judge_between = _judges(gan, labels, 3)

    def judged(judge, images, learn, gamma):
        """Logits, and the weighted penalty on their gradient."""
        if not learn:
            return _constant(judge, images), 0.0
        if not gamma:
            return judge(images), 0.0
        logits, squares = logits_and_squared_gradient(judge, images)
        return logits, 0.5 * gamma * tf.reduce_mean(squares)

    def objective(learn_from):
        # Real and fake go through separately: one mixed batch would be normalised as one.
        real_logits, penalty = judged(judge_real, real_images, "real" in learn_from, rule.r1_gamma)
        fake_images = gan.generator(_inputs(latents, labels), training=True)
        fake_logits, fake_penalty = judged(
            judge_fake, fake_images, "fake" in learn_from, rule.r2_gamma
        )
        penalty += fake_penalty
        if rule.gradient_penalty and "real" in learn_from:
            with keras.StatelessScope():  # pictures between real and fake leave no statistics
                steepness = gradient_penalty(judge_between, real_images, fake_images, mix)
            penalty += rule.gradient_penalty * tf.reduce_mean(steepness)
        loss = rule.discriminator_loss(real_logits, fake_logits)
        judged_logits = tf.concat([real_logits, fake_logits], axis=0)
        return loss + penalty, judged_logits, (real_logits, fake_logits, penalty)

    penalties = 0.0
    turns = TURNS[gan.d_update]
    for turn in turns:
        loss, (real_logits, fake_logits, penalty), finite = gan.updates.apply(
            "discriminator" if turn is turns[0] else "discriminator_second",
            gan.discriminator,
            gan.d_optimizer,
            lambda turn=turn: objective(turn),
            real_images,
            regularize=turn is turns[-1],  # once a batch
        )
        penalties += tf.where(finite, penalty, 0.0)
    optional = {"penalty": penalties}
    if gan.diff_augment is not None:
        surer = replicas.mean([tf.reduce_mean(tf.sign(real_logits))])[0]
        gan.diff_augment.adapt(surer, batch_size * replicas.count())
        optional["augment_probability"] = gan.diff_augment.probability.value
    gan.updates.record(
        finite,
        d_loss=loss - penalty,
        **optional,
        real_logits=tf.reduce_mean(real_logits),
        fake_logits=tf.reduce_mean(fake_logits),
    )


def generator_step(gan, real_images, labels=None):
    """Updates the generator through the frozen discriminator, and its average where it has one.

    The discriminator normalises the fakes by their own statistics, as in
    training; what it would write of them is dropped.

    Args:
        gan: a compiled `GAN`.
        real_images: float tensor (B, H, W, C); as many fakes are made, and a
            relativistic loss compares them.
        labels: as for `discriminator_step`.
    """
    latents = gan.draw_latents(real_images.shape[0] or tf.shape(real_images)[0])
    judge_real, judge_fake = _judges(gan, labels, 2)

    def objective():
        fake_images = gan.generator(_inputs(latents, labels), training=True)
        real_logits = None
        if gan.adversarial_loss.pairs_real:
            real_logits = _constant(judge_real, real_images)
        fake_logits = judge_fake(fake_images)
        loss = gan.adversarial_loss.generator_loss(fake_logits, real_logits)
        return loss, fake_logits, None

    loss, _, finite = gan.updates.apply(
        "generator", gan.generator, gan.g_optimizer, objective, real_images
    )
    gan.updates.record(finite, g_loss=loss)
    if gan.ema_generator is not None:
        images = tf.cast(tf.shape(real_images)[0] * replicas.count(), tf.float32)
        update_average(
            gan.ema_generator,
            gan.generator,
            gan.ema_half_life_images,
            images=images * gan.d_steps,
            images_seen=images * tf.cast(gan.batches_seen.value, tf.float32),
        )


def evaluation_step(gan, real_images, labels=None):
    """Records losses and mean logits in inference mode; changes nothing else.

    Args:
        gan: a compiled `GAN`.
        real_images: float tensor (B, H, W, C) in the model's range.
        labels: as for `discriminator_step`.
    """
    # From a seed generator of its own, so that training draws the same with and without.
    latents = gan.draw_latents(tf.shape(real_images)[0], gan.evaluation_seed_generator)
    fake_images = gan(_inputs(latents, labels), training=False)
    real_logits = gan.discriminator(_inputs(real_images, labels), training=False)
    fake_logits = gan.discriminator(_inputs(fake_images, labels), training=False)
    gan.updates.record(
        True,
        images=tf.shape(real_images)[0],
        d_loss=gan.adversarial_loss.discriminator_loss(real_logits, fake_logits),
        g_loss=gan.adversarial_loss.generator_loss(fake_logits, real_logits),
        real_logits=tf.reduce_mean(real_logits),
        fake_logits=tf.reduce_mean(fake_logits),
    )


def unpack(gan, data):
    """The (real images, int32 labels or None) of a batch.

    Raises:
        InputError: images that are no floats, or no labels for a GAN with classes.
    """
    real_images, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
    if not real_images.dtype.is_floating:
        raise InputError(
            f"Images to train on must be floats in the model's range {gan.value_range}; "
            f"kgan.data makes them so. Received: {real_images.dtype.name}"
        )
    if gan.num_classes is None:
        return real_images, None
    if labels is None or labels.shape.rank != 1 or not labels.dtype.is_integer:
        given = "None" if labels is None else f"{labels.dtype.name} {labels.shape}"
        raise InputError(
            "A conditional GAN trains on (images, labels), labels whole numbers (batch,). "
            f"Received labels: {given}"
        )
    labels = tf.cast(labels, tf.int32)
    # An embedding takes -1 for the last class, and on a GPU anything for zeros.
    inside = tf.debugging.Assert(
        tf.reduce_all((labels >= 0) & (labels < gan.num_classes)),
        [f"A label is a whole number from 0 to {gan.num_classes - 1}. Received:", labels],
    )
    with tf.control_dependencies([inside] if inside is not None else []):
        return real_images, tf.identity(labels)


def _inputs(first, labels):
    return first if labels is None else [first, labels]


def _judges(gan, labels, n):
    """The discriminator in training mode as n functions of images alone, logits in float32.

    Each augments its images by a seed of its own, the same one however often it is called.
    """
    # Drawn out here: inside an update, a seed that is not the network's own would not move on.
    seeds = [None] * n if gan.diff_augment is None else tf.unstack(gan.draw_seeds(n), num=n)

    def judge(images, seed):
        if seed is not None:
            images = gan.diff_augment(images, seed)
        return tf.cast(gan.discriminator(_inputs(images, labels), training=True), tf.float32)

    return [lambda images, seed=seed: judge(images, seed) for seed in seeds]


def _constant(judge, images):
    """Logits that teach and change nothing."""
    with keras.StatelessScope():
        return tf.stop_gradient(judge(images))
