"""Networks and weights that Keras 2 and 3 and TensorFlow saved, read back to the same numbers."""

import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

import kgan
from kgan.models.stored_networks import read_preset_generator
from kgan.untrusted.keras_files import check_archive

L = keras.layers
GOLDEN = Path(__file__).parents[1] / "goldens" / "keras_2" / "networks.zip"
SIZES = {"image_shape": (16, 16, 1), "latent_dim": 8, "filters": 2}


@pytest.fixture(scope="module")
def keras_2(tmp_path_factory):
    """What Keras 2.15 saved of the tour's networks, and what its own generator gave."""
    place = tmp_path_factory.mktemp("keras_2")
    with zipfile.ZipFile(GOLDEN) as archive:
        archive.extractall(place)
    return place


@pytest.fixture(scope="module")
def expected(keras_2):
    with np.load(keras_2 / "expected.npz") as arrays:
        return arrays["latents"], arrays["images"]


@pytest.fixture
def tour():
    """The tour's generator as a user writes it in Keras 3, with statistics of its own."""
    network = keras.Sequential(
        [
            keras.Input((8,)),
            *(L.Dense(32), L.Activation("tanh"), L.Dense(64), L.BatchNormalization()),
            *(L.Activation("tanh"), L.Reshape((4, 4, 4)), L.UpSampling2D(2)),
            *(L.Conv2D(2, 5, padding="same"), L.Activation("tanh"), L.UpSampling2D(2)),
            *(L.Conv2D(1, 5, padding="same"), L.Activation("tanh")),
        ]
    )
    network.layers[3].moving_variance.assign(np.linspace(0.5, 2, 64))
    return network


@pytest.mark.parametrize("name", ["generator.h5", "saved_model"])
def test_keras_2_is_read_to_the_same_images(keras_2, expected, name):
    latents, images = expected
    network = kgan.models.read_network(keras_2 / name)
    np.testing.assert_allclose(np.asarray(network(latents)), images, atol=1e-5)


def test_weights_alone_without_a_suffix_are_a_presets(keras_2, expected):
    latents, images = expected
    network = read_preset_generator(keras_2 / "generator", "dcgan_tanh", **SIZES)
    np.testing.assert_allclose(np.asarray(network(latents)), images, atol=1e-5)


def test_the_discriminators_weights_are_named_and_both_go_into_a_gan(keras_2, expected):
    latents, images = expected
    with pytest.raises(kgan.InputError, match="weights of dcgan_tanh's discriminator, which makes"):
        read_preset_generator(keras_2 / "discriminator", "dcgan_tanh", **SIZES)
    gan = kgan.GAN.from_preset("dcgan_tanh", **SIZES)
    kgan.models.load_weights(gan.generator, keras_2 / "generator")
    kgan.models.load_weights(gan.discriminator, keras_2 / "discriminator")
    np.testing.assert_allclose(gan.predict(latents, verbose=0), images, atol=1e-5)
    with h5py.File(keras_2 / "discriminator") as file:
        kernel = file["conv2d_2/conv2d_2/kernel:0"][()]
    np.testing.assert_array_equal(gan.discriminator.get_layer("conv_0").kernel.numpy(), kernel)


@pytest.mark.parametrize("name", ["w.weights.h5", "weights"])
def test_keras_3s_own_weights(tour, tmp_path, name):
    tour.compile("adam", "mse")
    tour.optimizer.build(tour.trainable_variables)  # it is in the file too
    tour.save_weights(tmp_path / "w.weights.h5")
    path = (tmp_path / "w.weights.h5").rename(tmp_path / name)
    network = read_preset_generator(path, "dcgan_tanh", **SIZES)
    latents = kgan.latents.from_seeds(range(2), 8)
    np.testing.assert_allclose(np.asarray(network(latents)), np.asarray(tour(latents)), atol=1e-5)


def test_other_weights_are_one_line_and_change_nothing(keras_2, tour, tmp_path):
    network = kgan.models.DCGANTanhGenerator((16, 16, 1), 8, 2)
    network.set_weights([weight + 1 for weight in network.get_weights()])
    before = network.get_weights()
    tour.save_weights(tmp_path / "tour.weights.h5")
    more = keras.Sequential([keras.Input((8,)), L.Dense(32), L.Dense(4)])
    more.save_weights(tmp_path / "more.weights.h5")
    for path, says in (
        (keras_2 / "discriminator", "These weights are not of .*it has 8 arrays, the network 12"),
        (tmp_path / "more.weights.h5", "it has 4 arrays, the network 12"),
        (keras_2 / "generator.h5", "a whole network, not weights alone"),
        (keras_2 / "expected.npz", "an HDF5 file of save_weights"),
        (tmp_path / "none", "No such model"),
    ):
        with pytest.raises(kgan.InputError, match=says) as caught:
            kgan.models.load_weights(network, path)
        assert "\n" not in str(caught.value)
    with pytest.raises(kgan.InputError, match=r"28x28x1, latents of 100 and filters 64$"):
        read_preset_generator(keras_2 / "generator", "dcgan_tanh")
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_what_is_no_network_is_one_line(keras_2, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.h5").write_text("text")
    (tmp_path / "text").write_text("text")
    (tmp_path / "tf.index").write_text("")
    for path, says in (
        (keras_2 / "generator", "weights alone: say whose, as in --preset"),
        (tmp_path / "empty", "neither a run nor a SavedModel"),
        (tmp_path / "text.h5", "Not a readable HDF5 file"),
        (tmp_path / "text", "A network is a .keras file, an .h5 file"),
        (tmp_path / "tf", "a checkpoint of TensorFlow's"),
    ):
        with pytest.raises(kgan.InputError, match=says) as caught:
            kgan.models.read_network(path)
        assert "\n" not in str(caught.value)


def test_a_keras_file_of_keras_2_says_so(tmp_path):
    with zipfile.ZipFile(tmp_path / "old.keras", "w") as archive:
        archive.writestr("metadata.json", '{"keras_version": "2.15.0"}')
        archive.writestr("config.json", '{"class_name": "Sequential"}')
    with pytest.raises(kgan.InputError, match=r"saved by Keras 2.15.0: save it there as .h5"):
        kgan.models.read_network(tmp_path / "old.keras")


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_code_in_a_file_is_not_run(tmp_path, suffix):
    marker = tmp_path / "run"
    place = str(marker)
    act = L.Lambda(lambda x: (open(place, "w").write("run"), x)[1], output_shape=(4,))
    path = tmp_path / f"code{suffix}"
    keras.Sequential([keras.Input((4,)), act]).save(path)
    marker.unlink(missing_ok=True)
    with pytest.raises(kgan.InputError, match="holds Python code"):
        kgan.models.read_network(path)
    if suffix == ".keras":  # nor is it where the weights are damaged, or not there
        for number, weights in enumerate((b"x", None)):
            spoiled = tmp_path / f"{number}.keras"
            with zipfile.ZipFile(path) as whole, zipfile.ZipFile(spoiled, "w") as archive:
                for name in ("metadata.json", "config.json"):
                    archive.writestr(name, whole.read(name))
                if weights:
                    archive.writestr("model.weights.h5", weights)
            with pytest.raises(kgan.InputError, match="holds Python code"):
                check_archive(spoiled, compile=False)
    assert not marker.exists()
    # That this can fail.
    keras.models.load_model(path, safe_mode=False)(np.ones((1, 4), "float32"))
    assert marker.exists()
