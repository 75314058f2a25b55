"""What every test shares: quiet TensorFlow, float32, small networks, data read once."""

import functools
import gc
import importlib
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# A run's precision is float32 on every processor, in processes of their own too, where a test does
# not say another: `--precision auto` asks what oneDNN may use.
os.environ["ONEDNN_MAX_CPU_ISA"] = "AVX512_CORE_VNNI"

import keras
import numpy as np
import pytest
import tensorflow as tf

import kgan

pytest_plugins = ["tests.strict_skips"]

# TensorFlow's hundred thousands of objects live to the end: the collector need not walk them
# each time a graph is built (a fifteenth of the suite's time).
gc.collect()
gc.freeze()
gc.set_threshold(10_000, 10, 10)

# Four devices on the one CPU, for the tests of tf.distribute; it must be said before any is used.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 4
)


# The embedded images are scaled once per shape and process, not in each of some hundred tests.
_opening = importlib.import_module("kgan.data.embedded_sets")
_scaled = functools.lru_cache(maxsize=8)(_opening.embedded_source)


def _embedded_source(image_shape, fit, background, name="clothes"):
    shape = image_shape and tuple(image_shape)
    small = shape is None or shape[0] <= 128 >= shape[1]
    scaled = _scaled if small else _scaled.__wrapped__
    return scaled(shape, fit, tuple(background), name)


kgan.data.embedded_source = _opening.embedded_source = _embedded_source


def pytest_collection_modifyitems(items):
    """The long tests first, so that no process works on one alone at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def two_replicas():
    """A MirroredStrategy of two devices; one for all, as each counts its collectives from 1."""
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


@pytest.fixture(scope="session")
def four_replicas():
    """One of four, which adds up without collectives: their group cannot grow in a process."""
    return tf.distribute.MirroredStrategy(
        [f"CPU:{i}" for i in range(4)], tf.distribute.ReductionToOneDevice()
    )


@pytest.fixture(autouse=True)
def fresh_keras():
    """Each test starts from the same seed and the float32 policy, and leaves no policy behind."""
    keras.config.set_dtype_policy("float32")
    keras.utils.set_random_seed(0)
    yield
    keras.config.set_dtype_policy("float32")


@pytest.fixture
def small_gan():
    """A compiled dcgan of 16x20x1 with few weights."""
    gan = kgan.GAN.from_preset("dcgan", image_shape=(16, 20, 1), latent_dim=8, filters=2, seed=0)
    gan.compile()
    return gan


@pytest.fixture(scope="session")
def real_images():
    """64 real pictures of the embedded set, float32 (64, 16, 20, 1) in [-1, 1]."""
    batches = kgan.data.embedded(batch_size=64, image_shape=(16, 20, 1), shuffle=False)
    return next(iter(batches)).numpy()


@pytest.fixture(scope="session")
def trained_gan(real_images):
    """A dcgan of 16x20x1 after 24 real steps: no weight and no statistic is at its start."""
    keras.utils.set_random_seed(1)
    gan = kgan.GAN.from_preset("dcgan", image_shape=(16, 20, 1), latent_dim=8, filters=4, seed=1)
    rates = [keras.optimizers.Adam(5e-3, 0.5) for _ in range(2)]
    gan.compile(g_optimizer=rates[0], d_optimizer=rates[1])
    gan.fit(real_images, batch_size=16, epochs=6, verbose=0)
    assert np.isfinite(gan.history.history["g_loss"]).all()
    return gan
