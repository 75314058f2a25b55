"""A run's directory: the state that counts, a true history, no leftovers, one trainer."""

import csv
import os
import shutil
from pathlib import Path

import pytest

import kgan
from kgan.callbacks import StopAfter
from kgan.callbacks.csv_history import CSVHistory
from kgan.files import whole_file
from kgan.runs.directory import check_place, held, make_directory
from kgan.runs.load import find_model
from kgan.runs.options import RunOptions


@pytest.fixture
def states(tmp_path, small_gan):
    """A function that writes a run whose two states have been trained so many batches."""

    def write(final, checkpoint):
        for name, batches in (("model", final), ("checkpoints/last", checkpoint)):
            small_gan.batches_seen.assign(batches)
            (tmp_path / "checkpoints").mkdir(exist_ok=True)
            small_gan.save(tmp_path / f"{name}.keras")
        return tmp_path / "model.keras", tmp_path / "checkpoints" / "last.keras"

    return write


def test_the_state_trained_furthest_counts_whatever_the_clock_says(tmp_path, states):
    final, checkpoint = states(4, 7)
    os.utime(checkpoint, (1, 1))
    assert find_model(tmp_path) == checkpoint
    final, checkpoint = states(7, 4)
    os.utime(final, (1, 1))
    assert find_model(tmp_path) == final
    copy = tmp_path.parent / f"{tmp_path.name}-copy"
    shutil.copytree(tmp_path, copy, copy_function=shutil.copyfile)
    assert find_model(copy) == copy / "model.keras"


def test_a_state_that_cannot_be_read_counts_for_nothing(tmp_path, states):
    final, checkpoint = states(7, 4)
    final.write_bytes(b"")  # as a power cut leaves a file that was never on the disk
    assert find_model(tmp_path) == checkpoint
    assert int(kgan.load_gan(tmp_path).batches_seen) == 4


def rows(path):
    with path.open(newline="") as file:
        return [(row["epoch"], row["batches_seen"]) for row in csv.DictReader(file)]


@pytest.mark.slow
def test_history_forgets_what_the_weights_do_not_have(tmp_path, small_gan, real_images):
    path = tmp_path / "history.csv"

    def fit(seen, steps):
        small_gan.batches_seen.assign(seen)
        callbacks = [CSVHistory(path), StopAfter(steps)]
        small_gan.fit(
            real_images,
            batch_size=16,
            initial_epoch=seen // 4,
            epochs=99,
            callbacks=callbacks,
            verbose=0,
        )

    fit(0, 12)
    assert rows(path) == [("0", "4"), ("1", "8"), ("2", "12")]
    text = path.read_text()
    path.write_text(text[:-9])  # killed within a write
    fit(9, 5)
    assert rows(path) == [("0", "4"), ("1", "8"), ("2", "13"), ("3", "14")]
    assert path.read_text().startswith(text[: text.rindex("\n2,") + 1])
    with path.open(newline="") as file:
        (*_, last) = csv.DictReader(file)
    assert float(last["d_loss"]) == pytest.approx(float(small_gan.history.history["d_loss"][-1]))


def test_a_figure_that_is_new_gets_a_column(tmp_path, small_gan):
    path = tmp_path / "history.csv"
    path.write_text("epoch,batches_seen,loss\n0,0,0.5\n")
    history = CSVHistory(path)
    history.set_model(small_gan)
    history.on_train_begin()
    history.on_epoch_end(1, {"loss": 0.25, "penalty": 2.0})
    with path.open(newline="") as file:
        read = list(csv.DictReader(file))
    assert [row["loss"] for row in read] == ["0.5", "0.25"]
    assert [row["penalty"] for row in read] == ["", "2.0"]


def test_leftovers_of_killed_writers_go_and_nothing_else(tmp_path):
    run = tmp_path / "run"
    make_directory(run, RunOptions())
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    kept = ["samples/step-000000.png", "samples/.hidden.png", "checkpoints/last.keras", "notes.txt"]
    gone = []
    for name in (*kept, "model.keras", "history.csv", "skipped.json"):
        path = run / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("whole")
        if not path.name.startswith((".", "notes")):
            cut = whole_file(path)
            gone.append(cut.__enter__())
            cut._hidden.release()  # its process is killed
    gone.append(run / "checkpoints" / "tmpa1b2c3d4")  # Keras's own, where memory is short
    gone[-1].touch()
    with held(run):
        assert not any(path.exists() for path in gone)
        assert all((run / name).read_text() == "whole" for name in kept)
        with whole_file(run / "model.keras") as writing:
            writing.write_text("new")
            with pytest.raises(kgan.InputError, match=r"Another process .* Received: .*run"):
                held(run).__enter__()
            assert writing.exists()  # its writer is alive
    with held(run):
        assert (run / "model.keras").read_text() == "new"


def test_a_directory_that_cannot_be_made_leaves_nothing(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(kgan.InputError, match="Cannot make the run there"):
        make_directory(tmp_path / "file" / "run", RunOptions())
    with pytest.raises(kgan.InputError, match=r"/file is not a directory\. Received: .*/a/run$"):
        check_place(tmp_path / "file" / "a" / "run")
    check_place(tmp_path / "new" / "run")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.txt").touch()
    with pytest.raises(kgan.InputError, match="Cannot make the run there"):
        make_directory(tmp_path / "run", RunOptions())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "run"]


@pytest.mark.parametrize("given", ["s3://bucket/runs/a", "gs://bucket/a", "hdfs://a/b"])
def test_a_store_of_objects_is_no_place_for_a_run(given):
    with pytest.raises(kgan.InputError, match=rf"mount the store.* Received: {given}$"):
        check_place(Path(given))
    check_place(Path("C:/runs/a"))
