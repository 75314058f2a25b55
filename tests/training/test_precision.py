"""Mixed precision: thirty steps under each policy follow those in float32."""

import keras
import numpy as np
import pytest

import kgan
from kgan.models.rebuild import all_layers

# What thirty SGD steps may end away from float32, as shares of how far the weights have gone,
# and in the losses. bfloat16 keeps 8 bits of a number, float16 11.
TOLERANCE = {"mixed_float16": (0.05, 0.005), "mixed_bfloat16": (0.05, 0.01)}


def trained(policy, preset, images, steps=30, **compiled):
    keras.config.set_dtype_policy(policy)
    keras.utils.set_random_seed(0)
    gan = kgan.GAN.from_preset(
        preset, image_shape=(16, 16, 1), latent_dim=8, filters=4, ema_half_life_images=200, seed=0
    )
    # Adam would turn the sign of every tiny rounding error into a whole step.
    rates = {f"{role}_optimizer": keras.optimizers.SGD(1e-3) for role in ("g", "d")}
    gan.compile(**rates, **compiled)
    if policy == "mixed_float16":
        for optimizer in (gan.g_optimizer, gan.d_optimizer):
            optimizer.dynamic_scale.assign(256.0)  # settled: it skips no step any more
    begin = [v.numpy() for v in gan.trainable_variables]
    history = [gan.train_on_batch(images[i % 4], return_dict=True) for i in range(steps)]
    moved = [v.numpy() - b for v, b in zip(gan.trainable_variables, begin, strict=True)]
    return gan, history, moved


@pytest.fixture(scope="module")
def images():
    batches = kgan.data.embedded(batch_size=16, image_shape=(16, 16, 1), seed=0)
    return [batch.numpy() for batch in batches.take(4)]


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["dcgan", "sagan", "r3gan"])
def test_thirty_steps_follow_float32(preset, images):
    _, exact, exactly = trained("float32", preset, images)
    for policy, (share, of_loss) in TOLERANCE.items():
        gan, history, moved = trained(policy, preset, images)
        assert {v.dtype for v in gan.variables if "float" in v.dtype} == {"float32"}
        assert any(layer.compute_dtype == policy[6:] for layer in all_layers(gan))
        assert sum(step["skipped_updates"] for step in history) == 0
        scaled = isinstance(gan.g_optimizer, keras.optimizers.LossScaleOptimizer)
        assert scaled == (policy == "mixed_float16")
        for name in ("d_loss", "g_loss"):
            losses, exact_losses = ([step[name] for step in h] for h in (history, exact))
            np.testing.assert_allclose(losses, exact_losses, atol=of_loss, err_msg=policy)
        apart = np.concatenate([(a - b).ravel() for a, b in zip(moved, exactly, strict=True)])
        far = np.linalg.norm(np.concatenate([b.ravel() for b in exactly]))
        assert far > 0.02
        assert np.linalg.norm(apart) < share * far, policy


@pytest.mark.slow
def test_what_must_be_float32_is(images):
    """Logits, statistics, singular vectors, optimizer states, averages and penalties."""
    gan, _, _ = trained(
        "mixed_float16",
        "sagan",
        images,
        steps=2,
        loss=kgan.losses.Wasserstein(gradient_penalty=1.0),
        diff_augment=kgan.layers.DiffAugment(target=0.6),
    )
    every = [*gan.variables, *gan.g_optimizer.variables, *gan.d_optimizer.variables]
    assert {v.dtype for v in every if "float" in v.dtype} == {"float32"}
    pictures = gan.generator(gan.draw_latents(2), training=True)
    assert pictures.dtype == gan.discriminator(pictures, training=True).dtype == "float32"


@pytest.mark.slow
def test_the_scales_grow_fall_and_are_saved(images, tmp_path):
    gan, _, _ = trained("mixed_float16", "dcgan", images, steps=2)
    gan.g_optimizer.dynamic_growth_steps = 4
    gan.make_train_function(force=True)
    for expected, steps in ((256, 3), (512, 0), (512, 1)):
        gan.train_on_batch(images[0])
        assert float(gan.g_optimizer.dynamic_scale) == expected
        assert int(gan.g_optimizer.step_counter) == steps
    gan.save(tmp_path / "model.keras")
    again = kgan.load_gan(tmp_path / "model.keras")
    assert float(again.g_optimizer.dynamic_scale) == 512
    assert int(again.g_optimizer.step_counter) == 1
    again.train_on_batch(np.full_like(images[0], np.nan))
    for optimizer, expected in ((again.g_optimizer, 512), (again.d_optimizer, 128)):
        assert float(optimizer.dynamic_scale) == expected  # the generator's step sees no pictures
    assert int(again.d_optimizer.step_counter) == 0
