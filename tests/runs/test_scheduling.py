"""The schedules of a run: from the preset or `--schedule`, over the run's length, on resume."""

import json
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

import kgan
from kgan.callbacks import StopAfter
from kgan.models import get_preset
from kgan.option_fields import SCHEDULE, parse_schedule, schedule_text
from kgan.runs import Run, RunOptions, scheduling
from kgan.runs.ready import begin
from kgan.runs.scheduling import schedules_of
from kgan.runs.start_from import options_like

SHAPE = (32, 32, 3)
OWN = get_preset("r3gan").schedules_at(SHAPE)


def test_text():
    ends = {"learning_rate": (2e-4, 5e-5), "beta_2": (0.9, 0.99)}
    assert parse_schedule("learning_rate=2e-4:5e-5, beta_2=0.9:0.99") == ends
    assert parse_schedule(schedule_text(ends)) == ends
    assert parse_schedule("none") == parse_schedule(schedule_text({})) == {}
    for text in ("", "beta_2", "beta_2=1", "beta_2=0.9:0.99:2", "beta_2=0.9:1", "gamma=1:2"):
        with pytest.raises(ValueError):  # noqa: PT011
            SCHEDULE.parse(text)
    for text in ("learning_rate=1:2,g_learning_rate=1:2", "beta_2=0:0,beta_2=0:0"):
        with pytest.raises(ValueError):  # noqa: PT011
            SCHEDULE.parse(text)


@pytest.mark.parametrize(
    ("options", "without"),
    [
        ({}, set()),
        ({"learning_rate": 1e-4}, {"learning_rate"}),
        ({"r1_gamma": 1.0}, {"r1_gamma"}),
        ({"loss": "hinge"}, {"r1_gamma", "r2_gamma"}),
        ({"loss": "relativistic"}, set()),
        ({"ema_half_life_images": 0.0}, {"ema_half_life_images"}),
        ({"diffaugment": "color"}, {"augment_probability"}),
        ({"ada": True}, {"augment_probability"}),
        ({"schedule": "none"}, set(OWN)),
    ],
    ids=lambda value: " ".join(sorted(value)) or "nothing",
)
def test_what_another_option_says_is_not_scheduled(options, without):
    left = {name: ends for name, ends in OWN.items() if name not in without}
    assert schedules_of(RunOptions(preset="r3gan", **options), SHAPE) == left


def test_one_networks_own_rate_leaves_the_others_schedule():
    found = schedules_of(RunOptions(preset="r3gan", g_learning_rate=1e-4), SHAPE)
    assert found["d_learning_rate"] == OWN["learning_rate"]
    assert not {"learning_rate", "g_learning_rate"} & set(found)


def test_two_options_that_say_different_things():
    options = RunOptions(schedule="learning_rate=1e-4:1e-5", d_learning_rate=3e-4)
    says = r"^--d-learning-rate and --schedule .* Received: 0\.0003, and from 0\.0001 to 1e-05$"
    with pytest.raises(kgan.InputError, match=says):
        schedules_of(options, SHAPE)


def test_a_rate_may_begin_at_0(tmp_path):
    np.save(tmp_path / "set.npy", np.zeros((4, 16, 16), np.uint8))
    options = RunOptions(
        data=str(tmp_path / "set.npy"),
        filters=1,
        batch_size=2,
        augment=[],
        schedule="learning_rate=0:2e-4",
    )
    ready, resolved = begin(options, tf.distribute.get_strategy(), choose_width=False)
    assert float(ready.model.g_optimizer.learning_rate) == 0.0
    assert (resolved.g_learning_rate, resolved.d_learning_rate) == (2e-4, 2e-4)


