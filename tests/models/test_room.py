"""Networks that do not fit into memory are refused before any weight is made."""

import math
import random
import threading
import zipfile

import h5py
import keras
import numpy as np
import pytest
from keras import layers

import kgan
from kgan import memory
from kgan.models import room
from kgan.models.presets import PRESETS, check_trains, make_networks
from kgan.models.stored_networks import read_network

GB = 10**9


@pytest.fixture
def one_gb(monkeypatch):
    monkeypatch.setattr(memory, "free", lambda: GB)


@pytest.mark.parametrize(
    ("preset", "width"),
    [("dcgan", {"filters": 3}), ("gan", {"filters": 5}), ("conv_autoencoder", {})],
)
def test_weights_are_counted_as_they_come_out_and_none_is_made(preset, width):
    sizes = width | {"image_shape": PRESETS[preset].image_shape}
    state = random.getstate()
    counted = room.weight_bytes(lambda: room.build(PRESETS[preset], sizes).values())
    assert random.getstate() == state  # which layers' seeds are drawn from
    networks = make_networks(preset, **sizes).values()
    assert counted == sum(4 * math.prod(w.shape) for n in networks for w in n.weights)


def test_counting_changes_no_later_network(monkeypatch):
    def made(least):
        monkeypatch.setattr(room, "_exceeds", lambda *_: least)
        keras.utils.set_random_seed(3)
        generator = make_networks("gan", image_shape=(8, 8, 1), filters=2)["generator"]
        return [w.name for w in generator.weights], generator.get_weights()

    (names, weights), (names_after, weights_after) = made(False), made(True)
    assert names == names_after
    for before, after in zip(weights, weights_after, strict=True):
        np.testing.assert_array_equal(before, after)


def test_too_many_weights_are_refused_with_what_would_fit(one_gb):
    with pytest.raises(kgan.InputError, match=r"101 GB.*filters 128") as refused:
        check_trains("dcgan", image_shape=(32, 32, 1), filters=2048)
    assert "1 GB is free" in str(refused.value)
    with pytest.raises(kgan.InputError, match=r"latent_dim 500000\. Received"):
        kgan.GAN.from_preset("gan", latent_dim=10**6, filters=256)
    with pytest.raises(kgan.InputError, match=r"filters 256 latent_dim 100\. Received"):
        make_networks("gan", latent_dim=10**7, filters=10**4)
    # What fits is what is said to.
    check_trains("dcgan", image_shape=(32, 32, 1), filters=128)


def test_threads_that_load_leave_keras_as_it_was():
    before = keras.Variable.__init__
    entered, leave = threading.Event(), threading.Event()

    def load():
        with room.weights_that_fit("b"):
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=load)
    with room.weights_that_fit("a"):
        thread.start()
        entered.wait(0.2)
    leave.set()
    thread.join()
    assert keras.Variable.__init__ is before


@pytest.fixture(scope="module")
def small_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("files") / "small.keras"
    parts = [keras.Input((8,)), layers.Dense(16, activation="tanh"), layers.Reshape((4, 4, 1))]
    keras.Sequential(parts).save(path)
    return path


def rewritten(path, change, tmp_path):
    """The file with each member's bytes as `change(name, bytes)` gives them."""
    other = tmp_path / path.name
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(other, "w") as copy:
        for name in archive.namelist():
            copy.writestr(name, change(name, archive.read(name)))
    return other


def test_a_small_file_that_asks_for_many_weights_is_refused(small_file, tmp_path):
    def wide(name, data):
        return data.replace(b'"units": 16', b'"units": 10000000000000')

    path = rewritten(small_file, wide, tmp_path)
    made = keras.Variable.__init__
    with pytest.raises(kgan.InputError, match=r"320 TB.*million weights"):
        read_network(path)
    assert keras.Variable.__init__ is made
    assert read_network(small_file)(np.zeros((1, 8), np.float32)).shape == (1, 4, 4, 1)


def test_a_file_with_an_array_that_is_not_in_it_is_refused(small_file, tmp_path):
    def hollow(name, data):
        if not name.endswith(".h5"):
            return data
        weights = tmp_path / "weights.h5"
        weights.write_bytes(data)
        with h5py.File(weights, "a") as file:
            arrays = []
            file.visititems(lambda n, item: arrays.append(n) if hasattr(item, "shape") else None)
            del file[arrays[0]]
            file.create_dataset(arrays[0], (8, 10**13), "f4", chunks=(8, 1024))
        return weights.read_bytes()

    path = rewritten(small_file, hollow, tmp_path)
    assert path.stat().st_size < 100_000
    with pytest.raises(kgan.InputError, match=r"An array in this file.*320 TB"):
        read_network(path)
