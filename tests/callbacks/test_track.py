"""Figures in experiment trackers: each that is installed, itself, with its data on this machine."""

import configparser
import importlib.util
import json
import struct
import sys
from types import SimpleNamespace
from typing import ClassVar

import keras
import pytest

import kgan
from kgan.callbacks.curves import PeriodicMeans
from kgan.callbacks.trackers import TRACKERS, Begun
from kgan.cli.main import main
from kgan.option_fields import options_of
from kgan.runs import Run, RunOptions
from kgan.runs.directory import write_options
from tests.documents import ROOT, blocks

INSTALLED = [name for name in TRACKERS if importlib.util.find_spec(name)]


@pytest.fixture(scope="module", autouse=True)
def place(tmp_path_factory):
    """Where the trackers keep what they are told."""
    place = tmp_path_factory.mktemp("tracked")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRACKIO_DIR", str(place / "trackio"))
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{place}/mlflow.db")
        patch.setenv("WANDB_MODE", "offline")
        patch.setenv("WANDB_DIR", str(place))
        yield place


class Record(PeriodicMeans):
    """Keeps what a tracker is to be told."""

    def on_train_begin(self, logs=None):
        self.points = {}
        super().on_train_begin(logs)

    def take(self, figures):
        self.points.setdefault(self.step, {}).update(figures)
        return True


class Quality(keras.callbacks.Callback):
    """Finds a figure in each epoch, as `Evaluate` does, and a name."""

    def on_epoch_end(self, epoch, logs=None):
        logs |= {"quality": 0.5 + epoch, "name": "no number"}


def told_trackio(place, key):
    from trackio.sqlite_storage import SQLiteStorage

    (name, _, key), points = key.rpartition("/"), {}
    for row in SQLiteStorage.get_logs("kgan", name, run_id=key):
        figures = {name: value for name, value in row.items() if isinstance(value, float)}
        points.setdefault(row["step"], {}).update(figures)
    return points, SQLiteStorage.get_run_config("kgan", name, run_id=key)


def told_mlflow(place, key):
    import mlflow

    client, points = mlflow.MlflowClient(), {}
    run = client.get_run(key)
    for name in run.data.metrics:
        for point in client.get_metric_history(key, name):
            points.setdefault(point.step, {})[name] = point.value
    assert run.info.status == "FINISHED"
    return points, {name: json.loads(value) for name, value in run.data.params.items()}


def records_of(data):
    """The records of a .wandb file: LevelDB's log format, after seven bytes of its own."""
    offset, record = 7, b""
    while offset < len(data):
        left = 2**15 - offset % 2**15  # of a block
        if left < 7:
            offset += left
            continue
        length, kind = struct.unpack_from("<HB", data, offset + 4)  # after a checksum
        record += data[offset + 7 : offset + 7 + length]
        offset += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield record
            record = b""


def told_wandb(place, key):
    from wandb.proto import wandb_internal_pb2

    points, config = {}, {}
    for file in place.rglob(f"run-{key}.wandb"):
        for data in records_of(file.read_bytes()):
            record = wandb_internal_pb2.Record.FromString(data)
            for item in record.run.config.update:
                config[item.key] = json.loads(item.value_json)
            row = {
                item.key or "/".join(item.nested_key): json.loads(item.value_json)
                for item in record.history.item
            }
            own = {name: value for name, value in row.items() if name[0] != "_"}
            if own:
                points.setdefault(row.get("_step", record.history.step.num), {}).update(own)
    return points, config


@pytest.mark.parametrize("tracker", INSTALLED)
def test_a_tracker_is_told_what_the_model_shows(place, traced_gan, real_images, tmp_path, tracker):
    told = globals()[f"told_{tracker}"]
    kept = tmp_path / "tracker.json"
    record = Record(every_steps=3)
    track = kgan.callbacks.Track(tracker, "clothes", kept=kept, config={"a": 1}, every_steps=3)
    expected = {}
    for epoch in (0, 2):
        traced_gan.fit(
            real_images[:32],
            batch_size=8,
            initial_epoch=epoch,
            epochs=epoch + 2,
            callbacks=[Quality(), record, track],
            verbose=0,
        )
        for step, figures in record.points.items():
            expected.setdefault(step, {}).update(figures)
    for step, quality in ((4, 0.5), (8, 1.5), (12, 2.5), (16, 3.5)):
        expected.setdefault(step, {})["quality"] = quality
    key = json.loads(kept.read_text())[tracker]
    points, config = told(place, key)
    assert list(sorted(points)) == [3, 4, 6, 8, 11, 12, 14, 16]
    assert {"g_loss", "d_loss", "skipped_updates"} <= set(points[3])
    assert points == {step: pytest.approx(figures) for step, figures in expected.items()}
    assert config["a"] == 1
    # A model that was never trained is another run, whatever was kept.
    traced_gan.batches_seen.assign(0)
    traced_gan.fit(real_images[:8], batch_size=8, callbacks=[track], verbose=0)
    assert json.loads(kept.read_text())[tracker] != key
    if tracker == "trackio":  # which finds runs by their names alone
        kept.write_text(json.dumps({tracker: key}))
        with pytest.raises(kgan.InputError, match="the name of a newer run"):
            traced_gan.fit(real_images[:8], batch_size=8, callbacks=[track], verbose=0)


@pytest.mark.parametrize("tracker", INSTALLED[:1])
def test_the_documents_line(traced_gan, real_images, tracker):
    (block,) = [each for each in blocks() if each.page == "docs/ecosystem.md" and each.run_by]
    assert '"trackio"' in block.text
    code = block.text.replace('"trackio"', repr(tracker))
    names = {"kgan": kgan, "gan": traced_gan, "images": real_images[:8]}
    exec(code.replace("epochs=2", "epochs=1, batch_size=8, verbose=0"), names)


