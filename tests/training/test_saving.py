"""`Checkpoint.restore`: whoever calls `fit` goes on exactly, or is told why not."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import kgan
from kgan.training.saving import batches_seen

# Called twice: "begin" trains 6 steps in one go, and 3 in parts; "go on" does the other 3 in a
# process of its own.
SCRIPT = """
import sys
import keras
import numpy as np
import tensorflow as tf
import kgan
from kgan.training.saving import restore

tf.config.experimental.enable_op_determinism()
place, part = sys.argv[1:]
LAYERS = keras.layers


def own():
    # Noise and dropout have seeds of their own, which Keras does not save.
    generator = keras.Sequential(
        [
            keras.Input((8,)),
            LAYERS.Dense(64, activation="relu"),
            LAYERS.Dropout(0.2),
            LAYERS.Dense(256, activation="tanh"),
            LAYERS.Reshape((16, 16, 1)),
        ]
    )
    discriminator = keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            LAYERS.GaussianNoise(0.1),
            LAYERS.Flatten(),
            kgan.layers.SpectralNormalization(LAYERS.Dense(32, activation="relu")),
            LAYERS.BatchNormalization(),
            LAYERS.Dense(1),
        ]
    )
    gan = kgan.GAN(generator, discriminator, ema_half_life_images=100, seed=1)
    loss = kgan.losses.Hinge(lecam=0.3)
    gan.compile(loss, keras.optimizers.RMSprop(1e-3), keras.optimizers.SGD(1e-2, 0.9))
    return gan


def preset():
    # float16 with a loss scale that changes within the steps of this test.
    keras.config.set_dtype_policy("mixed_float16")
    gan = kgan.GAN.from_preset(
        "dcgan",
        image_shape=(16, 16, 1),
        filters=2,
        minibatch_stddev=True,
        ema_half_life_images=100,
        seed=2,
    )
    optimizers = [
        keras.optimizers.LossScaleOptimizer(
            keras.optimizers.Adam(2e-3, 0.5), initial_scale=2.0**24, dynamic_growth_steps=2
        )
        for _ in range(2)
    ]
    augment = kgan.layers.DiffAugment(target=-0.9, adapt_images=1000)
    gan.compile(None, *optimizers, d_steps=2, diff_augment=augment)
    keras.config.set_dtype_policy("float32")
    return gan


def autoencoder():
    model = kgan.Autoencoder.from_preset("autoencoder", image_shape=(16, 16, 1))
    model.compile()
    return model


def states(model):
    yield from model.variables
    for name in ("optimizer", "g_optimizer", "d_optimizer"):
        yield from getattr(getattr(model, name, None), "variables", [])


def train(model, steps, checkpoint):
    done = checkpoint.restore(model)
    data = kgan.data.embedded(
        batch_size=32, image_shape=(16, 16, 1), augment=["flip"], seed=4, first_batch=done
    )
    model.fit(data, steps_per_epoch=steps, verbose=0, callbacks=[checkpoint])
    return done


for make in (own, preset, autoencoder):
    keras.utils.set_random_seed(5 if part == "begin" else 6)  # the second start is another
    parts = kgan.callbacks.Checkpoint(f"{place}/{make.__name__}.keras", every_seconds=1e6)
    whole = kgan.callbacks.Checkpoint(f"{place}/whole-{make.__name__}.keras", every_seconds=1e6)
    if part == "begin":
        first = make()
        first.save_weights(f"{place}/first.weights.h5")
        assert train(first, 6, whole) == 0
        again = make()
        again.load_weights(f"{place}/first.weights.h5")
        assert train(again, 3, parts) == 0
        continue
    model = make()
    assert train(model, 3, parts) == 3
    expected = make()
    assert restore(expected, whole.path) == 6
    pairs = list(zip(states(model), states(expected), strict=True))
    assert len(pairs) > 10
    for one, other in pairs:
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other), err_msg=one.path)
    if make is preset:
        scales = [float(o.dynamic_scale) for o in (model.g_optimizer, model.d_optimizer)]
        assert len({2.0**24, *scales}) > 1, scales  # it has moved
        assert float(model.diff_augment.probability) != 0
    if make is own:
        assert float(model.lecam_anchors.real) != 0
    print("equal:", make.__name__)
