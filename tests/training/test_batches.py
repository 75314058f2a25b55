"""Batches as Keras users have them: what does not fit is told in one line, also in a second fit."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kgan
from kgan.training.batches import check_extremes

DARK = np.random.default_rng(0).uniform(-1, 1, (32, 16, 20, 1)).astype(np.float32)


@pytest.mark.parametrize(
    ("low", "high", "value_range", "mend"),
    [
        (0.0, 255.0, (-1, 1), "images / 127.5 - 1; "),  # what image_dataset_from_directory gives
        (3.0, 90.0, (-1, 1), "images / 127.5 - 1; "),
        (0.0, 255.0, (0, 1), "images / 255; "),
        (0.0, 1.0, (-1, 1), r"2 \* images - 1; "),
        (0.02, 0.97, (-1, 1), r"2 \* images - 1; "),
        (0.0, 1 / 255, (-1, 1), "divide by 255 once, not twice"),
        (0.0, 1 / 255, (0, 1), "divide by 255 once, not twice"),
        (-1.0, 0.99, (0, 1), r"\(images \+ 1\) / 2; "),
        (-3.0, 3.0, (-1, 1), r"scale them from \[-3, 3\] to \[-1, 1\]"),
    ],
)
def test_a_range_that_is_not_the_models(low, high, value_range, mend):
    with pytest.raises(kgan.InputError, match=f"{mend}.*Received values from"):
        check_extremes(low, high, value_range)


@pytest.mark.parametrize(
    ("low", "high", "value_range"),
    [
        (-1.0, 1.0, (-1, 1)),
        (-1.2, 1.3, (-1, 1)),  # interpolated bicubically
        (0.0, 1.0, (0, 1)),
        (1.0, 1.0, (-1, 1)),  # all white
        (0.0, 0.0, (-1, 1)),
        (-0.3, 0.1, (-1, 1)),  # faint
        (0.4, 1.0, (-1, 1)),  # bright
        (float("nan"), float("nan"), (-1, 1)),  # left out by the guarded update
    ],
)
def test_a_range_that_can_be_the_models(low, high, value_range):
    check_extremes(low, high, value_range)


@pytest.fixture
def gan():
    gan = kgan.GAN.from_preset("gan", image_shape=(16, 20, 1), latent_dim=4, filters=4, seed=0)
    gan.compile()
    return gan


@pytest.mark.slow
def test_a_fit_looks_at_its_first_batch_and_no_other(tmp_path, gan):
    checkpoint = kgan.callbacks.Checkpoint(tmp_path / "last.keras", every_steps=1)
    good = (DARK + 1) / 2  # the preset ends in a sigmoid
    with pytest.raises(kgan.InputError, match="images / 255"):
        gan.fit(255 * good, batch_size=8, verbose=0, callbacks=[checkpoint])
    assert int(kgan.load_gan(tmp_path / "last.keras").batches_seen) == 0  # nothing bad is kept
    gan.fit(good, batch_size=8, verbose=0)
    late = np.concatenate([good[:8], 255 * good[8:]])
    gan.fit(late, batch_size=8, shuffle=False, verbose=0)
    for _ in range(2):  # and in each fit
        with pytest.raises(kgan.InputError, match=r"\(images \+ 1\) / 2"):
            gan.fit(DARK, batch_size=8, verbose=0)


@pytest.mark.slow
def test_under_a_strategy_too(two_replicas):
    with two_replicas.scope():
        gan = kgan.GAN.from_preset("gan", image_shape=(16, 20, 1), latent_dim=4, filters=4)
        gan.compile()
    with pytest.raises(kgan.InputError, match="images / 255"):
        gan.fit(255 * (DARK + 1) / 2, batch_size=8, verbose=0)


def test_an_autoencoder_looks_too():
    model = kgan.Autoencoder.from_preset("autoencoder", image_shape=(16, 20, 1), latent_dim=4)
    model.compile()
    with pytest.raises(kgan.InputError, match=r"2 \* images - 1"):
        model.fit((DARK + 1) / 2, batch_size=8, verbose=0)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"image": DARK, "label": np.zeros(32)}, "Received a dict of: image, label"),
        ((DARK, np.zeros(32, np.int64)), "would not see the labels.*int64"),
        ((DARK, np.ones(32)), "unlabelled: no sample_weight and no class_weight"),
        ((DARK, np.zeros(32, np.int64), np.ones(32)), "no sample_weight and no class_weight"),
        (DARK[..., 0], r"shape \(batch, 16, 20, 1\)\. Received: \(None, 16, 20\)"),
        (DARK[:, :12], r"Received: \(None, 12, 20, 1\)"),
        (np.repeat(DARK, 3, axis=-1), r"Received: \(None, 16, 20, 3\)"),
        (np.zeros((32, 16, 20, 1), np.uint8), "floats in the model's range.*uint8"),
    ],
    ids=["dict", "labels", "weights", "all three", "rank 3", "size", "colour", "uint8"],
)
def test_a_batch_that_does_not_fit(gan, data, says):
    data = tf.data.Dataset.from_tensor_slices(data).batch(8)
    if says.startswith("unlabelled"):
        data = data.map(lambda images, weights: (images, None, weights))
        says = says.removeprefix("unlabelled: ")
    for _ in range(2):
        with pytest.raises(kgan.InputError, match=says):
            gan.fit(data, verbose=0)
    with pytest.raises(kgan.InputError, match=says):
        gan.evaluate(data, verbose=0)


@pytest.mark.parametrize(
    "how", [{"class_weight": {0: 1.0, 1: 9.0}}, {"sample_weight": np.ones(32)}]
)
@pytest.mark.parametrize("labels", [None, np.zeros(32, np.int64)], ids=["alone", "labels"])
def test_weights_are_refused_by_name(gan, how, labels):
    with pytest.raises(kgan.InputError, match="no sample_weight and no class_weight"):
        gan.fit((DARK + 1) / 2, labels, batch_size=8, verbose=0, **how)


@pytest.mark.slow
def test_callbacks_as_keras_takes_them(gan):
    seen = []
    one = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    gan.fit((DARK + 1) / 2, batch_size=8, verbose=0, callbacks=one)
    ready = keras.callbacks.CallbackList([one], add_history=True, model=gan)
    gan.fit((DARK + 1) / 2, batch_size=8, verbose=0, callbacks=ready)
    assert seen == 2 * [0, 1, 2, 3]


@pytest.mark.slow
def test_an_evaluation_looks_at_its_first_batch_too(gan):
    good = (DARK + 1) / 2
    with pytest.raises(kgan.InputError, match="images / 255"):
        gan.fit(good, batch_size=8, verbose=0, validation_data=255 * good)
    with pytest.raises(kgan.InputError, match="images / 255"):
        gan.evaluate(255 * good, batch_size=8, verbose=0)
    gan.evaluate(good, batch_size=8, verbose=0)
    gan.fit(good, batch_size=8, epochs=2, verbose=0, validation_data=good)


@pytest.mark.slow
def test_an_own_loop_is_looked_at_once(gan):
    good = (DARK + 1) / 2
    for _ in range(2):
        with pytest.raises(kgan.InputError, match="images / 255"):
            gan.train_on_batch(255 * good)
    gan.train_on_batch(good)
    gan.train_on_batch(255 * good)


@pytest.mark.slow
def test_generators_give_images_with_or_without_a_tuple(gan):
    good = (DARK + 1) / 2
    alone = (good[i : i + 8] for i in range(0, 32, 8))
    in_a_tuple = ((good[i : i + 8],) for i in range(0, 32, 8))
    gan.fit(alone, verbose=0, validation_data=in_a_tuple)
    assert int(gan.batches_seen) == 4
    assert len(gan.evaluate((good[:8] for _ in range(2)), verbose=0)) == 5
    with pytest.raises(kgan.InputError, match="Received a dict of: image"):
        gan.fit(({"image": good[:8]} for _ in range(2)), verbose=0)


@pytest.mark.parametrize("data", [None, "photos", b"photos"])
def test_what_is_no_data(gan, data):
    for use in (gan.fit, gan.evaluate):
        with pytest.raises(kgan.InputError, match=r"kgan\.data\.from_folder.* Received: "):
            use(data, verbose=0)


def test_a_list_of_images(gan):
    with pytest.raises(kgan.InputError, match=r"np.stack\(images\).* Received: tuple of 4"):
        gan.fit(list(DARK[:4]), verbose=0)


def test_arrays_of_a_step_that_runs_eagerly():
    """There train_on_batch hands NumPy's arrays on; images and labels are tensors elsewhere."""
    gan = kgan.GAN.from_preset("dcgan", image_shape=(16, 20, 1), filters=1, num_classes=3)
    gan.compile(run_eagerly=True)
    gan.train_on_batch(DARK[:4], np.array([0, 2, 1, 1]))
    assert int(gan.batches_seen) == 1
    with pytest.raises(kgan.InputError, match=r"whole numbers .* labels: float32 \(4,\)$"):
        gan.train_on_batch(DARK[:4], np.zeros(4, np.float32))
