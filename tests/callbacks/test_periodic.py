"""Intervals in steps and in minutes, by a clock that the tests set themselves."""

import time

import keras
import numpy as np
import pytest

import kgan
from kgan import InputError, callbacks
from kgan.callbacks.periodic import Interval, Periodic
from kgan.training.saving import batches_seen


class Clock:
    """Stands for `time.monotonic`; some seconds pass at the end of each step."""

    def __init__(self, seconds_per_step):
        self.now = 1000.0
        self.seconds_per_step = seconds_per_step

    def __call__(self):
        return self.now


class Notes(Periodic):
    """Notes the steps at which it acts, which takes some time."""

    def __init__(self, clock, takes=0.0, **interval):
        super().__init__(**interval)
        self.clock = clock
        self.takes = takes
        self.acted_at = []

    def act(self):
        self.acted_at.append(self.steps_taken)
        self.clock.now += self.takes


def fit(callback, clock, batches):
    """What Keras calls in a fit of one epoch whose steps end in these batches."""
    callback.on_train_begin()
    callback.on_epoch_begin(0)
    last = -1
    for batch in batches:
        clock.now += clock.seconds_per_step * (batch - last)
        last = batch
        callback.on_train_batch_end(batch)
    callback.on_train_end()


@pytest.fixture
def clock(monkeypatch):
    clock = Clock(seconds_per_step=20.0)
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


def test_every_so_many_steps_whatever_the_time(clock):
    notes = Notes(clock, every_steps=4)
    fit(notes, clock, range(10))
    assert notes.acted_at == [0, 4, 8, 10]
    assert (notes.every_steps, notes.every_minutes) == (4, None)


def test_every_so_many_minutes_whatever_the_steps(clock):
    notes = Notes(clock, every_minutes=1.5)  # over after 90 s, at the end of the fifth step
    fit(notes, clock, range(12))
    assert notes.acted_at == [0, 5, 10, 12]
    assert (notes.every_steps, notes.every_minutes) == (None, 1.5)
    # A second fit begins its interval again, however long ago the first one ended.
    clock.now += 10**6
    notes.acted_at.clear()
    fit(notes, clock, range(5))
    assert notes.acted_at == [0, 5]


def test_the_time_it_takes_to_act_is_not_part_of_the_interval(clock):
    """Otherwise a slow act with a short interval would follow every single step."""
    notes = Notes(clock, takes=3600.0, every_minutes=1)
    fit(notes, clock, range(7))
    assert notes.acted_at == [0, 3, 6, 7]


def test_several_steps_per_execution_are_counted(clock):
    steps = Notes(clock, every_steps=4)
    fit(steps, clock, [2, 5, 8])  # three at a time
    assert steps.acted_at == [0, 6, 9]
    minutes = Notes(clock, every_minutes=1.5)
    fit(minutes, clock, [2, 5, 8])
    assert minutes.acted_at == [0, 6, 9]


def test_checkpoint_by_seconds(clock, tmp_path, traced_gan, real_images):
    checkpoint = callbacks.Checkpoint(tmp_path / "last.keras", every_seconds=60)
    saved = []

    def pass_time(batch, logs):
        saved.append(batches_seen(checkpoint.path))
        clock.now += clock.seconds_per_step

    passing = keras.callbacks.LambdaCallback(on_train_batch_end=pass_time)
    traced_gan.fit(real_images, batch_size=8, callbacks=[checkpoint, passing], verbose=0)
    assert saved == [0, 0, 0, 4, 4, 4, 7, 7]


@pytest.mark.parametrize(
    ("make", "default"),
    [
        (lambda **interval: callbacks.SampleGrid("samples", **interval), 200),
        (lambda **interval: callbacks.ReconstructionStrip("s", np.zeros(1), **interval), 200),
        (lambda **interval: callbacks.LatentWalk("walks", **interval), 1000),
        (lambda **interval: callbacks.Curves("logs", **interval), 50),
        (lambda **interval: callbacks.CurvesPicture("run", **interval), 50),
    ],
)
def test_minutes_stand_in_place_of_the_default_steps(make, default):
    assert (make().every_steps, make().every_minutes) == (default, None)
    assert (make(every_steps=7).every_steps, make(every_steps=7).every_minutes) == (7, None)
    by_time = make(every_minutes=0.5)
    assert (by_time.every_steps, by_time.every_minutes) == (None, 0.5)
    message = r"either every_steps or every_minutes\. Received: every_steps=7 and every_minutes=0"
    with pytest.raises(InputError, match=message):
        make(every_steps=7, every_minutes=0.5)