"""


@pytest.mark.slow
def test_a_fit_in_two_processes_is_as_one(tmp_path):
    for part in ("begin", "go on"):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(tmp_path), part],
            env=os.environ | {"PYTHONPATH": str(Path(kgan.__file__).parents[1])},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines() == ["equal: own", "equal: preset", "equal: autoencoder"]


def gan(filters=2, half_life=100, **compilation):
    made = kgan.GAN.from_preset(
        "dcgan",
        image_shape=(16, 20, 1),
        latent_dim=8,
        filters=filters,
        ema_half_life_images=half_life,
    )
    made.compile(**compilation)
    return made


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A checkpoint with an average and adaptive augmentation."""
    path = tmp_path_factory.mktemp("saved") / "last.keras"
    augment = kgan.layers.DiffAugment(target=0.6)
    gan(g_optimizer="adam", d_optimizer="adam", diff_augment=augment).save(path)
    return path


def arguments(**changes):
    augment = kgan.layers.DiffAugment(target=0.6)
    adam = {"g_optimizer": "adam", "d_optimizer": "adam"}
    return {**adam, "diff_augment": augment, **changes}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"filters": 4}, "is of another model: .* is float32"),
        ({"half_life": 0}, "is of another model: ema_generator/.* and missing here"),
        ({"diff_augment": None}, "is of another model: diff_augment/vars/0 .* missing here"),
        # Of as many variables each, which Keras would have taken for the other's.
        ({"d_optimizer": "nadam"}, "trained with Adam, Adam, .* compiled with Adam, Nadam"),
        ({"d_optimizer": "sgd"}, "trained with Adam, Adam, .* compiled with Adam, SGD"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(saved, changes, says):
    model = gan(**arguments(**changes))
    before = [np.array(v) for v in (*model.variables, *model.d_optimizer.variables)]
    with pytest.raises(kgan.InputError, match=says) as caught:
        kgan.callbacks.Checkpoint(saved).restore(model)
    assert str(saved) in str(caught.value)
    assert "\n" not in str(caught.value)
    for one, other in zip(before, (*model.variables, *model.d_optimizer.variables), strict=True):
        np.testing.assert_array_equal(one, np.asarray(other))


def test_what_fits_is_put_back_into_the_same_variables(saved):
    model = gan(**arguments())
    variables = list(model.variables)
    expected = keras.models.load_model(saved)
    assert kgan.callbacks.Checkpoint(saved).restore(model) == 0
    for one, other in zip(variables, expected.variables, strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def test_other_mistakes_are_one_line(saved, tmp_path):
    checkpoint = kgan.callbacks.Checkpoint(tmp_path / "last.keras")
    model = gan()
    assert checkpoint.restore(model) == 0  # nothing was saved yet
    checkpoint.path.write_bytes(saved.read_bytes()[:-200])
    with pytest.raises(kgan.InputError, match="Not a readable Keras model"):
        checkpoint.restore(model)
    with pytest.raises(kgan.InputError, match="Not a readable Keras model"):
        batches_seen(checkpoint.path)
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(checkpoint.path)
    with pytest.raises(kgan.InputError, match="of a Sequential, the model is a GAN"):
        checkpoint.restore(model)
    model = kgan.GAN(model.generator, model.discriminator)
    with pytest.raises(kgan.InputError, match="Compile the model before"):
        kgan.callbacks.Checkpoint(saved).restore(model)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"first_batch": 3}, "the same seed each time. Received: first_batch=3 and no seed"),
        ({"first_batch": -1, "seed": 0}, "first_batch must be a whole number .* Received: -1"),
        ({"first_batch": 1.5, "seed": 0}, "first_batch must be a whole number .* Received: 1.5"),
    ],
)
def test_data_that_cannot_go_on_exactly_are_refused(options, says):
    with pytest.raises(kgan.InputError, match=says):
        kgan.data.embedded(batch_size=8, **options)


SAVES = """
import ctypes, gc, sys
import kgan
from kgan.training.saving import save_whole

def resident():
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 1e6

gan = kgan.GAN.from_preset("dcgan", image_shape=(16, 16, 1), filters=4)
gan.compile()
for save in range(70):
    if save == 10:
        before = resident()
    save_whole(gan, sys.argv[1])
print(resident() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="Linux tells it")
def test_saves_leave_nothing_in_memory(tmp_path):
    """Of each save Keras keeps 145 kB, 72 for each optimizer: 8.7 MB of these 60."""
    command = [sys.executable, "-c", SAVES, str(tmp_path / "gan.keras")]
    assert float(subprocess.check_output(command, text=True)) < 3  # MB
