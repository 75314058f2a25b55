"""Few pictures: what the recipe switches on, and when; fine-tuning; balanced classes."""

import json

import numpy as np
import pytest

import kgan
from kgan.cli.main import main
from kgan.data.array_source import ArraySource
from kgan.runs import Run, RunOptions, goal, heading, options_like
from kgan.runs.recipe import with_recipe

SMALL = ["--size", "16x16", "--filters", "1", "--batch-size", "8", "--steps", "1"]
OWN = {"diffaugment": "color,translation,cutout", "lecam": 1e-6, "minibatch_stddev": True}
NOTHING = {"diffaugment": None, "lecam": None, "minibatch_stddev": False}


def taken(images=100, data="photos", epochs=1, **options):
    source = ArraySource(np.zeros((images, 1, 1, 1), np.uint8), "zeros")
    came = with_recipe(RunOptions(data=data, epochs=epochs, **options), source)
    assert with_recipe(came, source) == came  # as a run that is begun anew asks again
    return came.recipe, {name: getattr(came, name) for name in NOTHING}


def test_few_pictures_of_ones_own_take_the_recipe():
    assert taken(9999, recipe="auto") == ("few", OWN)
    assert taken(10_000, recipe="auto") == ("none", NOTHING)
    assert taken(9999, data=None, recipe="auto") == ("none", NOTHING)  # the embedded set
    assert taken(9999) == ("none", NOTHING)
    assert taken(10_000, recipe="few") == ("few", OWN)
    assert taken(recipe="auto", preset="autoencoder") == ("none", NOTHING)
    with pytest.raises(kgan.InputError, match=r"for GANs\. Received: the preset autoencoder"):
        taken(recipe="few", preset="autoencoder")


def test_the_recipe_leaves_what_was_said():
    said = {"lecam": 0.0, "diffaugment": "color"}
    assert taken(recipe="few", **said) == ("few", OWN | said)
    assert taken(recipe="few", ada=True) == ("few", OWN | {"diffaugment": None})
    assert taken(recipe="few", loss="hinge") == ("few", OWN | {"lecam": 0.3})
    unable = OWN | {"minibatch_stddev": False}
    assert taken(recipe="few", preset="sagan") == ("few", unable | {"lecam": 0.3})
    assert taken(recipe="few", start_from="runs/a") == ("few", unable)
    presets_own = unable | {"diffaugment": None}  # begins with an augmentation of its own
    assert taken(recipe="few", preset="r3gan") == ("few", presets_own)


def calm(images=100_000, data="photos", workers=False, **options):
    source = ArraySource(np.zeros((images, 1, 1, 1), np.uint8), "zeros")
    came = with_recipe(RunOptions(data=data, **options), source, workers)
    assert with_recipe(came, source, workers) == came
    return came.recipe, came.schedule, came.ema_half_life_images


def test_rates_fall_and_weights_are_averaged_in_runs_that_are_long_enough():
    falls = "learning_rate=0.0004:2e-05"  # the preset's 2e-4, twice and a tenth
    whole = ("calm", falls, 10_000)
    assert calm(recipe="auto", epochs=1) == whole
    assert calm(recipe="auto", data=None, minutes=3) == whole  # the embedded set too
    assert calm(recipe="auto", steps=3125, batch_size=32) == whole
    assert calm(4000, recipe="auto") == ("few", None, None)  # of 25 epochs, and few
    assert calm(4000, recipe="few", minutes=5) == ("few", None, None)
    short = ("none", None, None)
    assert calm(recipe="auto", steps=3124, batch_size=32) == short
    assert calm(recipe="auto", minutes=2.9) == short
    assert calm(3999, data=None, recipe="auto") == short
    assert calm(recipe="auto", minutes=5, workers=True) == short  # each would fall by itself
    assert calm(recipe="auto", epochs=1, workers=True) == whole
    assert calm(epochs=1) == short
    for said in ({"learning_rate": 1e-4}, {"d_learning_rate": 1e-4}, {"schedule": "none"}):
        assert calm(recipe="auto", **said) == ("calm", said.get("schedule"), 10_000)
    assert calm(recipe="auto", ema_half_life_images=0) == ("calm", falls, 0)
    follows = "ema_half_life_images=0:500000"
    assert calm(recipe="auto", schedule=follows) == ("calm", follows, None)
    assert calm(recipe="auto", discriminator="projected") == short  # trains as its source says
    assert calm(recipe="calm", steps=1) == whole
    assert calm(recipe="auto", steps=3124) == short  # in batches of 32, if nobody says another size
    assert calm(recipe="calm", preset="r3gan") == ("calm", None, None)  # has its own
    sagan = "g_learning_rate=0.0002:1e-05,d_learning_rate=0.0008:4e-05"
    assert calm(recipe="calm", preset="sagan") == ("calm", sagan, 10_000)
    with pytest.raises(kgan.InputError, match=r"for GANs\. Received: the preset autoencoder"):
        calm(recipe="calm", preset="autoencoder")


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """Twenty pictures in two classes as an array file, and a run of `kgan train` on them."""
    place = tmp_path_factory.mktemp("few")
    images = np.random.default_rng(0).integers(0, 256, (20, 16, 16), np.uint8)
    np.savez(place / "noise.npz", images=images, labels=[0] * 17 + [1] * 3)
    average = ["--ema-half-life-images", "1e6"]
    arguments = [str(place / "noise.npz"), *SMALL, *average, "--out", str(place)]
    assert main(["train", *arguments, "--name", "own"]) == 0
    return place


