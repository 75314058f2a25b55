"""Where nobody chooses a width, a run on a processor has the one that its length has steps for."""

import json

import numpy as np
import pytest
import tensorflow as tf

import kgan
from kgan.cli.main import main
from kgan.runs import width
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


def test_few_steps_have_the_presets_width_and_seconds_the_narrowest(source):
    few = width.chosen(RunOptions(steps=3, precision="float32"), source, one_device())
    assert (few.filters, few.batch_size) == (64, 32)
    short = width.chosen(RunOptions(minutes=0.01, precision="float32"), source, one_device())
    assert (short.filters, short.batch_size) == (8, 32)
    assert short.fitted.startswith("8 filters and batches of 32, which suit this length")


def test_widths_between_are_timed_in_turn(source, monkeypatch):
    """With the seconds of another machine."""
    asked = []

    def seconds(options, source):
        asked.append(options.filters)
        return {8: 0.01, 16: 0.03, 32: 0.08, 64: 0.3}[options.filters]

    monkeypatch.setattr(width, "seconds_per_step", seconds)
    chosen = width.chosen(RunOptions(minutes=10), source, one_device())
    assert (chosen.filters, asked) == (16, [8, 16, 32])
    asked.clear()
    chosen = width.chosen(RunOptions(steps=20_000), source, one_device())
    assert (chosen.filters, asked) == (16, [64, 32, 16])
    chosen = width.chosen(RunOptions(minutes=600), source, one_device())
    assert chosen.filters == 64
    chosen = width.chosen(RunOptions(steps=10**6), source, one_device())
    assert chosen.filters == 8


def test_an_autoencoder_and_several_replicas_keep_the_presets(source, two_replicas):
    options = RunOptions(preset="autoencoder", minutes=1)
    assert width.chosen(options, source, one_device()) is options
    options = RunOptions(minutes=1)
    assert width.chosen(options, source, two_replicas) is options


@pytest.mark.slow
def test_the_run_is_that_of_the_width_given_and_says_what_was_chosen(tmp_path, capsys):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "set.npz", images=rng.integers(0, 256, (40, 16, 16), np.uint8))
    given = ["train", tmp_path / "set.npz", "--minutes", "0.02", "--augment", "none"]
    given = [*map(str, [*given, "--recipe", "none", "--out", tmp_path])]
    assert main([*given, "--name", "chosen"]) == 0
    assert "8 filters and batches of 32, which suit this length" in capsys.readouterr().err
    config = json.loads((tmp_path / "chosen" / "config.json").read_text())
    assert (config["filters"], config["batch_size"]) == (8, 32)
    # Timing other models first has moved no seed.
    steps = ["--filters", "8", "--batch-size", "32", "--steps"]
    models = [kgan.load_gan(tmp_path / "chosen")]
    del given[2:4]
    assert main([*given, *steps, str(int(models[0].batches_seen)), "--name", "given"]) == 0
    models.append(kgan.load_gan(tmp_path / "given"))
    for one, other in zip(*(model.generator.get_weights() for model in models), strict=True):
        np.testing.assert_array_equal(one, other)
