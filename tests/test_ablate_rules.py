"""The DCGANs of tools/ablate_rules.py: each leaves out what it says, and learns."""

from importlib import import_module
from pathlib import Path

import keras
import numpy as np
import pytest

import kgan

TOOLS = Path(__file__).parents[1] / "tools"
FILTERS = 8
# Trainable numbers of the paper's discriminator: 5x5 kernels, biases or normalisations, the end.
PLAIN = [25 * 16 + 16, 25 * 16 * 32 + 2 * 32, 25 * 32 * 64 + 2 * 64, 4 * 4 * 64 + 1]
HIDDEN = (4 * 4 * 64 + 1) * 64 + 64 + 1 - (4 * 4 * 64 + 1)
SIZES = {
    "as in the paper": sum(PLAIN),
    "real and fake in one batch": sum(PLAIN),
    "ReLU in D": sum(PLAIN),
    "max pooling in D": sum(PLAIN),
    "a Dense layer kept in G and D": sum(PLAIN) + HIDDEN,
    "spectral norm in D": sum(PLAIN) - 32 - 64,  # a bias where there were gamma and beta
    "no norm in D": sum(PLAIN) - 32 - 64,
}


@pytest.fixture
def rules(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    return import_module("peers.rules")


def test_each_has_the_layers_that_it_says(rules, monkeypatch):
    assert import_module("ablate_rules").ARMS == list(SIZES) == list(rules.RULES)
    kinds = {}
    for arm, each in rules.RULES.items():
        made = rules.discriminator(each, FILTERS)
        assert sum(int(np.prod(w.shape)) for w in made.trainable_variables) == SIZES[arm], arm
        kinds[arm] = {type(layer).__name__ for layer in made.layers}
        strides = [layer.strides for layer in made.layers if hasattr(layer, "strides")]
        assert ((2, 2) in strides) or "SpectralNormalization" in kinds[arm]
    own = kgan.models.DCGANDiscriminator((28, 28, 1), FILTERS)
    assert kinds["as in the paper"] == {type(layer).__name__ for layer in own.layers}
    assert "LeakyReLU" not in kinds["ReLU in D"] >= {"ReLU"}
    assert "MaxPooling2D" in kinds["max pooling in D"]
    assert "BatchNormalization" not in kinds["no norm in D"] | kinds["spectral norm in D"]


def test_one_batch_is_normalised_as_one(rules):
    keras.utils.set_random_seed(0)
    each = rules.RULES["real and fake in one batch"]
    gan = rules.OneBatch(rules.generator(each, 2), rules.discriminator(each, 2), seed=0)
    gan.compile()
    real = np.random.default_rng(0).uniform(0.5, 1, (8, 28, 28, 1)).astype(np.float32)
    statistics = [w for w in gan.discriminator.weights if w.path.endswith("moving_mean")]
    latents = gan.draw_latents(8, keras.random.SeedGenerator(0))
    fake = np.asarray(gan.generator(latents, training=True))
    first, rectified, second = gan.discriminator.layers[1:4]
    maps = np.asarray(second(rectified(first(np.concatenate([real, fake])))))
    gan.fit(real, batch_size=8, shuffle=False, verbose=0)
    # Momentum 0.9, from 0: a tenth of the mean over all sixteen.
    np.testing.assert_allclose(statistics[0].numpy(), 0.1 * maps.mean((0, 1, 2)), atol=1e-5)


@pytest.mark.slow
def test_it_learns(rules):
    pictures = np.ones((256, 28, 28, 1), np.float32)
    made = rules.PEERS["real and fake in one batch"](8, pictures, 0)
    for optimizer in (made.gan.g_optimizer, made.gan.d_optimizer):
        optimizer.learning_rate = 2e-3
    before = made.draw(20).mean()
    assert made.train(2.0) > 3
    images = made.draw(20)
    assert (images.shape, images.dtype) == ((20, 28, 28, 1), np.uint8)
    assert images.mean() > before + 1
