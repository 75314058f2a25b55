"""The projected discriminator against PyTorch, and what a GAN that has it learns and keeps."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

import kgan
from kgan.errors import InputError
from kgan.models import ProjectedDiscriminator, get_preset
from kgan.pretrained import lite0_weights
from tests.metrics.weights import needs_weights
from tests.oracle import needs_torch, torch

pytestmark = needs_weights

FILTERS = 2
SHAPE = (32, 40, 1)
# The published table: kernel, stride, channels, repeats; the maps after the last of each
# row are what Projected GAN takes of it.
ROWS = (
    ((3, 1, 16, 1), (3, 2, 24, 2)),
    ((5, 2, 40, 2),),
    ((3, 2, 80, 3), (5, 1, 112, 3)),
    ((5, 2, 192, 4), (3, 1, 320, 1)),
)


@pytest.fixture(scope="module")
def discriminator():
    network = ProjectedDiscriminator(SHAPE, FILTERS)
    rng = np.random.default_rng(0)
    for weight in network.weights:
        if "norm" in weight.path and "spectral" not in weight.path:
            weight.assign(weight + np.abs(0.3 * rng.normal(size=weight.shape)))
    return network


def tensor(array):
    return torch.tensor(np.asarray(array), dtype=torch.float64)


class Twin:
    """The same in PyTorch, in float64, from the package's own weights and the paper's text."""

    def __init__(self, network):
        self.network = network
        state = torch.load(lite0_weights.find_weights(), weights_only=True)
        self.state = {name: values.double() for name, values in state.items()}
        self.functional = torch.nn.functional

    def layer(self, x, kernel, norm, stride=1, grouped=False, active=True):
        weight = self.state[f"{kernel}.weight"]
        sides = []
        for size in x.shape[:1:-1]:  # TensorFlow's SAME, width first
            total = max((math.ceil(size / stride) - 1) * stride + weight.shape[-1] - size, 0)
            sides += [total // 2, total - total // 2]
        x = self.functional.pad(x, sides)
        groups = x.shape[1] if grouped else 1
        x = self.functional.conv2d(x, weight, stride=stride, groups=groups)
        names = ("running_mean", "running_var", "weight", "bias")
        values = (self.state[f"{norm}.{name}"] for name in names)
        x = self.functional.batch_norm(x, *values, eps=1e-3)
        return torch.clamp(x, 0, 6) if active else x

    def maps(self, x):
        x = self.layer(x, "_conv_stem", "_bn0", 2)
        maps, number = [], 0
        for row in ROWS:
            for _, stride, channels, repeats in row:
                for index in range(repeats):
                    place, start = f"_blocks.{number}", x
                    if number:
                        x = self.layer(x, f"{place}._expand_conv", f"{place}._bn0")
                    x = self.layer(
                        x,
                        f"{place}._depthwise_conv",
                        f"{place}._bn1",
                        1 if index else stride,
                        grouped=True,
                    )
                    x = self.layer(x, f"{place}._project_conv", f"{place}._bn2", active=False)
                    assert x.shape[1] == channels
                    x = x + start if index else x
                    number += 1
            maps.append(x)
        return maps

    def enlarged(self, x, factor):
        return self.functional.interpolate(
            x, scale_factor=factor, mode="bilinear", align_corners=False
        )

    def mixed(self, maps):
        across = [self.random(x, f"mix_channels_{index}") for index, x in enumerate(maps)]
        mixed = []
        for index in (3, 2, 1, 0):
            x = across[index] + mixed[0] if mixed else across[index]
            mixed.insert(0, self.random(self.enlarged(x, 2), f"mix_scales_{index}"))
        return mixed

    def random(self, x, name):
        kernel = tensor(self.network.get_layer(name).kernel).permute(3, 2, 0, 1)
        return self.functional.conv2d(x, kernel)

    def spectral(self, x, name, **options):
        layer = self.network.get_layer(f"spectral_{name}")
        kernel = tensor(layer.kernel).permute(3, 2, 0, 1)
        u, v = tensor(layer.u), tensor(layer.v)
        sigma = u @ kernel.permute(0, 2, 3, 1).flatten(1) @ v
        return self.functional.conv2d(x, kernel / sigma, **options)

    def judged(self, x, index, sides):
        for side in sides:
            place = f"judge_{index}_shrink_{side}"
            x = self.spectral(x, place, stride=2, padding=1)
            norm = self.network.get_layer(f"{place}_norm")
            values = (norm.moving_mean, norm.moving_variance, norm.gamma, norm.beta)
            x = self.functional.batch_norm(x, *map(tensor, values), eps=1e-5)
            x = self.functional.leaky_relu(x, 0.2)
        logits = self.spectral(x, f"judge_{index}_logits")
        return logits.permute(0, 2, 3, 1).flatten(1)


@needs_torch
def test_logits_and_slopes_are_those_of_the_paper_in_pytorch(discriminator):
    images = np.random.default_rng(1).uniform(-1, 1, (2, *SHAPE)).astype(np.float32)
    inputs = tensor(images).permute(0, 3, 1, 2).requires_grad_()
    twin = Twin(discriminator)
    # 32 is enlarged to 128; grey is three equal channels; levels 0..255, then the network's scale
    seen = (127.5 * (twin.enlarged(inputs.repeat(1, 3, 1, 1), 4) + 1) - 127) / 128
    mixed = twin.mixed(twin.maps(seen))
    assert [tuple(x.shape[2:]) for x in mixed] == [(64, 80), (32, 40), (16, 20), (8, 10)]
    sides = ((32, 16, 8), (16, 8), (8,), ())
    parts = [twin.judged(x, index, sides[index]) for index, x in enumerate(mixed)]
    expected = torch.cat(parts, dim=1)
    largest = float(expected.detach().abs().max())

    watched = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(watched)
        logits = discriminator(watched)
        total = tf.reduce_sum(logits * logits)
    assert logits.shape == expected.shape == (2, 4 * 5 * 7)
    np.testing.assert_allclose(logits, expected.detach(), atol=2e-5 * largest)
    (expected * expected).sum().backward()
    slopes = inputs.grad.permute(0, 2, 3, 1)
    close = np.isclose(tape.gradient(total, watched), slopes, atol=1e-4 * float(slopes.abs().max()))
    # All but what a ReLU6 at its kink decides otherwise in float32.
    assert close.mean() > 0.99


def test_a_range_from_zero_is_seen_as_the_same_pictures(discriminator):
    other = ProjectedDiscriminator(SHAPE, FILTERS, value_range=(0.0, 1.0))
    other.set_weights(discriminator.get_weights())
    images = np.random.default_rng(2).uniform(-1, 1, (2, *SHAPE)).astype(np.float32)
    np.testing.assert_allclose(other((images + 1) / 2), discriminator(images), atol=1e-3)


def test_what_it_enlarges_by_is_float32_under_any_policy():
    """XLA compiles no gradient of it in 16 bits (tests/training/test_xla.py)."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    layers = ProjectedDiscriminator(SHAPE, FILTERS).layers
    enlarging = [layer for layer in layers if isinstance(layer, keras.layers.UpSampling2D)]
    assert len(enlarging) == 5
    assert {layer.compute_dtype for layer in enlarging} == {"float32"}


