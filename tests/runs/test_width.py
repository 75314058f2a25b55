"""Where nobody chooses a width, a run on a processor has the one that its length has steps for."""

import numpy as np
import pytest
import tensorflow as tf

import kgan
from kgan.runs import goal, heading, ready, width
from kgan.runs.options import RunOptions


@pytest.fixture
def source(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (40, 16, 16), np.uint8)
    np.save(tmp_path / "set.npy", images)
    return kgan.data.open_source(tmp_path / "set.npy")


def one_device():
    return tf.distribute.get_strategy()


@pytest.mark.parametrize(
    ("length", "seconds", "enough"),
    [
        ({"minutes": 10.0}, 0.06, True),  # 10,000 steps
        ({"minutes": 10.0}, 0.0601, False),
        ({"steps": 450}, 2.0, True),  # 15 minutes
        ({"steps": 451}, 2.0, False),
        ({"epochs": 3}, 10.0, True),  # 30 steps each
        ({"epochs": 4}, 10.0, False),
        ({}, 1.2, True),  # 25 epochs
        ({}, 1.21, False),
    ],
)
def test_a_length_has_time_for_enough_steps_or_for_its_own(length, seconds, enough):
    assert width.has_time(RunOptions(batch_size=20, **length), 610, seconds) is enough


def test_a_trial_keeps_the_presets(source):
    for options in (RunOptions(steps=499), RunOptions(minutes=0.49)):
        assert width.chosen(options, source, one_device()) is options


@pytest.mark.slow
def test_more_steps_than_there_is_time_for_have_the_narrowest(source):
    options = RunOptions(steps=10**9, precision="float32")
    chosen = width.chosen(options, source, one_device())
    assert (chosen.filters, chosen.batch_size) == (8, 32)
    assert chosen.fitted.startswith("8 filters and batches of 32, which suit this length")


def test_widths_between_follow_from_two(source, monkeypatch):
    """With the seconds of another machine: 0.01 and 0.0001 for the square of the width."""
    asked = []

    def seconds(options, source):
        asked.append(options.filters)
        return 0.01 + 1e-4 * options.filters**2

    monkeypatch.setattr(width, "seconds_per_step", seconds)
    for length, filters in (
        ({"minutes": 1.0}, 8),  # no width has the time
        ({"minutes": 5.0}, 8),  # 0.0164 s, and 16 would take 0.0356
        ({"minutes": 6.0}, 16),
        ({"minutes": 19.0}, 32),  # 0.1124 s
        ({"minutes": 70.0}, 64),  # 0.4196 s
        ({"steps": 500}, 64),
        ({"steps": 2500}, 32),
        ({"steps": 10_000}, 16),
        ({"steps": 100_000}, 8),
    ):
        chosen = width.chosen(RunOptions(**length), source, one_device())
        assert chosen.filters == filters
    assert asked == [8, *[8, 32] * 7, 8]


def test_an_autoencoder_and_several_replicas_keep_the_presets(source, two_replicas):
    options = RunOptions(preset="autoencoder", minutes=1)
    assert width.chosen(options, source, one_device()) is options
    options = RunOptions(steps=1000)
    assert width.chosen(options, source, two_replicas) is options


@pytest.mark.slow
def test_a_run_begins_as_one_that_was_given_the_width(source, tmp_path):
    """Timing other models first moves no seed; and the header says what was chosen."""
    settings = {"data": str(tmp_path / "set.npy"), "minutes": 1.0, "augment": []}
    chosen, options = ready.begin(RunOptions(**settings), one_device(), choose_width=True)
    assert options.fitted in heading.of_options(options, goal.Progress(0, 0.0, 1))["preset"]
    settings |= {"filters": options.filters, "batch_size": options.batch_size}
    given, _ = ready.begin(RunOptions(**settings), one_device(), choose_width=False)
    for one, other in zip(chosen.model.weights, given.model.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(next(iter(chosen.batches)), next(iter(given.batches)))