def config(run):
    return json.loads((run / "config.json").read_text())


def header(run):
    words = heading.of_options(Run.open(run).options, goal.Progress(0, 0.0, 1))
    return f"{words['preset']}\n{words['batches']}"


def test_kgan_train_takes_it_and_says_so(few):
    assert {name: config(few / "own")[name] for name in OWN} == OWN
    assert (
        "; recipe for few pictures: DiffAugment color,translation,cutout, LeCam 1e-06, "
        "minibatch standard deviation (--recipe none for none of it)"
    ) in header(few / "own")
    gan = kgan.load_gan(few / "own")
    assert gan.discriminator.minibatch_stddev
    assert int(gan.lecam_anchors.batches) == 1
    # Its judgement of an image depends on no other: the choice does not on the batch.
    chosen = [gan.generate(3, nice=4, batch_size=size) for size in (2, 5)]
    np.testing.assert_array_equal(*chosen)


@pytest.mark.slow
def test_a_preset_that_is_named_trains_as_its_source_says(few, tmp_path):
    arguments = [str(few / "noise.npz"), *SMALL, "--out", str(tmp_path), "--preset", "dcgan"]
    assert main(["train", *arguments, "--name", "named"]) == 0
    written = config(tmp_path / "named")
    assert (written["recipe"], written["lecam"], written["minibatch_stddev"]) == ("none", 0, False)
    assert "recipe" not in header(tmp_path / "named")


@pytest.mark.slow
def test_fine_tuning_keeps_frozen_layers_and_restarts_the_average(few, tmp_path):
    changes = {"data": str(few / "noise.npz"), "batch_size": 8, "steps": 1, "balance": True}
    options = options_like(few / "own", freeze_d=1, g_learning_rate=0.02, **changes)
    run = Run.create(options, tmp_path / "tuned")
    run.train()
    assert config(tmp_path / "tuned")["frozen"] == "down_8x8"
    assert header(tmp_path / "tuned").count("; every class as often as another") == 1
    assert header(tmp_path / "tuned").count("; not trained: down_8x8") == 1
    Run.open(tmp_path / "tuned").train(steps=1)
    before, after = kgan.load_gan(few / "own"), kgan.load_gan(tmp_path / "tuned")
    assert after.frozen_d_layers == ["down_8x8"]
    pairs = zip(before.discriminator.weights, after.discriminator.weights, strict=True)
    same = {two.path.split("/")[-2] for one, two in pairs if np.array_equal(one, two)}
    assert same == {"down_8x8"}
    # After two steps the average is where the generator went, not where the other run was.
    trios = zip(
        before.generator.trainable_variables,
        after.generator.trainable_variables,
        after.ema_generator.variables,
        strict=False,
    )
    ways = [
        (np.abs(new - old).sum(), np.abs(new - mean).sum())
        for old, new, mean in trios
        if old.shape == mean.shape
    ]
    assert sum(left for _, left in ways) < 0.5 * sum(moved for moved, _ in ways)


def test_mistakes_are_one_line(few):
    with pytest.raises(kgan.InputError, match=r"goes with --from\. Received: --freeze-d 2"):
        RunOptions(freeze_d=2)
    options = options_like(few / "own", data=str(few / "noise.npz"), freeze_d=3)
    with pytest.raises(kgan.InputError, match=r"from 1 to 2 can be frozen\. Received: 3"):
        Run.create(options, few / "wrong")
    images = np.zeros((8, 16, 16), np.uint8)
    np.save(few / "plain.npy", images)
    options = RunOptions(data=str(few / "plain.npy"), balance=True, batch_size=4, filters=1)
    with pytest.raises(kgan.InputError, match="These pictures have no labels"):
        Run.create(options, few / "wrong")
    assert not (few / "wrong").exists()
