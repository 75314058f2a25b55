"""FreezeD: the lowest layers of a discriminator stay as they are, in files too."""

import keras
import numpy as np
import pytest

import kgan
from kgan.models.presets import make_networks
from kgan.training.freezing import freeze_lowest

REAL = np.random.default_rng(0).uniform(-1, 1, (8, 16, 16, 1)).astype(np.float32)


def compiled(gan):
    rates = {f"{role}_optimizer": keras.optimizers.Adam(1e-2, 0.5) for role in ("g", "d")}
    gan.compile(**rates)
    return gan


def values(network):
    return {"/".join(w.path.split("/")[-2:]): w.numpy() for w in network.weights}


def test_frozen_weights_stay_and_a_saved_file_keeps_them(tmp_path):
    gan = kgan.GAN.from_preset("dcgan", image_shape=(16, 16, 1), latent_dim=4, filters=2, seed=0)
    convolutions = [layer.name for layer in gan.discriminator.layers if "down" in layer.name]
    gan.freeze_discriminator(2)
    assert gan.frozen_d_layers == convolutions[:2]
    before = values(compiled(gan).discriminator)
    gan.train_on_batch(REAL)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    for model in (gan, loaded):
        model.train_on_batch(REAL)
        frozen, moved = set(), set()
        for name, value in values(model.discriminator).items():
            (frozen if np.array_equal(value, before[name]) else moved).add(name)
        size = convolutions[1].removeprefix("down_")
        lowest = (*convolutions[:2], f"norm_{size}")
        assert frozen == {name for name in before if name.startswith(lowest)} - moved
        assert f"norm_{size}/gamma" in frozen
        # The normalisation goes on measuring what it meets.
        assert {n for n in moved if n.startswith(lowest)} == {
            f"norm_{size}/moving_mean",
            f"norm_{size}/moving_variance",
        }
        assert len(model.d_optimizer.variables) == 2 + 2 * len(
            model.discriminator.trainable_variables
        )
    for one, other in zip(gan.variables, loaded.variables, strict=True):
        np.testing.assert_array_equal(one, other, err_msg=one.path)


def test_what_is_frozen_stays_so():
    gan = kgan.GAN.from_preset("dcgan", image_shape=(16, 16, 1), latent_dim=4, filters=2, seed=0)
    gan.freeze_discriminator(1)
    gan.freeze_discriminator(2)
    with pytest.raises(kgan.InputError, match=r"from 2 layers of .* on\. Received: 1$"):
        gan.freeze_discriminator(1)


@pytest.mark.parametrize(("preset", "layers"), [("gan", 3), ("sagan", 3), ("dcgan_k4", 2)])
def test_a_layer_is_one_with_a_kernel(preset, layers):
    shape = (8, 8, 1)
    network = make_networks(preset, image_shape=shape, filters=8)["discriminator"]
    trained = len(network.trainable_variables)
    assert len(freeze_lowest(network, 1)) == 1
    assert 0 < len(network.trainable_variables) < trained
    for wrong in (0, layers, True, 1.5):
        with pytest.raises(kgan.InputError, match=f"from 1 to {layers - 1} can be frozen"):
            freeze_lowest(network, wrong)
