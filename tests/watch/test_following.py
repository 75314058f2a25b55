"""What is read of a run: its curves within bounds, exactly, and whatever happens to the files."""

import csv
import json
import math
import os
import shlex
import shutil
import time

import numpy as np
import pytest
import tensorflow as tf

from kgan.callbacks.board import Board
from kgan.callbacks.curves_picture import TABLE
from kgan.commands import resuming
from kgan.images import save_png
from kgan.runs.directory import CURVES_FILE
from kgan.watch.event_log import EventLog
from kgan.watch.followed_run import FollowedRun
from kgan.watch.series import MOST_POINTS, Series
from kgan.watch.table_rows import TableRows
from tests.watch.conftest import STEPS, d_loss


def points(news, name, kind="log"):
    return news[kind][name]["points"]


def test_a_long_series_keeps_means_of_neighbours():
    series, values = Series(), np.random.default_rng(0).normal(size=100_000)
    for step, value in enumerate(values):
        series.add(10 * step, value, step + 1)
    told = series.since(None)
    assert told["stride"] == 64
    assert MOST_POINTS / 2 <= len(told["points"]) < MOST_POINTS
    whole = len(values) // 64
    means = values[: 64 * whole].reshape(-1, 64).mean(axis=1)
    np.testing.assert_allclose([value for _, value in told["points"]], means, rtol=1e-5, atol=1e-6)
    assert [step for step, _ in told["points"]] == [10 * (64 * i + 63) for i in range(whole)]
    assert told["last"] == [999_990, pytest.approx(values[-1], rel=1e-5)]


def test_a_reader_who_asks_for_news_has_what_one_has_who_asks_for_all():
    series, have, asked, rng = Series(), [], 0, np.random.default_rng(1)
    step = 0
    for serial in range(1, 9000):
        step = step - 300 if serial % 1100 == 0 else step + 1  # back to a checkpoint at times
        series.add(step, float(serial), serial)
        if rng.random() < 0.02:
            new = series.since(asked)
            have = new["points"] if new["whole"] else have + new["points"]
            asked = serial
            assert have == series.since(None)["points"]
            assert series.since(asked) is None
    assert series.since(None)["stride"] > 1


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e308])
def test_what_is_no_finite_number_is_left_out(value):
    series = Series()
    series.add(1, value, 1)
    series.add(-1, 1.0, 2)
    assert series.since(None)["points"] == []


def test_a_log_is_read_as_tensorflow_reads_it(run):
    told = FollowedRun(run).news()
    (file,) = (run / "logs").iterdir()
    own = {}
    for event in tf.compat.v1.train.summary_iterator(str(file)):
        for value in event.summary.value:
            if value.tensor.dtype == tf.float32:
                one = float(tf.make_ndarray(value.tensor))
                own.setdefault(value.tag, []).append([event.step, pytest.approx(one, rel=1e-5)])
    assert {name: series["points"] for name, series in told["log"].items()} == own
    expected = [[step, pytest.approx(d_loss(step), rel=1e-5)] for step in STEPS]
    assert points(told, "d_loss") == expected
    assert [word["step"] for word in told["doctor"]] == [400, 600]
    assert [word["over"] for word in told["doctor"]] == [False, True]


def test_a_log_that_is_being_written_is_read_to_its_last_whole_record(run):
    (file,) = (run / "logs").iterdir()
    whole = file.read_bytes()
    log, found = EventLog(run / "logs"), []
    for size in [*range(0, len(whole), 977), len(whole)]:
        file.write_bytes(whole[:size])
        found += log.read()
    assert found == list(EventLog(run / "logs").read())
    assert len(found) > 4 * len(STEPS)


def test_large_records_are_passed_over_and_damage_does_no_harm(run):
    board = Board(run / "logs" / "other")
    board.image(1, "samples", np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8))
    board.scalars(2, {"after": 3.0})
    (file,) = (run / "logs" / "other").iterdir()
    assert file.stat().st_size > 2**17
    assert [(one.name, one.value) for one in EventLog(file.parent).read()] == [("after", 3.0)]
    data = bytearray(file.read_bytes())
    for seed in range(200):
        rng = np.random.default_rng(seed)
        data[rng.integers(0, 60)] = rng.integers(0, 256)
        file.write_bytes(data)
        list(EventLog(file.parent).read())