@pytest.mark.slow
@pytest.mark.parametrize("tracker", INSTALLED[:1])
def test_a_resumed_run_goes_on_in_its_own(place, tmp_path, tracker, monkeypatch):
    small = {"preset": "gan", "size": (8, 8), "batch_size": 8, "jit_compile": "off"}
    run = Run.create(RunOptions(steps=2, track=tracker, **small), tmp_path / "clothes")
    run.train()
    key = json.loads((tmp_path / "clothes/tracker.json").read_text())
    Run.open(tmp_path / "clothes").train(steps=3)
    assert json.loads((tmp_path / "clothes/tracker.json").read_text()) == key
    points, config = globals()[f"told_{tracker}"](place, key[tracker])
    assert {2, 5} <= set(points)
    assert config["preset"] == "gan"
    ended = []
    monkeypatch.setattr(TRACKERS[tracker], "end", lambda run: ended.append(run))
    monkeypatch.setattr(kgan.callbacks.ProgressLine, "on_train_batch_end", Raise.on_train_batch_end)
    with pytest.raises(ArithmeticError):
        Run.open(tmp_path / "clothes").train(steps=1)
    assert len(ended) == 1


class Broken:
    """A tracker whose server goes away."""

    key = "broken"

    def __init__(self, library, begun):
        self.told = 0

    def log(self, figures, step):
        self.told += 1
        raise ConnectionError("no server\nat all")

    end = log


def test_one_that_fails_is_given_up_and_the_training_goes_on(
    traced_gan, real_images, monkeypatch, caplog
):
    monkeypatch.setitem(TRACKERS, "json", Broken)  # of any library that is there
    track = kgan.callbacks.Track("json", every_steps=1)
    traced_gan.fit(real_images[:32], batch_size=8, callbacks=[track], verbose=0)
    assert int(traced_gan.batches_seen.numpy()) == 4
    (record,) = caplog.records
    assert "json takes no more figures, and the training goes on: no server" in record.message
    monkeypatch.setattr(Broken, "__init__", lambda self, library, begun: self.log({}, 0))
    with pytest.raises(kgan.InputError, match=r"json cannot begin a run.* --track none"):
        traced_gan.fit(real_images[:8], batch_size=8, callbacks=[track], verbose=0)


class Kept:
    """A tracker that keeps when its runs begin and end."""

    key = "kept"
    told: ClassVar[list[str]] = []

    def __init__(self, library, begun):
        self.told.append("begin")

    def log(self, figures, step):
        pass

    def end(self):
        self.told.append("end")


class Raise(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        raise ArithmeticError


def test_the_run_of_a_training_that_raised_is_ended_by_the_next(
    traced_gan, real_images, monkeypatch, tmp_path
):
    monkeypatch.setitem(TRACKERS, "json", Kept)
    kept = tmp_path / "tracker.json"
    kept.write_text('{"wandb": "of another"}')
    traced_gan.batches_seen.assign(4)
    track = kgan.callbacks.Track("json", kept=kept)
    with pytest.raises(ArithmeticError):
        traced_gan.fit(real_images[:8], batch_size=8, callbacks=[track, Raise()], verbose=0)
    traced_gan.fit(real_images[:8], batch_size=8, callbacks=[track], verbose=0)
    assert Kept.told == ["begin", "end"] * 2
    assert json.loads(kept.read_text()) == {"wandb": "of another", "json": "kept"}


def test_a_run_of_mlflow_that_cannot_begin_is_no_run_that_goes_on():
    """MLflow itself fails so on settings of more characters than its server takes."""
    told = []

    class Client:
        def get_experiment_by_name(self, name):
            return SimpleNamespace(experiment_id="1")

        def create_run(self, place, run_name):
            return SimpleNamespace(info=SimpleNamespace(run_id="a"))

        def log_batch(self, key, params):
            told.append((key, params))
            raise ConnectionError

        def set_terminated(self, *end):
            told.append(end)

    library = SimpleNamespace(
        MlflowClient=Client, entities=SimpleNamespace(Metric=None, Param=lambda *both: both)
    )
    with pytest.raises(ConnectionError):
        TRACKERS["mlflow"](library, Begun("kgan", None, {"steps": 2, "size": [8, 8]}, None))
    assert told == [("a", [("steps", "2"), ("size", "[8, 8]")]), ("a", "FAILED")]


def test_one_that_is_not_there_is_one_line_before_anything_is_done(tmp_path, monkeypatch, capsys):
    with pytest.raises(kgan.InputError, match=r"one of trackio, mlflow, wandb\. Received: 'paper'"):
        kgan.callbacks.Track("paper")
    monkeypatch.setitem(sys.modules, "mlflow", None)  # as where it is not installed
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--track", "mlflow", "--steps", "1"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "mlflow cannot be imported; pip install kgan[mlflow]" in line
    assert "kgan train --track none trains without" in line
    assert not list(tmp_path.iterdir())


def test_a_run_leaves_its_tracker_where_it_is_told_to(tmp_path):
    write_options(tmp_path, RunOptions(track="mlflow", batch_size=8, steps=1))
    assert Run.open(tmp_path).options.track == "mlflow"
    assert Run.open(tmp_path, track="none").options.track is None


def test_the_options_trackers_are_those_there_are_and_extras():
    assert options_of(RunOptions)["track"].kind.choices == (*TRACKERS, "none")
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    for tracker in TRACKERS:
        assert setup["options.extras_require"][tracker].split()[0].startswith(f"{tracker}>=")
