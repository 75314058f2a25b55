"""Callbacks seen at work in a real fit."""

import signal
import threading

import keras
import numpy as np
import pytest
from PIL import Image

import kgan
from kgan import InputError, callbacks
from kgan.training.saving import batches_seen


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def test_sample_grid_is_written_at_a_steady_interval_from_fixed_latents(
    tmp_path, traced_gan, real_images
):
    samples = kgan.callbacks.SampleGrid(tmp_path, every_steps=3, n=4, seed=9)
    traced_gan.fit(real_images, batch_size=8, epochs=1, callbacks=[samples], verbose=0)
    steps = [f"step-{step:06d}.png" for step in (0, 3, 6, 8)]
    assert names(tmp_path) == ["latest.png", *steps]
    sheets = [np.asarray(Image.open(tmp_path / name)) for name in steps]
    assert sheets[0].shape == (2 * 18 + 2, 2 * 22 + 2)
    assert not np.array_equal(sheets[0], sheets[-1])
    np.testing.assert_array_equal(
        sheets[-1], kgan.images.grid(traced_gan.generate(4, seed=9))[..., 0]
    )
    # A second fit continues counting where the model stands.
    traced_gan.fit(real_images[:8], batch_size=8, callbacks=[samples], verbose=0)
    assert names(tmp_path)[-1] == "step-000009.png"
    newest = [(tmp_path / name).read_bytes() for name in ("latest.png", "step-000009.png")]
    assert newest[0] == newest[1]


@pytest.mark.slow
@pytest.mark.parametrize("steps_per_execution", [1, 3])
def test_stop_after_steps(small_gan, real_images, steps_per_execution):
    small_gan.compile(steps_per_execution=steps_per_execution)
    stop = callbacks.StopAfter(steps=12)
    small_gan.fit(real_images[:48], batch_size=8, epochs=99, callbacks=[stop], verbose=0)
    assert stop.steps_taken == int(small_gan.batches_seen) == 12


def test_stop_after_seconds(traced_gan, real_images):
    stop = callbacks.StopAfter(seconds=0.5)
    traced_gan.fit(real_images, batch_size=8, epochs=10**6, callbacks=[stop], verbose=0)
    assert 0 < stop.steps_taken < 10**5


def test_a_fit_in_another_thread_takes_no_signals(traced_gan, real_images):
    """As in the workers of Ray Train; Python gives signals to the main thread alone."""
    before = signal.getsignal(signal.SIGTERM)
    seen = []

    def train():
        with callbacks.StopOnInterrupt() as stop:
            seen.append(signal.getsignal(signal.SIGTERM))
            traced_gan.fit(real_images, batch_size=8, callbacks=[stop], verbose=0)
        seen.append(stop.interrupted)

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert seen == [before, False]


def test_checkpoint_replaces_one_whole_file(tmp_path, traced_gan, real_images):
    checkpoint = callbacks.Checkpoint(tmp_path / "last.keras", every_seconds=0)
    traced_gan.fit(real_images, batch_size=32, epochs=2, callbacks=[checkpoint], verbose=0)
    assert names(tmp_path) == ["last.keras"]
    again = keras.models.load_model(tmp_path / "last.keras")
    assert int(again.batches_seen) == 4


def test_checkpoint_is_there_before_the_first_step_then_waits(tmp_path, traced_gan, real_images):
    path = tmp_path / "last.keras"
    saved = []
    look = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: saved.append(batches_seen(path))
    )
    checkpoint = callbacks.Checkpoint(path, every_seconds=10**6)
    traced_gan.fit(real_images, batch_size=32, epochs=1, callbacks=[checkpoint, look], verbose=0)
    assert saved == [0, 0]
    assert batches_seen(path) == 2  # and at the end


@pytest.mark.slow
def test_checkpoint_every_so_many_steps(tmp_path, traced_gan, real_images):
    path = tmp_path / "last.keras"
    saved = []
    look = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: saved.append(batches_seen(path))
    )
    checkpoint = callbacks.Checkpoint(path, every_steps=3)
    watching = [checkpoint, look]
    traced_gan.fit(real_images, batch_size=8, epochs=1, callbacks=watching, verbose=0)
    assert saved == [0, 0, 3, 3, 3, 6, 6, 6]
    assert batches_seen(path) == 8
    # Each fit counts its steps from its own beginning, where it saves too.
    del saved[:]
    traced_gan.fit(real_images[:32], batch_size=8, epochs=1, callbacks=watching, verbose=0)
    assert saved == [8, 8, 11, 11]


@pytest.mark.parametrize(
    ("interval", "message"),
    [
        ({"every_steps": 0}, "every_steps must be a whole number above 0. Received: 0"),
        ({"every_seconds": -1}, "every_seconds must be a number from 0 up. Received: -1"),
        ({"every_seconds": float("nan")}, "every_seconds .* Received: nan"),
        ({"every_seconds": "60"}, "every_seconds .* Received: '60'"),
    ],
)
def test_an_interval_that_a_checkpoint_cannot_keep(tmp_path, interval, message):
    with pytest.raises(InputError, match=message):
        callbacks.Checkpoint(tmp_path / "last.keras", **interval)