def test_a_resumed_training_replaces_what_was_lost(run):
    followed = FollowedRun(run)
    asked = followed.news()["serial"]
    log = next((run / "logs").iterdir())
    resumed = run / "logs" / log.name.replace("tfevents.", "tfevents.9")  # a later time
    Board(run / "resumed").scalars(500, {"d_loss": 9.0})
    shutil.move(next((run / "resumed").iterdir()), resumed)
    told = followed.news(asked, followed.session)["log"]["d_loss"]
    assert told["whole"]
    before = [[step, pytest.approx(d_loss(step), rel=1e-5)] for step in STEPS if step < 500]
    assert told["points"] == [*before, [500, 9.0]]


def test_a_history_is_read_on_from_where_it_was_left(run):
    followed = FollowedRun(run)
    told = followed.news()
    assert points(told, "kernel_distance", "history") == [[500, 0.3], [1000, 0.2]]
    with (run / "history.csv").open("a") as file:
        file.write("2,1500,1.2,0.1")  # its end is not written yet
        file.flush()
        told = followed.news(told["serial"], told["session"])
        assert told["history"] == {}
        file.write("5\n")
    told = followed.news(told["serial"], told["session"])
    assert told["history"]["kernel_distance"] == {
        "whole": False, "points": [[1500, 0.15]], "stride": 1, "last": [1500, 0.15],
    }  # fmt: skip


def test_a_history_that_was_written_anew_replaces_the_old_one(run):
    followed = FollowedRun(run)
    told = followed.news()
    with (run / "new").open("w", newline="") as file:
        csv.writer(file).writerows([["epoch", "batches_seen", "d_loss"], [0, 500, 1.0]])
    os.replace(run / "new", run / "history.csv")
    told = followed.news(told["serial"], told["session"])
    assert told["history"]["d_loss"]["points"] == [[500, 1.0]]
    assert told["history"]["kernel_distance"]["points"] == []


HEADER = b"epoch,batches_seen,d_loss\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (HEADER + b"0,500,1\n", HEADER + b"0,400,1\n1,900,2\n"),
        (HEADER + b"0,500,1\n" * 99, b"epoch,batches_seen,g_loss\n" + b"0,500,1\n" * 99),
    ],
)
def test_a_file_with_the_number_of_a_removed_one_is_another(tmp_path, before, after):
    path = tmp_path / "history.csv"
    path.write_bytes(before)
    table = TableRows(path, "batches_seen")
    assert not table.begins_anew()
    assert len(list(table.read())) == before.count(b"500")
    with path.open("ab") as file:
        file.write(b"8,950,3\n")
    assert not table.begins_anew()
    assert list(table.read()) == [(950, {"epoch": 8.0, "d_loss": 3.0})]
    number = path.stat().st_ino
    path.write_bytes(after + b"8,950,3\n9,999,4\n")  # in its place
    assert path.stat().st_ino == number
    assert table.begins_anew()
    assert len(list(table.read())) == after.count(b"\n") + 1
    assert not table.begins_anew()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", None),
        (b"a,b\n1,2\n", "no column batches_seen"),
        (b"\xff\xfe\x00\n", "no column batches_seen"),
        (b"x" * 2**19, "a line of more than"),
        (b'epoch,batches_seen\n"unended\n1,nan\n2,1e999\n,\nx,y\n', None),
    ],
)
def test_a_history_that_is_none_is_said_calmly(run, content, says):
    (run / "history.csv").write_bytes(content)
    told = FollowedRun(run).news()
    assert told["history"] == {}
    assert [says in note for note in told["notes"]] == ([] if says is None else [True])


