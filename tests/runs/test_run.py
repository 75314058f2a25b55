"""A run remembers its goal, changes what can change, and starts from another's weights."""

import dataclasses
import json

import numpy as np
import pytest

import kgan
from kgan.cli.main import main
from kgan.runs import Run, RunOptions, options_like, quality
from kgan.runs.goal import Progress, seconds_left, steps_left, with_goal
from kgan.watch.followed_run import FollowedRun

SMALL = {"size": (16, 16), "filters": 2, "latent_dim": 8, "batch_size": 600}  # ten steps an epoch


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of twelve steps, with options of its own."""
    directory = tmp_path_factory.mktemp("runs") / "trained"
    options = RunOptions(
        **SMALL,
        steps=12,
        loss="bce",
        label_smoothing=0.1,
        r1_gamma=0.5,
        d_steps=2,
        d_update="sequential",
        reuse_fakes=True,
        remat=True,
        g_learning_rate=1e-3,
        learning_rate=2e-3,
        latents="uniform",
        jit_compile="off",
        sample_every="5",
        checkpoint_every="4",
        ema_half_life_images=100,
    )
    result = Run.create(options, directory).train()
    assert (result.steps, result.interrupted) == (12, False)
    return directory


def config(directory):
    return json.loads((directory / "config.json").read_text())


def test_options_reach_the_model_and_config_json(trained):
    gan = kgan.load_gan(trained)
    loss = gan.adversarial_loss
    assert (type(loss).__name__, loss.label_smoothing, loss.r1_gamma) == ("BCE", 0.1, 0.5)
    assert (gan.d_steps, gan.d_update, gan.latent_distribution) == (2, "sequential", "uniform")
    assert (gan.redraw_latents, gan.remat) == (False, True)
    rates = [float(o.learning_rate.numpy()) for o in (gan.g_optimizer, gan.d_optimizer)]
    np.testing.assert_allclose(rates, [1e-3, 2e-3], rtol=1e-6)
    assert gan.jit_compile is False
    written = config(trained)
    assert (written["g_learning_rate"], written["d_learning_rate"]) == (1e-3, 2e-3)
    assert (written["latents"], written["r2_gamma"], written["loss"]) == ("uniform", 0.0, "bce")
    assert (written["steps"], written["reuse_fakes"]) == (12, True)
    sheets = sorted(path.name for path in (trained / "samples").glob("step-*.png"))
    assert sheets == [f"step-{step:06d}.png" for step in (0, 5, 10, 12)]


def test_a_resume_at_the_goal_trains_and_writes_nothing_and_its_page_says_so(trained):
    assert FollowedRun(trained).news()["words"] == "Ended: its goal is reached."
    path = trained / "config.json"
    before, text = path.stat(), path.read_text()
    assert Run.open(trained).train().steps == 0
    assert Run.open(trained, sample_every="7").train().steps == 0
    with pytest.raises(kgan.InputError, match="what can change is"):
        Run.open(trained, seed=3)
    assert (path.stat().st_mtime_ns, path.read_text()) == (before.st_mtime_ns, text)
    assert FollowedRun(trained).news()["words"] == "Ended: its goal is reached."


@pytest.mark.slow
def test_a_run_that_stopped_early_goes_on_to_its_goal(tmp_path, capsys):
    run = Run.create(RunOptions(**SMALL, epochs=2), tmp_path / "run")
    first = run.train(steps=3)  # stands for a kill: the goal is put back below
    assert first.steps == 3
    path = tmp_path / "run" / "config.json"
    path.write_text(json.dumps(config(tmp_path / "run") | {"steps": None, "epochs": 2}))
    assert main(["train", "--resume", str(tmp_path / "run")]) == 0
    said = capsys.readouterr()
    assert "3 steps done, 17 more, 20 in all" in said.err
    assert int(kgan.load_gan(tmp_path / "run").batches_seen) == 20
    # Asked again it says that it is done; more is counted on top, and is the new goal.
    assert main(["train", "--resume", str(tmp_path / "run")]) == 0
    assert "has reached its goal" in capsys.readouterr().out
    arguments = ["--epochs", "1", "--learning-rate", "0.003", "--sample-every", "7"]
    assert main(["train", "--resume", str(tmp_path / "run"), *arguments]) == 0
    gan = kgan.load_gan(tmp_path / "run")
    assert int(gan.batches_seen) == 30
    assert float(gan.g_optimizer.learning_rate.numpy()) == pytest.approx(0.003)
    written = config(tmp_path / "run")
    assert (written["epochs"], written["d_learning_rate"]) == (3, 0.003)
    assert written["sample_every"] == "7"
    assert (tmp_path / "run" / "samples" / "step-000027.png").exists()


def test_goals_are_counted_from_the_beginning():
    done = Progress(steps=25, seconds=90.0, epoch_steps=10)
    options = RunOptions(epochs=4)
    assert with_goal(options, done, {}) is options
    assert steps_left(options, done) == 15
    assert steps_left(with_goal(options, done, {"epochs": 1}), done) == 5  # the begun one
    assert with_goal(options, done, {"steps": 7}) == RunOptions(steps=32)
    timed = with_goal(options, done, {"minutes": 2.0, "steps": None})
    assert (timed.minutes, timed.epochs) == (3.5, None)
    assert (steps_left(timed, done), seconds_left(timed, done)) == (None, 120.0)
    assert seconds_left(RunOptions(minutes=1.0), done) == 0.0
    unknown = with_goal(RunOptions(), done, {})  # of a version that kept none: 25 epochs more
    assert steps_left(unknown, done) == 25 * 10 - 5


@pytest.mark.slow
def test_minutes_are_remembered(tmp_path):
    run = Run.create(RunOptions(**SMALL), tmp_path / "run")
    run.train(minutes=0.02)
    seconds = json.loads((tmp_path / "run" / "progress.json").read_text())["seconds"]
    assert seconds >= 1.2
    assert Run.open(tmp_path / "run").train().steps == 0
    more = Run.open(tmp_path / "run").train(minutes=0.01)
    assert more.steps > 0
    assert config(tmp_path / "run")["minutes"] == pytest.approx(seconds / 60 + 0.01, abs=1e-3)


@pytest.mark.slow
def test_data_that_have_changed_are_told_on_resume(tmp_path, caplog):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (32, 16, 16), np.uint8)
    np.savez(tmp_path / "noise.npz", images=images)
    options = RunOptions(data=str(tmp_path / "noise.npz"), preset="gan", batch_size=16, steps=1)
    Run.create(options, tmp_path / "run").train()

    def told():
        caplog.clear()
        assert Run.open(tmp_path / "run").train(steps=1).steps == 1
        return [line for line in caplog.messages if "have changed" in line]

    assert told() == []
    images[0, 0, 0] ^= 1
    np.savez(tmp_path / "noise.npz", images=images)
    assert told() == [
        "the data have changed since this run was last trained (array file noise.npz): "
        "it trains on, but not as if it had never stopped"
    ]
    assert told() == []  # these are its data now


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["folder", "array"])
def test_a_run_that_holds_images_out_resumes_exactly(tmp_path, kind):
    noise = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 1), np.uint8)
    data = tmp_path / "noise.npz"
    np.savez(data, images=noise)
    if kind == "folder":
        data = tmp_path / "noise"
        for index, image in enumerate(noise):
            kgan.images.save_png(data / f"{index}.png", image)
    options = RunOptions(data=str(data), **(SMALL | {"batch_size": 4}), hold_out=0.25, steps=15)
    whole = Run.create(options, tmp_path / "whole")
    whole.train()
    parts = Run.create(dataclasses.replace(options, steps=4), tmp_path / "parts")
    parts.train()
    Run.open(tmp_path / "parts").train(steps=11)
    pictures = [kgan.load_gan(tmp_path / name).generate(4) for name in ("whole", "parts")]
    np.testing.assert_array_equal(*pictures)
    # More than an epoch, in which a held-out image would have been met.
    assert whole.options.hold_out == 0.25
    source = kgan.data.open_source(data, image_shape=(16, 16, 1))
    held, trained = quality.parts(source, whole.options)
    assert len(held) > 4
    assert len(trained) == quality.to_train_on(source, whole.options).good == 40 - len(held)


@pytest.mark.slow
def test_a_new_run_starts_from_the_weights_of_another(trained, tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "noise.npz", images=rng.integers(0, 256, (32, 16, 16), np.uint8))
    before = kgan.load_gan(trained)
    command = ["train", str(tmp_path / "noise.npz"), "--from", str(trained), "--batch-size", "16"]
    more = ["--steps", "1", "--learning-rate", "1e-9", "--out", str(tmp_path), "--name", "tuned"]
    assert main([*command, *more]) == 0
    tuned = kgan.load_gan(tmp_path / "tuned")
    assert int(tuned.batches_seen) == 1
    for role in ("generator", "discriminator"):
        pairs = zip(getattr(tuned, role).weights, getattr(before, role).weights, strict=True)
        for weight, source in pairs:
            if weight.trainable:
                np.testing.assert_allclose(weight.numpy(), source.numpy(), atol=1e-6)
    written = config(tmp_path / "tuned")
    assert (written["preset"], written["filters"], written["latents"]) == ("dcgan", 2, "uniform")
    assert written["start_from"] == str(trained)
    # A kill before the first checkpoint: it starts from the same weights again.
    for name in ("model.keras", "checkpoints/last.keras"):
        (tmp_path / "tuned" / name).unlink()
    assert main(["train", "--resume", str(tmp_path / "tuned")]) == 0
    again = kgan.load_gan(tmp_path / "tuned")
    for weight, twin in zip(again.weights, tuned.weights, strict=True):
        np.testing.assert_allclose(weight.numpy(), twin.numpy(), atol=1e-5)


def test_what_a_run_cannot_start_from(trained, tmp_path):
    options = options_like(trained, filters=4, steps=1)
    with pytest.raises(kgan.InputError, match=r"same preset, size, .* Received: .*trained"):
        Run.create(options, tmp_path / "other")
    with pytest.raises(kgan.InputError, match="of an Autoencoder starts from"):
        Run.create(
            options_like(
                trained,
                preset="autoencoder",
                latents=None,
                conditional=False,
                ema_half_life_images=None,
                filters=None,
            ),
            tmp_path / "other",
        )
    with pytest.raises(kgan.InputError, match="No such model"):
        options_like(tmp_path / "missing")
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"loss": "hinge", "label_smoothing": 0.1}, "losses bce and minimax only. .* loss hinge"),
        ({"preset": "autoencoder", "d_steps": 2}, "--d-steps applies to GANs only"),
        ({"preset": "autoencoder", "reuse_fakes": True}, "--reuse-fakes applies to GANs only"),
        ({"preset": "autoencoder", "remat": True}, "--remat applies to GANs only"),
        ({"preset": "dcgan9"}, "Unknown preset"),
    ],
    ids=str,
)
def test_options_that_do_not_go_together(tmp_path, changes, says):
    base = {"size": (16, 16)}
    with pytest.raises(kgan.InputError, match=says):
        Run.create(RunOptions(**base | changes), tmp_path / "run")
    assert not any(tmp_path.iterdir())