@pytest.fixture(scope="module")
def gan(real_images):
    keras.utils.set_random_seed(0)
    gan = kgan.GAN.from_preset(
        "dcgan",
        image_shape=(16, 20, 1),
        latent_dim=4,
        filters=2,
        discriminator="projected",
        seed=0,
    )
    gan.compile()
    gan.fit(real_images[:16], batch_size=8, epochs=2, verbose=0)
    return gan


def test_the_judges_learn_and_what_is_frozen_does_not(gan, real_images):
    trained = {weight.path for weight in gan.discriminator.trainable_weights}
    assert trained
    assert all(path.startswith(("judge_", "spectral_judge_")) for path in trained)
    before = {w.path: w.numpy() for w in (*gan.discriminator.weights, *gan.generator.weights)}
    gan.fit(real_images[16:24], batch_size=8, verbose=0)
    moved = {
        w.path
        for w in (*gan.discriminator.weights, *gan.generator.weights)
        if not np.array_equal(w, before[w.path])
    }
    assert trained <= moved
    assert {w.path for w in gan.generator.trainable_weights} <= moved
    assert not any(path.startswith(("features_", "mix_")) for path in moved)


def test_the_loss_takes_each_logit_by_itself(gan, real_images):
    """The hinge of each, then the mean: not the hinge of an image's mean."""
    logits = gan.discriminator(real_images[:8])
    by_place = np.maximum(1 - np.asarray(logits), 0).mean()
    loss = gan.adversarial_loss.discriminator_loss(logits, np.full_like(logits, -2.0))
    np.testing.assert_allclose(loss, by_place, rtol=1e-6)


def test_training_is_what_the_source_says(gan):
    assert gan.preset == "dcgan+projected"
    assert type(gan.adversarial_loss).__name__ == "Hinge"
    assert gan.diff_augment.policy == "color,translation,cutout"
    for optimizer in (gan.g_optimizer, gan.d_optimizer):
        facts = (float(optimizer.learning_rate), float(optimizer.beta_1), float(optimizer.beta_2))
        np.testing.assert_allclose(facts, (2e-4, 0.0, 0.99), rtol=1e-6)


def test_a_saved_one_needs_no_package_and_draws_the_same(gan, tmp_path, monkeypatch):
    gan.save(tmp_path / "gan.keras")
    monkeypatch.setattr(lite0_weights, "PACKAGE", "a_package_that_is_not_there")
    loaded = kgan.load_gan(tmp_path / "gan.keras")
    np.testing.assert_array_equal(loaded.generate(2), gan.generate(2))
    for mine, other in zip(loaded.discriminator.weights, gan.discriminator.weights, strict=True):
        np.testing.assert_array_equal(mine, other)
    assert not loaded.discriminator.get_layer("features_conv_stem").trainable
    with pytest.raises(InputError, match=r"pip install kgan\[metrics\]"):
        ProjectedDiscriminator(SHAPE, FILTERS)


def test_the_nicest_are_those_of_the_best_mean(gan):
    images, seeds = kgan.training.generating.sample(gan, 2, 0, nice=3)
    latents = kgan.latents.from_seeds(range(6), 4)
    fakes = gan.generator(latents, training=False)
    means = np.asarray(gan.discriminator(fakes, training=False)).mean(axis=1)
    assert list(seeds) == np.argsort(-means, kind="stable")[:2].tolist()
    assert images.shape == (2, 16, 20, 1)


def test_what_cannot_be_is_one_line():
    with pytest.raises(InputError, match=r"one of projected. Received: 'other'"):
        get_preset("dcgan+other")
    with pytest.raises(InputError, match=r"An autoencoder has no discriminator"):
        get_preset("autoencoder+projected")
    with pytest.raises(InputError, match=r"cannot be conditional"):
        kgan.GAN.from_preset("dcgan", discriminator="projected", num_classes=3)
    with pytest.raises(InputError, match=r"1 or 3 channels. Received: 4"):
        ProjectedDiscriminator((32, 32, 4), FILTERS)
    with pytest.raises(InputError, match=r"value_range must be \(low, high\)"):
        ProjectedDiscriminator(SHAPE, FILTERS, value_range=(1.0, 0.0))
