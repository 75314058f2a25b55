"""What the tests of callbacks share: a GAN whose step is traced once, and is new each time."""

import numpy as np
import pytest

import kgan


@pytest.fixture(scope="session")
def _traced_gan(real_images):
    gan = kgan.GAN.from_preset("dcgan", image_shape=(16, 20, 1), latent_dim=8, filters=2, seed=0)
    gan.compile()
    variables = [*gan.variables, *gan.g_optimizer.variables, *gan.d_optimizer.variables]
    beginning = [np.array(variable) for variable in variables]
    for batch_size in (8, 16):  # the second leaves the batch open in the graph
        gan.fit(real_images[:batch_size], batch_size=batch_size, verbose=0)
    return gan, variables, beginning


@pytest.fixture
def traced_gan(_traced_gan):
    """The same as `small_gan`, for a test that does not compile it: building its graph takes most
    of a short fit."""
    gan, variables, beginning = _traced_gan
    for variable, value in zip(variables, beginning, strict=True):
        variable.assign(value)
    function = gan.train_function
    yield gan
    assert gan.train_function is function, "a test that compiles a GAN takes small_gan"
