"""`redraw_latents=False`: the generator learns from the fakes that the discriminator just saw."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kgan
from tests.training.test_distribution import REAL, own_networks
from tests.training.test_turns import counted


def adams():
    """Without a large epsilon, biases that a normalisation takes away follow rounding errors."""
    return {f"{role}_optimizer": keras.optimizers.Adam(0.01, 0.5, epsilon=1e-2) for role in "gd"}


def next_latents(gan, batch_size):
    """What the next step draws."""
    state = gan.seed_generator.state.numpy()
    latents = gan.draw_latents(batch_size)
    gan.seed_generator.state.assign(state)
    return latents


def values(network):
    return [v.numpy() for v in network.non_trainable_variables]


def restore(network, values):
    for variable, value in zip(network.non_trainable_variables, values, strict=True):
        variable.assign(value)


def pytorchs_loop(twins, optimizers, real, latents, share, learns):
    """PyTorch's DCGAN example in TensorFlow: both halves judge one batch of fakes.

    Its generator runs forward twice, and its statistics move once; where the generator does not
    learn from this batch, not at all.
    """
    generator, discriminator = twins
    bce = keras.losses.BinaryCrossentropy(from_logits=True)
    statistics = values(generator)
    fakes = generator(latents, training=True)
    with tf.GradientTape() as tape:
        on_real = discriminator(real[:share], training=True)
        on_fakes = discriminator(tf.stop_gradient(fakes)[:share], training=True)
        d_loss = bce(tf.ones_like(on_real), on_real) + bce(tf.zeros_like(on_fakes), on_fakes)
    weights = discriminator.trainable_variables
    optimizers[1].apply(tape.gradient(d_loss, [v.value for v in weights]), weights)
    if not learns:
        restore(generator, statistics)
        return float(d_loss), None
    statistics, others = values(generator), values(discriminator)
    with tf.GradientTape() as tape:
        on_fakes = discriminator(generator(latents, training=True), training=True)
        g_loss = bce(tf.ones_like(on_fakes), on_fakes)
    restore(generator, statistics)
    restore(discriminator, others)
    weights = generator.trainable_variables
    optimizers[0].apply(tape.gradient(g_loss, [v.value for v in weights]), weights)
    return float(d_loss), float(g_loss)


@pytest.mark.parametrize(
    ("share", "d_steps", "eagerly"),
    [(1.0, 1, False), (0.5, 2, True), pytest.param(0.5, 2, False, marks=pytest.mark.slow)],
)
def test_two_steps_are_those_of_pytorchs_example(share, d_steps, eagerly):
    gan = kgan.GAN(*own_networks(), seed=0)
    gan.compile(
        "bce",
        **adams(),
        redraw_latents=False,
        d_share=share,
        d_steps=d_steps,
        run_eagerly=eagerly,
    )
    networks = (gan.generator, gan.discriminator)
    twins = [keras.models.clone_model(network) for network in networks]
    optimizers = [adams()[f"{role}_optimizer"] for role in "gd"]
    for twin, network, optimizer in zip(twins, networks, optimizers, strict=True):
        twin.set_weights(network.get_weights())
        optimizer.build(twin.trainable_variables)
    begin = [w.copy() for w in gan.generator.get_weights()]
    for step in range(1, 3):
        latents = next_latents(gan, 8)
        learns = step % d_steps == 0
        gan.reset_metrics()
        logs = gan.train_on_batch(tf.constant(REAL[:8]), return_dict=True)
        losses = pytorchs_loop(twins, optimizers, REAL[:8], latents, int(8 * share), learns)
        for twin, network in zip(twins, networks, strict=True):
            for ours, theirs in zip(network.get_weights(), twin.get_weights(), strict=True):
                np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6)
        assert logs["d_loss"] == pytest.approx(losses[0], rel=1e-5)
        if learns:
            assert logs["g_loss"] == pytest.approx(losses[1], rel=1e-5)
    moved = [np.abs(a - b).max() for a, b in zip(gan.generator.get_weights(), begin, strict=True)]
    assert max(moved) > 1e-3


def tanhs(graph):
    """How often a graph, with all that it calls, makes images."""
    definition = graph.as_graph_def()
    nodes = [*definition.node, *(n for f in definition.library.function for n in f.node_def)]
    return sum(node.op == "Tanh" for node in nodes)


@pytest.mark.parametrize(
    ("redraw", "turn", "calls"),
    [
        (True, "joint", 2),
        (False, "joint", 1),
        pytest.param(False, "sequential", 1, marks=pytest.mark.slow),  # three otherwise
    ],
)
def test_the_generator_runs_forward_once(redraw, turn, calls):
    gan = kgan.GAN(*own_networks(), seed=0)
    gan.compile(redraw_latents=redraw, d_update=turn)
    seen = counted(gan)
    graph = tf.function(gan.train_step).get_concrete_function(tf.constant(REAL[:8])).graph
    assert seen["generator"] == [8] * calls
    assert tanhs(graph) == calls


def test_a_step_that_is_not_finite_leaves_the_generator_as_it_was():
    gan = kgan.GAN(*own_networks(), seed=0)
    gan.compile(**adams(), redraw_latents=False, run_eagerly=True)
    gan.discriminator.trainable_variables[-1].assign([np.nan])
    before = gan.generator.get_weights()
    logs = gan.train_on_batch(tf.constant(REAL[:8]), return_dict=True)
    assert logs["skipped_updates"] == 2
    for ours, old in zip(gan.generator.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, old)  # statistics too


def test_a_weight_that_does_not_reach_the_images_stays_as_it_was():
    generator, discriminator = own_networks()
    aside = generator.add_weight(name="aside", shape=(2,), initializer="ones")
    gan = kgan.GAN(generator, discriminator, seed=0)
    gan.compile(redraw_latents=False, run_eagerly=True)
    with pytest.warns(UserWarning, match="Gradients do not exist for variables .*aside"):
        gan.train_on_batch(tf.constant(REAL[:8]))
    np.testing.assert_array_equal(aside.numpy(), [1.0, 1.0])
    assert gan.updates.skipped.result() == 0


def test_it_is_saved_with_the_model(tmp_path):
    gan = kgan.GAN.from_preset("dcgan", image_shape=(16, 16, 1), latent_dim=4, filters=2, seed=0)
    gan.compile()
    assert gan.redraw_latents
    older = gan.get_compile_config()
    del older["redraw_latents"]
    gan.compile(redraw_latents=False)
    gan.save(tmp_path / "gan.keras")
    again = kgan.load_gan(tmp_path / "gan.keras")
    assert not again.redraw_latents
    gan.compile_from_config(older)  # of a model saved before there was a choice
    assert gan.redraw_latents


def test_anything_but_true_or_false(small_gan):
    with pytest.raises(kgan.InputError, match=r"redraw_latents must be True or False\. Rec.*'no'"):
        small_gan.compile(redraw_latents="no")


@pytest.mark.slow
def test_float16_scales_what_comes_back_to_the_generator():
    """Two steps follow float32, as in test_precision; unscaled, gradients were 2^15 too large."""
    moved = {}
    for policy in ("float32", "mixed_float16"):
        keras.config.set_dtype_policy(policy)
        keras.utils.set_random_seed(0)
        gan = kgan.GAN(*own_networks(), seed=0)
        gan.compile(
            **{f"{role}_optimizer": keras.optimizers.SGD(0.05) for role in "gd"},
            redraw_latents=False,
        )
        begin = [w.copy() for w in gan.generator.get_weights()]
        for first in range(0, 16, 8):
            gan.train_on_batch(REAL[first : first + 8])
        assert gan.updates.skipped.result() == 0
        weights = zip(gan.generator.get_weights(), begin, strict=True)
        moved[policy] = np.concatenate([(w - b).ravel() for w, b in weights])
    exact = moved["float32"]
    apart = np.linalg.norm(moved["mixed_float16"] - exact)
    assert apart < 0.05 * np.linalg.norm(exact)
    assert np.linalg.norm(exact) > 1e-3
