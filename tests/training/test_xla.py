"""The step compiled by XLA, as a TPU always does, and several steps an execution: the same numbers.

XLA holds static shapes alone and no call of Python, so that what compiles here has neither.
"""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

import kgan
from kgan.models.r3gan import R3GANGenerator

pytestmark = pytest.mark.slow

SHAPE = (16, 16, 1)
REAL = np.random.default_rng(0).uniform(-1, 1, (24, *SHAPE)).astype(np.float32)
LABELS = (np.arange(24) % 3).astype(np.int32)
CASES = {
    "dcgan, adaptive augmentation, average": (
        "dcgan",
        {"ema_half_life_images": 50},
        lambda: {"diff_augment": kgan.layers.DiffAugment(target=0.6, adapt_images=100)},
    ),
    "dcgan, sequential, for few images": (
        "dcgan",
        {"minibatch_stddev": True},
        lambda: {"d_update": "sequential", "loss": kgan.losses.BCE(lecam=0.3)},
    ),
    "sagan, classes": ("sagan", {"num_classes": 3}, dict),
    "r3gan": ("r3gan", {}, dict),
    "dcgan, blocks recomputed": (
        "dcgan",
        {},
        lambda: {"loss": kgan.losses.BCE(r1_gamma=1.0), "remat": True},
    ),
    "dcgan, fakes judged again": ("dcgan", {}, lambda: {"redraw_latents": False}),
    "gan, gradient penalty, d_steps": (
        "gan",
        {},
        lambda: {"loss": kgan.losses.Wasserstein(gradient_penalty=10.0), "d_steps": 2},
    ),
}


def trained(preset, options, **compiled):
    keras.utils.set_random_seed(1)
    filters = {} if preset == "gan" else {"filters": 4}
    gan = kgan.GAN.from_preset(
        preset, image_shape=SHAPE, latent_dim=8, seed=1, **filters, **options
    )
    rates = {f"{role}_optimizer": keras.optimizers.SGD(1e-3, 0.5) for role in ("g", "d")}
    gan.compile(**rates, **compiled)
    images = (REAL + 1) / 2 if gan.value_range == (0, 1) else REAL
    data = (images, LABELS) if gan.num_classes else images
    batches = tf.data.Dataset.from_tensor_slices(data).batch(6, drop_remainder=True)
    history = gan.fit(batches, shuffle=False, verbose=0).history
    return gan, history


def assert_same(one, other, tolerance):
    assert one[1].keys() == other[1].keys()
    for name in one[1]:
        np.testing.assert_allclose(
            one[1][name], other[1][name], rtol=tolerance, atol=tolerance, err_msg=name
        )
    for first, second in zip(one[0].variables, other[0].variables, strict=True):
        np.testing.assert_allclose(
            first.numpy(), second.numpy(), rtol=0, atol=tolerance, err_msg=first.path
        )


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_xla_gives_the_same_losses_and_weights(case):
    preset, options, compiled = CASES[case]
    plain = trained(preset, options, **compiled())
    gan, _ = compiled_by_xla = trained(preset, options, jit_compile=True, **compiled())
    assert gan.jit_compile
    assert_same(plain, compiled_by_xla, 2e-5)


# What a compiled program waits for its host by, or calls it; and a size known only as it runs.
HOST = r"\b(?:infeed|outfeed|send|recv|send-done|recv-done|custom-call)\("
DYNAMIC = r"\[[0-9,]*<="


def compiled(function, *inputs):
    """What XLA is given to compile, in its own text; what it cannot compile raises."""
    whole = tf.function(function, jit_compile=True)
    return whole.experimental_get_compiler_ir(*inputs)(stage="hlo")


@pytest.mark.parametrize("case", CASES)
def test_a_whole_step_is_one_program_of_static_shapes_without_a_host(case):
    """As on a TPU, in the precision that it computes in."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    preset, options, arguments = CASES[case]
    filters = {} if preset == "gan" else {"filters": 2}
    gan = kgan.GAN.from_preset(
        preset, image_shape=SHAPE, latent_dim=8, seed=1, **filters, **options
    )
    gan.compile(**arguments())
    batch = (REAL[:8], LABELS[:8]) if gan.num_classes else REAL[:8]
    images = tf.nest.map_structure(tf.constant, batch)
    program = compiled(gan.train_step, images)
    assert program.count("bf16[") > 100
    assert re.findall(HOST, program) == []
    assert re.findall(DYNAMIC, program) == []
    sized = compiled(lambda x: tf.where(x > 0), images[0] if gan.num_classes else images)
    assert re.findall(DYNAMIC, sized)  # it would be found


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_what_enlarges_bilinearly_trains_in_16_bits_under_xla(policy):
    """Its gradient cannot be compiled where it is computed in 16 bits (seen on a GPU)."""
    keras.config.set_dtype_policy(policy)
    generator = R3GANGenerator(image_shape=SHAPE, latent_dim=4, filters=2)

    @tf.function(jit_compile=True)
    def gradients(latents):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(generator(latents, training=True)))
        return tape.gradient(loss, generator.trainable_variables)

    for gradient in gradients(tf.ones((2, 4))):
        assert np.isfinite(gradient).all()


def test_a_call_of_python_is_found():
    with pytest.raises(ValueError, match=r"unsupported operations.*PyFunc"):
        compiled(lambda x: tf.numpy_function(np.sin, [x], tf.float32), tf.constant(REAL[:8]))


def test_an_autoencoder_under_xla():
    results = []
    for jit_compile in (False, True):
        keras.utils.set_random_seed(1)
        model = kgan.Autoencoder.from_preset("conv_autoencoder", image_shape=SHAPE, filters=4)
        model.compile(jit_compile=jit_compile)
        results.append((model, model.fit(REAL, batch_size=6, shuffle=False, verbose=0).history))
    assert_same(*results, 1e-5)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_several_steps_an_execution_are_the_same_steps(jit_compile):
    one, three = (
        trained("gan", {}, jit_compile=jit_compile, steps_per_execution=n, d_steps=2)
        for n in (1, 3)  # four batches: one is left over
    )
    assert one[0].batches_seen.numpy() == 4
    assert_same(one, three, 1e-6)


def test_auto_leaves_xla_off_without_an_accelerator():
    gan = kgan.GAN.from_preset("dcgan", image_shape=SHAPE, latent_dim=8, filters=1)
    gan.compile()
    gan.train_on_batch(REAL[:6])
    assert not gan.jit_compile
