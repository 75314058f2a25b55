"""R3GAN's forward passes against the paper's blocks written in PyTorch."""

import numpy as np
import pytest

from kgan.models import R3GANDiscriminator, R3GANGenerator

torch = pytest.importorskip("torch")
functional = torch.nn.functional

SHAPE, FILTERS = (8, 12, 3), 16


@pytest.fixture
def made():
    """Both networks, every weight moved from its start: no zero hides a branch."""
    rng = np.random.default_rng(0)
    networks = (
        R3GANGenerator(SHAPE, latent_dim=4, filters=FILTERS),
        R3GANDiscriminator(SHAPE, filters=FILTERS),
    )
    for network in networks:
        for weight in network.weights:
            weight.assign(weight + 0.2 * rng.normal(size=weight.shape))
    return networks


def weights_of(network):
    """name of the layer -> its kernel or bias as a float64 tensor."""
    return {
        layer.name: torch.tensor(layer.get_weights()[0], dtype=torch.float64)
        for layer in network.layers
        if layer.weights
    }


def conv(x, kernel, **options):
    return functional.conv2d(x, kernel.permute(3, 2, 0, 1), **options)


def block(x, w, name):
    """1x1, bias, LeakyReLU, 3x3 in groups of 16 channels, bias, LeakyReLU, 1x1; added to x."""
    y = conv(x, w[f"{name}_expand"])
    y = functional.leaky_relu(y + w[f"{name}_first_bias"][:, None, None], 0.2)
    y = conv(y, w[f"{name}_mix"], padding=1, groups=2 * FILTERS // 16)
    y = functional.leaky_relu(y + w[f"{name}_second_bias"][:, None, None], 0.2)
    return x + conv(y, w[f"{name}_contract"])


def test_the_generator(made):
    generator, _ = made
    latents = np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32)
    w = weights_of(generator)
    x = torch.tensor(latents, dtype=torch.float64) @ w["project"]
    x = x[:, :, None, None] * w["base"].permute(2, 0, 1)
    for index in range(2):
        x = block(x, w, f"block_4x6_{index}")
    x = functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    for index in range(2):
        x = block(x, w, f"block_8x12_{index}")
    expected = conv(x, w["to_image"]).permute(0, 2, 3, 1)
    scale = float(expected.abs().max())
    np.testing.assert_allclose(generator(latents) / scale, expected / scale, atol=1e-5)


def test_the_discriminator(made):
    _, discriminator = made
    images = np.random.default_rng(1).uniform(-1, 1, (3, *SHAPE)).astype(np.float32)
    w = weights_of(discriminator)
    x = conv(torch.tensor(images, dtype=torch.float64).permute(0, 3, 1, 2), w["from_image"])
    for index in range(2):
        x = block(x, w, f"block_8x12_{index}")
    x = functional.avg_pool2d(x, 2)
    for index in range(2):
        x = block(x, w, f"block_4x6_{index}")
    x = (x * w["basis"][..., 0].permute(2, 0, 1)).sum((2, 3))  # one map a channel over the base
    expected = x @ w["logits"]
    scale = float(expected.abs().max())
    np.testing.assert_allclose(discriminator(images) / scale, expected / scale, atol=1e-5)