def test_a_half_life_that_is_the_presets_does_not_stand_in_a_schedules_way(tmp_path):
    gan = kgan.GAN.from_preset("r3gan", image_shape=(8, 8, 1), latent_dim=4, filters=8, seed=0)
    gan.save(tmp_path / "a.keras")
    assert options_like(tmp_path / "a.keras").ema_half_life_images is None
    gan = kgan.GAN.from_preset("dcgan", image_shape=(16, 16, 1), filters=1, ema_half_life_images=9)
    gan.save(tmp_path / "b.keras")
    assert options_like(tmp_path / "b.keras").ema_half_life_images == 9
    schedule = "ema_half_life_images=0:100"
    options = options_like(tmp_path / "b.keras", schedule=schedule)
    assert schedules_of(options, (16, 16, 1)) == {"ema_half_life_images": (0.0, 100.0)}


@pytest.mark.slow
def test_a_run_keeps_its_schedule_beyond_its_goal_and_until_a_rate_is_given(tmp_path):
    directory = tmp_path / "run"
    options = RunOptions(
        size=(16, 16),
        filters=2,
        latent_dim=8,
        batch_size=64,
        steps=2,
        schedule="learning_rate=1e-3:1e-4,r1_gamma=1:0.5,ema_half_life_images=0:100,"
        "augment_probability=0:0.4",
        sample_every="1000",
    )
    Run.create(options, directory).train()
    gan = kgan.load_gan(directory)
    assert (int(gan.images_seen), int(gan.schedule_images)) == (128, 128)
    config = json.loads((directory / "config.json").read_text())
    assert parse_schedule(config["schedule"]) == parse_schedule(options.schedule)
    assert (config["g_learning_rate"], config["r1_gamma"]) == (1e-3, 1.0)
    assert (config["ema_half_life_images"], config["diffaugment"]) == (
        100,
        kgan.layers.DiffAugment.ADA,
    )
    Run.open(directory).train(steps=1)
    gan = kgan.load_gan(directory)
    assert int(gan.schedule_images) == 128
    np.testing.assert_allclose(float(gan.d_optimizer.learning_rate), 1e-4, rtol=1e-6)
    Run.open(directory, d_learning_rate=3e-4).train(steps=1)
    gan = kgan.load_gan(directory)
    np.testing.assert_allclose(float(gan.d_optimizer.learning_rate), 3e-4, rtol=1e-6)
    assert (gan.schedules["g_learning_rate"].end, "d_learning_rate" in gan.schedules) == (
        1e-4,
        False,
    )
    config = json.loads((directory / "config.json").read_text())
    left = parse_schedule(config["schedule"])
    assert left["g_learning_rate"] == (1e-3, 1e-4)
    assert not {"learning_rate", "d_learning_rate"} & set(left)


@pytest.mark.parametrize("pause", [0.0, 24.0])  # such as that of a trial of XLA
def test_a_run_of_minutes_is_measured(monkeypatch, pause):
    generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(64)])
    generator.add(keras.layers.Reshape((8, 8, 1)))
    discriminator = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    discriminator.add(keras.layers.Dense(1))
    gan = kgan.GAN(generator, discriminator, value_range=(-1, 1), seed=0)
    gan.compile(schedules={"learning_rate": (1e-3, 0.0)})

    def now():  # by a clock where a step takes two seconds
        return 2.0 * int(gan.batches_seen) + pause * (int(gan.batches_seen) > 5)

    clock = types.SimpleNamespace(monotonic=now)
    monkeypatch.setattr(scheduling, "time", clock)
    watch = [scheduling.MeasureLength(100.0, 10.0), StopAfter(steps=30)]
    images = np.zeros((240, 8, 8, 1), np.float32)
    gan.fit(images, batch_size=8, epochs=10**9, verbose=0, callbacks=watch)
    # Known after the first step and twenty more, when 10 + 42 seconds of 100 are over, or 24 more.
    length = 21 * 8 + (48 - pause) * 8 / 2
    assert int(gan.schedule_images) == length
    share = 29 * 8 / length
    rate = 1e-3 * (1 + np.cos(np.pi * share)) / 2
    np.testing.assert_allclose(float(gan.g_optimizer.learning_rate), rate, rtol=1e-5)
