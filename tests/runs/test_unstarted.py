"""A run that was ended before its first step does not block its name."""

import os
import shutil
import signal

import pytest

import kgan
from kgan.callbacks import StopAfter
from kgan.callbacks.checkpoint import Checkpoint
from kgan.runs import Run, RunOptions
from kgan.runs.directory import LOCK_FILE, held, make_directory, read_options
from kgan.runs.unstarted import begin_anew, is_unstarted
from kgan.training.saving import save_whole

OPTIONS = {"size": (16, 16), "filters": 2, "batch_size": 100, "steps": 2}


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    """A run's directory as a kill before the first step leaves it, the furthest."""
    run = tmp_path_factory.mktemp("left") / "run"
    gan = kgan.GAN.from_preset("dcgan", image_shape=(16, 16, 1), filters=2)
    gan.compile()
    make_directory(run, RunOptions(**OPTIONS, seed=1))
    save_whole(gan, run / "checkpoints" / "last.keras")
    sheet = kgan.images.grid(gan.generate(1))
    for name in ("step-000000.png", "latest.png"):
        kgan.images.save_png(run / "samples" / name, sheet)
    for name in (LOCK_FILE, "progress.json", ".kgan-0123abcdefgh.json"):
        (run / name).touch()
    return run


@pytest.fixture
def place(tmp_path, left):
    """A copy of it."""
    return shutil.copytree(left, tmp_path / "run")


def test_it_begins_anew_with_its_new_options(place, caplog):
    elsewhere = place.parent / "logs"
    elsewhere.mkdir()
    (elsewhere / "kept.txt").touch()
    (place / "logs").symlink_to(elsewhere)
    assert is_unstarted(place)
    Run.create(RunOptions(**OPTIONS, seed=2), place)
    assert (elsewhere / "kept.txt").exists()
    assert read_options(place).seed == 2
    assert {path.name for path in place.iterdir()} == {"config.json", LOCK_FILE}
    assert "a run of this name took no step: begun anew" in caplog.text
    empty = place.parent / "empty"
    for names in ((), (LOCK_FILE,)):
        empty.mkdir(exist_ok=True)
        for name in names:
            (empty / name).touch()
        caplog.clear()
        Run.create(RunOptions(**OPTIONS), empty)
        assert read_options(empty).steps == 2
        assert not caplog.text
        (empty / "config.json").unlink()


@pytest.mark.parametrize(
    "name",
    [
        *("notes.txt", "model.keras", "history.csv", "samples/step-000001.png", "samples/a.png"),
        "checkpoints/best.keras",
    ],
)
def test_what_holds_more_stays(place, name):
    (place / name).touch()
    assert not is_unstarted(place)
    with pytest.raises(kgan.InputError, match=r"This run exists; choose another name or resume"):
        Run.create(RunOptions(**OPTIONS), place)
    assert (place / "checkpoints" / "last.keras").exists()


def test_what_was_trained_cannot_be_read_or_is_in_training_stays(place, trained_gan):
    checkpoint = place / "checkpoints" / "last.keras"
    begun = checkpoint.read_bytes()
    save_whole(trained_gan, checkpoint)
    assert not is_unstarted(place)
    checkpoint.write_bytes(begun[:100])
    assert not is_unstarted(place)
    checkpoint.write_bytes(begun)
    with held(place), pytest.raises(kgan.InputError, match="Another process is training this run"):
        begin_anew(place, RunOptions(**OPTIONS))
    assert checkpoint.exists()


class SaysStop(StopAfter):
    def on_train_begin(self, logs=None):
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)  # at once


@pytest.mark.slow
def test_one_interrupted_before_its_first_step_leaves_nothing(tmp_path, monkeypatch):
    run = Run.create(RunOptions(**OPTIONS), tmp_path / "runs" / "run")
    monkeypatch.setattr("kgan.runs.run.StopAfter", SaysStop)
    with pytest.raises(KeyboardInterrupt):
        run.train()
    assert not (tmp_path / "runs").exists()
    monkeypatch.undo()
    # A later one, and one that is resumed, keep what they have.
    Run.create(RunOptions(**OPTIONS), run.directory)
    monkeypatch.setattr(Checkpoint, "on_train_begin", SaysStop.on_train_begin)
    with pytest.raises(KeyboardInterrupt):
        Run.open(run.directory).train()
    assert read_options(run.directory).steps == 2