def test_intervals_that_grow_from_ten_seconds_to_five_minutes(clock):
    clock.seconds_per_step = 5.0
    notes = Notes(clock, every_steps=1).at_growing_intervals()
    # The first step, which compiles, is no part of them: 10, 20, 40, 80, 160 and 300 s follow.
    expected = [0, *(1 + seconds // 5 for seconds in (10, 30, 70, 150, 310, 610, 910)), 190]
    fit(notes, clock, range(190))
    assert notes.acted_at == expected
    notes.acted_at.clear()
    fit(notes, clock, range(190))  # another fit begins anew
    assert notes.acted_at == expected


def test_what_takes_long_comes_more_rarely(clock):
    clock.seconds_per_step = 5.0
    notes = Notes(clock, takes=30.0, every_steps=1).at_growing_intervals()
    fit(notes, clock, range(250))
    assert notes.acted_at == [0, 3, 3 + 120, 3 + 240, 250]  # a twentieth of the time at most


def test_what_takes_long_once_leaves_later_intervals_alone():
    interval = Interval(seconds=10.0, longest=300.0)
    lengths = []
    for taken in (0.1, 20.0, 0.1, 0.1, 0.1, 0.1):
        interval.grow(taken)
        lengths.append(interval.seconds)
    assert lengths == [20, 400, 80, 160, 300, 300]


@pytest.mark.parametrize("minutes", [0, -1, float("inf"), float("nan"), True, "5m"])
def test_minutes_that_are_no_interval(minutes):
    with pytest.raises(InputError, match=r"every_minutes must be a finite number above 0\. Rec"):
        callbacks.Curves("logs", every_minutes=minutes)


@pytest.mark.parametrize("steps", [0, -1, 2.5, True, None])
def test_steps_that_are_no_interval(steps):
    with pytest.raises(InputError, match=r"every_steps must be a whole number above 0\. Rec"):
        Periodic(every_steps=steps)


@pytest.mark.slow
def test_the_tours_grid_each_20_batches_and_weights_each_10(tmp_path, real_images):
    gan = kgan.GAN.from_preset("gan", image_shape=(16, 20, 1), latent_dim=4, filters=4, seed=0)
    gan.compile()
    path = tmp_path / "last.keras"
    saved = {}
    look = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: saved.setdefault(batches_seen(path), batch + 1)
    )
    watching = [
        callbacks.SampleGrid(tmp_path / "samples", every_steps=20, n=4),
        callbacks.Checkpoint(path, every_steps=10),
        look,
    ]
    images = np.resize((real_images + 1) / 2, (45, 16, 20, 1))  # this preset's range
    gan.fit(images, batch_size=1, callbacks=watching, verbose=0)
    sheets = sorted(sheet.name for sheet in (tmp_path / "samples").glob("step-*"))
    assert sheets == [f"step-{step:06d}.png" for step in (0, 20, 40, 45)]
    assert saved == {0: 1, 10: 10, 20: 20, 30: 30, 40: 40}
    assert batches_seen(path) == 45


def test_a_grid_by_minutes_in_a_real_fit(clock, tmp_path, traced_gan, real_images):
    def pass_time(batch, logs):
        clock.now += clock.seconds_per_step

    watching = [
        keras.callbacks.LambdaCallback(on_train_batch_end=pass_time),
        callbacks.SampleGrid(tmp_path, n=4, every_minutes=1),
    ]
    traced_gan.fit(real_images, batch_size=8, callbacks=watching, verbose=0)
    assert sorted(sheet.name for sheet in tmp_path.glob("step-*")) == [
        f"step-{step:06d}.png" for step in (0, 3, 6, 8)
    ]


@pytest.mark.parametrize(
    "name",
    [
        "Checkpoint",
        "CSVHistory",
        "Curves",
        "CurvesPicture",
        "LatentWalk",
        "ReconstructionStrip",
        "RunDoctor",
        "SampleGrid",
        "Track",
    ],
)
def test_whatever_writes_files_does_so_on_the_chief_of_several_workers_alone(name):
    assert getattr(callbacks, name).chief_only
