"""Sets smaller than a batch: the batch is lowered to them, with one line."""

import os

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import kgan
from kgan.runs import RunOptions, build, ready
from kgan.runs.watching import watchers

SMALL = {"size": (16, 16), "filters": 1, "steps": 1}


@pytest.fixture
def few(tmp_path, monkeypatch):
    """A folder of 5 pictures, of which one is cut short."""
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 3), np.uint8)
    for index, picture in enumerate(noise):
        Image.fromarray(picture).save(tmp_path / f"{index}.png")
    (tmp_path / "2.png").write_bytes((tmp_path / "2.png").read_bytes()[:300])
    return str(tmp_path)


def begin(strategy=None, **options):
    strategy = strategy or tf.distribute.get_strategy()
    return ready.begin(RunOptions(**(SMALL | options)), strategy, choose_width=False)


def told(caplog):
    return [record.getMessage() for record in caplog.records if "batches" in record.msg]


@pytest.mark.parametrize("preset", ["dcgan", "dcgan_upsample", "autoencoder"])
def test_the_default_batch_is_lowered_to_what_can_be_decoded(few, caplog, preset):
    filters = {"filters": None} if preset == "autoencoder" else {}
    training, options = begin(data=few, preset=preset, **filters)
    assert options.batch_size == 4
    assert next(iter(training.batches)).shape == (4, 16, 16, 3)
    asked = 64 if preset == "dcgan_upsample" else 128
    assert told(caplog) == [f"batches of 4 pictures, not {asked}: the set has 4"]


@pytest.mark.parametrize(("batch_size", "lowered"), [(7, 4), (5, 4), (4, 4), (2, 2)])
def test_so_is_one_that_was_asked_for(few, caplog, batch_size, lowered):
    assert begin(data=few, batch_size=batch_size)[1].batch_size == lowered
    assert len(told(caplog)) == (batch_size != lowered)


def test_replicas_share_it(few, two_replicas):
    Image.new("RGB", (16, 16)).save("5.png")
    assert begin(two_replicas, data=few)[1].batch_size == 4  # of 5 that can be decoded


def test_one_picture_is_no_set(few):
    for index in range(1, 5):
        os.remove(f"{index}.png")
    with pytest.raises(kgan.InputError, match=r"Fewer pictures than a batch of 128\. Received: 1"):
        begin(data=few)


@pytest.mark.slow
def test_a_run_goes_on_with_the_lowered_batch(few):
    run = kgan.runs.Run.create(RunOptions(**SMALL, data=few), "runs/a")
    assert run.train().steps == 1
    again = kgan.runs.Run.open("runs/a")
    assert again.options.batch_size == 4
    assert again.train(steps=1).steps == 1


@pytest.mark.parametrize(("batches_seen", "augment"), [(0, []), (1, []), (3, ["rotate=10"])])
def test_the_doctor_of_a_run_has_no_image_twice(tmp_path, batches_seen, augment):
    """Else a copy would be no nearer to a real image than its double is, and never seen."""
    noise = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 1), np.uint8)
    np.savez(tmp_path / "few.npz", x_train=noise, y_train=np.arange(8) % 2)
    training, options = begin(
        data=str(tmp_path / "few.npz"), batch_size=4, augment=augment, conditional=True
    )
    training.model.batches_seen.assign(batches_seen)
    batches = build.make_batches(training.source, options, training.model)
    watching = watchers(training.model, training.source, batches, options, tmp_path, None)
    (doctor,) = (each for each in watching if isinstance(each, kgan.callbacks.RunDoctor))
    assert doctor.every_steps == 100  # a batch of 4, and a check takes 64 fakes
    vectors = doctor.gallery.images.reshape(-1, 256).astype(float)
    nearest = np.square(vectors[:, None] - noise.reshape(8, 256)).sum(2).argmin(1)
    assert doctor.gallery.labels.tolist() == (nearest % 2).tolist()
    assert sorted(nearest) == list(range(8))