def test_a_hundred_thousand_rows_stay_small_and_are_read_in_parts(run):
    rows = "".join(f"{epoch},{epoch + 1},{epoch / 7},0.5\n" for epoch in range(100_000))
    (run / "history.csv").write_text("epoch,batches_seen,d_loss,g_loss\n" + rows)
    followed = FollowedRun(run)
    assert followed.news(seconds=0.0)["share"] < 1.0
    shares = [followed.news(seconds=0.02)["share"] for _ in range(2)]
    assert shares[0] < shares[1] < 1.0
    told = followed.news()
    assert told["share"] == 1.0
    assert told["history"]["d_loss"]["last"] == [100_000, pytest.approx(99_999 / 7, rel=1e-5)]
    assert len(json.dumps(told)) < 400_000


def test_how_far_it_is_and_how_fast(run):
    told = FollowedRun(run).news()
    facts = told["facts"]
    assert told["state"] == "training"
    assert (facts["step"], facts["steps"]) == (1000, 2000)
    assert (facts["epoch"], facts["epochs"]) == (2, 4)
    assert facts["share"] == 0.5
    batch = dict(told["settings"])["batch_size"]
    steps_per_second = facts["images_per_second"] / int(batch)
    assert facts["seconds_left"] == pytest.approx(1000 / steps_per_second, rel=1e-3)
    assert facts["seconds"] == pytest.approx(60, abs=30)


def test_the_pause_before_a_resume_is_no_training(run):
    an_hour_ago = time.time() - 3600
    os.utime(run / "progress.json", (an_hour_ago, an_hour_ago))
    os.utime(run / "config.json")  # as a training begins
    told = FollowedRun(run).news()
    assert told["state"] == "training"
    assert told["facts"]["seconds"] == pytest.approx(60, abs=30)


def test_a_copys_step_is_the_logs_and_the_historys_not_the_newest_files(run):
    now = time.time()
    with (run / "history.csv").open("a") as file:
        file.write("2,1500,1.2,0.1\n")  # later than the log's last, 1,000
    save_png(run / "samples" / "step-002000.png", np.zeros((4, 4, 3), np.uint8))  # not trained
    for later, name in enumerate(("history.csv", "samples/step-000200.png")):
        os.utime(run / name, (now + later, now + later))
    followed = FollowedRun(run)
    assert followed.news()["facts"]["step"] == 1500
    # A training that goes back removes the rows behind its checkpoint.
    (run / "new").write_text("epoch,batches_seen,d_loss,kernel_distance\n")
    os.replace(run / "new", run / "history.csv")
    assert followed.news()["facts"]["step"] == 1000
    (run / "history.csv").unlink()
    shutil.rmtree(run / "logs")
    assert FollowedRun(run).news()["facts"]["step"] == 2000


def test_the_states_of_a_run(run, tmp_path):
    later = FollowedRun(tmp_path / "later")
    assert later.news()["state"] == "waiting"
    shutil.copytree(run, tmp_path / "later")
    assert later.news()["state"] == "training"
    old = time.time() - 1000
    for path in (tmp_path / "later").rglob("*"):
        os.utime(path, (old, old))
    # The log's own times are those of its writing.
    (tmp_path / "later" / "logs").rename(tmp_path / "logs")
    silent = FollowedRun(tmp_path / "later").news()
    assert silent["state"] == "silent"
    assert "kgan train --resume" in silent["words"]
    (tmp_path / "later" / "model.keras").write_bytes(b"")
    assert FollowedRun(tmp_path / "later").news()["words"].startswith("Ended before its goal")
    os.utime(tmp_path / "later" / "model.keras", (old, old))
    os.utime(tmp_path / "later" / "config.json")  # it is resumed
    assert FollowedRun(tmp_path / "later").news()["state"] == "training"
    shutil.rmtree(tmp_path / "later")
    gone = later.news()
    assert gone["state"] == "gone"
    assert points(gone, "d_loss")


def test_the_command_to_go_on_is_quoted_as_a_shell_takes_it(run, tmp_path):
    directory = run.rename(tmp_path / "my clothes; echo")
    (directory / "model.keras").write_bytes(b"")
    words = FollowedRun(directory).news()["words"]
    assert words == f"Ended before its goal. To go on: {resuming(directory)}"
    assert shlex.split(words)[-2:] == ["--resume", str(directory)]


def test_the_table_of_curves_has_the_name_that_its_writer_gives_it():
    assert CURVES_FILE == TABLE
