"""DCGAN's networks against the paper's description."""

import keras
import numpy as np
import pytest

from kgan.errors import InputError
from kgan.models import DCGANDiscriminator, DCGANGenerator, get_preset

SIDES = range(16, 129, 4)


def kinds(network):
    return [type(layer).__name__ for layer in network.layers[1:]]


def test_generator_of_64x64x3_is_the_papers():
    # Figure 1: project to 4x4x1024, then 512, 256, 128, 3 channels; here with the width halved.
    network = DCGANGenerator()
    up = ["Conv2DTranspose", "BatchNormalization", "ReLU"]
    head = ["Dense", "Reshape", "BatchNormalization", "ReLU"]
    assert kinds(network) == head + 3 * up + ["Conv2DTranspose", "Activation"]
    convs = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2DTranspose)]
    assert [layer.filters for layer in convs] == [256, 128, 64, 3]
    assert {(layer.kernel_size, layer.strides) for layer in convs} == {((5, 5), (2, 2))}
    assert [layer.use_bias for layer in convs] == [False, False, False, True]
    assert network.layers[-1].activation is keras.activations.tanh
    # weights, then gamma, beta and two statistics a normalised channel, then the last bias
    weights = 100 * 4 * 4 * 512 + 25 * (512 * 256 + 256 * 128 + 128 * 64 + 64 * 3)
    assert network.count_params() == weights + 4 * (512 + 256 + 128 + 64) + 3


def test_discriminator_of_64x64x3_is_the_papers():
    network = DCGANDiscriminator()
    down = ["Conv2D", "BatchNormalization", "LeakyReLU"]
    assert kinds(network) == ["Conv2D", "LeakyReLU", *(3 * down), "Flatten", "Dense"]
    convs = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    assert [layer.filters for layer in convs] == [64, 128, 256, 512]
    assert {(layer.kernel_size, layer.strides) for layer in convs} == {((5, 5), (2, 2))}
    slopes = {x.negative_slope for x in network.layers if isinstance(x, keras.layers.LeakyReLU)}
    assert slopes == {0.2}
    assert network.layers[-1].activation is keras.activations.linear
    weights = 25 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512) + 4 * 4 * 512 * 1
    assert network.count_params() == weights + 64 + 4 * (128 + 256 + 512) + 1


def test_weights_start_from_n_0_002_and_no_two_layers_alike():
    for network in (DCGANGenerator(), DCGANDiscriminator()):
        kernels = [w.numpy().ravel() for w in network.weights if w.path.endswith("kernel")]
        for kernel in kernels:
            # four standard errors of a standard deviation: 4 * 0.02 / sqrt(2 n)
            assert abs(kernel.std() - 0.02) < 0.0566 / np.sqrt(kernel.size)
            assert abs(kernel.mean()) < 0.08 / np.sqrt(kernel.size)
        assert len({kernel[0] for kernel in kernels}) == len(kernels)


@pytest.mark.parametrize("height", SIDES)
def test_every_size_is_made_and_taken(height):
    # each height with one width, so that all heights and all widths are met, mostly non-square
    width = SIDES[(7 * SIDES.index(height) + 3) % len(SIDES)]
    shape = (height, width, 1)
    generator = DCGANGenerator(shape, latent_dim=4, filters=1)
    discriminator = DCGANDiscriminator(shape, filters=1)
    images = generator(np.ones((2, 4), np.float32))
    assert images.shape == (2, *shape)
    assert discriminator(images).shape == (2, 1)
    base = generator.get_layer("base").output.shape[1:]
    assert 4 <= min(base[:2]) <= 6
    assert base[2] == 8


@pytest.mark.parametrize("network", [DCGANGenerator, DCGANDiscriminator])
@pytest.mark.parametrize(
    "shape", [(12, 64, 3), (64, 132, 3), (64, 30, 3), (64, 64, 9), (64, 64), ("a", 64, 3), None]
)
def test_sizes_that_cannot_be_made_are_named(network, shape):
    with pytest.raises(InputError, match="Received"):
        network(shape)


def test_numbers_below_one_are_named():
    with pytest.raises(InputError, match=r"latent_dim .* Received: 0"):
        DCGANGenerator(latent_dim=0)
    with pytest.raises(InputError, match=r"filters .* Received: -1"):
        DCGANDiscriminator(filters=-1)
    with pytest.raises(InputError, match=r"Known: .*dcgan"):
        get_preset("dcgan2")


def test_preset_is_radfords():
    preset = get_preset("dcgan")
    adam = {"learning_rate": 2e-4, "beta_1": 0.5}
    assert adam.items() <= preset.g_optimizer["config"].items()
    assert adam.items() <= preset.d_optimizer["config"].items()
    assert (preset.latent_dim, preset.batch_size, preset.loss) == (100, 128, "bce")
