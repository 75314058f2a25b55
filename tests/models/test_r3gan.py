"""R3GAN's networks and one step of it against the paper's blocks written in PyTorch."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from kgan.losses import Relativistic
from kgan.models import R3GANDiscriminator, R3GANGenerator
from kgan.training.adversarial_step import discriminator_objective, generator_objective

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


def torch_generator(w, latents):
    x = latents @ w["project"]
    x = x[:, :, None, None] * w["base"].permute(2, 0, 1)
    for index in range(2):
        x = block(x, w, f"block_4x6_{index}")
    x = functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    for index in range(2):
        x = block(x, w, f"block_8x12_{index}")
    return conv(x, w["to_image"])


def torch_discriminator(w, images):
    x = conv(images, w["from_image"])
    for index in range(2):
        x = block(x, w, f"block_8x12_{index}")
    x = functional.avg_pool2d(x, 2)
    for index in range(2):
        x = block(x, w, f"block_4x6_{index}")
    x = (x * w["basis"][..., 0].permute(2, 0, 1)).sum((2, 3))  # one map a channel over the base
    return x @ w["logits"]


def test_the_generator(made):
    generator, _ = made
    latents = np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32)
    expected = torch_generator(weights_of(generator), torch.tensor(latents, dtype=torch.float64))
    expected = expected.permute(0, 2, 3, 1)
    scale = float(expected.abs().max())
    np.testing.assert_allclose(generator(latents) / scale, expected / scale, atol=1e-5)


def test_the_discriminator(made):
    _, discriminator = made
    images = np.random.default_rng(1).uniform(-1, 1, (3, *SHAPE)).astype(np.float32)
    pictures = torch.tensor(images, dtype=torch.float64).permute(0, 3, 1, 2)
    expected = torch_discriminator(weights_of(discriminator), pictures)
    scale = float(expected.abs().max())
    np.testing.assert_allclose(discriminator(images) / scale, expected / scale, atol=1e-5)


def zero_centred(logits, images):
    """The mean over the batch of the squared norm of the logits' gradient in the images."""
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.square().sum((1, 2, 3)).mean()


def compare(tape, loss, variables, expected_loss, w):
    """A loss to 1e-4 of itself, and each gradient to 1e-4 of its largest number."""
    np.testing.assert_allclose(float(loss), float(expected_loss.detach()), rtol=1e-4)
    gradients = tape.gradient(loss, [variable.value for variable in variables.values()])
    expected = torch.autograd.grad(expected_loss, [w[name] for name in variables])
    for name, found, aim in zip(variables, gradients, expected, strict=True):
        scale = float(aim.abs().max())
        assert scale > 0, name
        np.testing.assert_allclose(found / scale, aim / scale, atol=1e-4, err_msg=name)


@pytest.mark.slow
def test_losses_penalties_and_gradients_of_one_step(made):
    """Softplus of the difference of two logits, gamma / 2 of R1 and of R2, as in the paper."""
    generator, discriminator = made
    rng = np.random.default_rng(2)
    latents = rng.normal(size=(3, 4)).astype(np.float32)
    real = rng.uniform(-1, 1, (3, *SHAPE)).astype(np.float32)
    # As large as real images, and of logits near 0: neither side of a softplus is flat.
    scale = float(np.abs(generator(latents)).max())
    generator.get_layer("to_image").kernel.assign(generator.get_layer("to_image").kernel / scale)
    head = discriminator.get_layer("logits")
    head.kernel.assign(head.kernel / np.abs(discriminator(real)).max())
    first, second = (
        {layer.name: layer.trainable_variables[0] for layer in network.layers if layer.weights}
        for network in made
    )
    g, d = (
        {name: weight.requires_grad_() for name, weight in weights_of(network).items()}
        for network in made
    )
    pictures = torch.tensor(real, dtype=torch.float64).permute(0, 3, 1, 2).requires_grad_()
    fakes = torch_generator(g, torch.tensor(latents, dtype=torch.float64))
    held = fakes.detach().requires_grad_()
    on_real, on_fake = torch_discriminator(d, pictures), torch_discriminator(d, held)
    r1, r2 = zero_centred(on_real, pictures), zero_centred(on_fake, held)
    aim = functional.softplus(on_fake - on_real).mean() + 0.15 * r1 + 0.1 * r2

    loss = Relativistic(r1_gamma=0.3, r2_gamma=0.2)
    judges = [functools.partial(discriminator, training=True)] * 2 + [None]
    with tf.GradientTape() as tape:
        images = generator(latents, training=True)
        judged = discriminator_objective(judges, tf.constant(real), tf.stop_gradient(images), loss)
    np.testing.assert_allclose(judged.penalty, float((0.15 * r1 + 0.1 * r2).detach()), rtol=1e-4)
    compare(tape, judged.loss, second, aim, d)

    aim = functional.softplus(on_real.detach() - torch_discriminator(d, fakes)).mean()
    with tf.GradientTape() as tape:
        images = generator(latents, training=True)
        found, _ = generator_objective(judges, tf.constant(real), images, loss)
    compare(tape, found, first, aim, g)
