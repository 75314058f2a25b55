"""Callbacks seen at work in a real fit."""

import io
import re

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
    assert names(tmp_path) == steps
    sheets = [np.asarray(Image.open(tmp_path / name)) for name in steps]
    assert sheets[0].shape == (2 * 18 + 2, 2 * 22 + 2)
    assert not np.array_equal(sheets[0], sheets[-1])
    np.testing.assert_array_equal(
        sheets[-1], kgan.images.grid(traced_gan.generate(4, seed=9))[..., 0]
    )
    # A second fit continues counting where the model stands.
    traced_gan.fit(real_images[:8], batch_size=8, callbacks=[samples], verbose=0)
    assert names(tmp_path)[-1] == "step-000009.png"


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


class Terminal(io.StringIO):
    def isatty(self):
        return True


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


def test_progress_line_tells_epoch_step_rate_losses_and_time_left(traced_gan, real_images):
    stream = Terminal()
    progress = callbacks.ProgressLine(8, epochs=3, epoch_steps=8, stream=stream)
    progress.interval = 0.0  # every step, so that the test need not wait
    traced_gan.fit(real_images, batch_size=8, epochs=3, callbacks=[progress], verbose=0)
    lines = stream.getvalue().removesuffix("\n").split("\r")[1:]
    assert "\n" not in "".join(lines)
    assert len(lines) == 3 * 8 + 1
    pattern = (
        r"epoch 2/3  step 12/24  \d+ images/s  d_loss \d+\.\d{3}  g_loss \d+\.\d{3}"
        r"  left \d+:\d\d *"
    )
    assert re.fullmatch(pattern, lines[11])
    assert lines[-1].startswith("epoch 3/3  step 24/24")
    assert progress.images_per_second() > 0


def test_progress_of_a_resumed_run_counts_what_is_left(traced_gan, real_images):
    stream = io.StringIO()
    progress = callbacks.ProgressLine(8, epochs=2, first_epoch=3, epoch_steps=8, stream=stream)
    traced_gan.fit(
        real_images, batch_size=8, initial_epoch=3, epochs=5, callbacks=[progress], verbose=0
    )
    assert stream.getvalue().startswith("epoch 5/5  step 16/16")
    assert "left 0:00" in stream.getvalue()


def test_progress_without_a_terminal_is_a_line_now_and_then(traced_gan, real_images):
    stream = io.StringIO()
    stop = callbacks.StopAfter(steps=10)
    progress = callbacks.ProgressLine(8, stop=stop, stream=stream)
    traced_gan.fit(real_images, batch_size=8, epochs=99, callbacks=[stop, progress], verbose=0)
    (line,) = stream.getvalue().splitlines()
    assert line.startswith("epoch 2  step 10/10")


def test_progress_counts_on_from_earlier_fits_under_its_header(traced_gan, real_images):
    stream = Terminal()
    stop = callbacks.StopAfter(steps=6)
    header = "step 40 done, 6 more, 46 in all"
    progress = callbacks.ProgressLine(8, stop=stop, stream=stream, header=header, steps_done=40)
    progress.interval = 0.0
    traced_gan.fit(real_images, batch_size=8, epochs=99, callbacks=[stop, progress], verbose=0)
    written_header, lines = stream.getvalue().split("\n", 1)
    assert written_header == header
    assert header not in lines
    steps = re.findall(r"step (\d+/\d+)", lines)
    assert steps == [f"{step}/46" for step in (41, 42, 43, 44, 45, 46, 46)]
    assert "left 0:00" in lines


class Broken(io.StringIO):
    """A stream of which the second write fails, as a pipe that is read no longer."""

    def write(self, text):
        if self.getvalue():
            raise BrokenPipeError(32, "Broken pipe")
        return super().write(text)


def test_a_fit_outlives_where_its_line_goes(traced_gan, real_images):
    line = callbacks.ProgressLine(16, stream=Broken(), header="begun")
    before = int(traced_gan.batches_seen)
    traced_gan.fit(real_images, batch_size=16, verbose=0, callbacks=[line])
    assert int(traced_gan.batches_seen) == before + 4
