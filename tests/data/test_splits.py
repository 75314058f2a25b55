"""Subfolders train/ and test/ are splits and no classes; runs from before go on as they were."""

import json
import os

import pytest

import kgan
from kgan.data import check_folder
from kgan.names import text_of_path
from kgan.runs import Run, RunOptions
from kgan.runs.directory import read_options
from tests.data.containers import encoded, levels, make_folder, make_zip, opened

SET = {
    f"{split}/{name}/{level}.png": encoded(level)
    for split, first in (("Train", 0), ("val", 50), ("test", 100))
    for name, level in (("cat", first), ("dog", first + 1))
}


def below(folder):
    return {f"{folder}/{name}": data for name, data in SET.items()}


@pytest.mark.parametrize("make", [make_folder, make_zip])
@pytest.mark.parametrize("members", [SET, below("photos")])
def test_train_is_taken_and_a_line_says_so(tmp_path, caplog, make, members):
    path = make(tmp_path / "set.zip", members)
    assert levels(opened(path)) == [(0, "cat"), (1, "dog")]
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("splits and no classes: train is taken, not ")
    assert "test (2 pictures)" in line
    assert "val (2 pictures)" in line
    caplog.clear()
    assert levels(opened(path, split="test")) == [(100, "cat"), (101, "dog")]
    assert opened(path, split="all").class_names == ["Train", "test", "val"]
    assert opened(path, split="all").count == 6
    assert caplog.text == ""
    report = check_folder(path, image_shape=(8, 8))
    assert report.classes == {"cat": 1, "dog": 1}
    assert [len(named) for what, named in report.remarks.items() if "splits" in what] == [2]
    batches = kgan.data.from_folder(path, image_shape=(8, 8, 1), batch_size=2, split="val")
    assert len(list(batches)) == 1
    with pytest.raises(kgan.InputError, match="splits there are test, train, val; "):
        opened(path, split="valid")


def test_names_that_differ_in_case_are_one_split(tmp_path):
    members = {f"{name}/{n}.png": encoded(n) for n, name in enumerate(("train", "Train", "test"))}
    source = opened(make_zip(tmp_path / "a.zip", members))
    assert sorted(levels(source)) == [(0, "train"), (1, "Train")]


def test_what_is_no_split(tmp_path):
    # A folder beside them, or a picture, makes them subfolders as any; so does one by itself.
    for name, more in (("a", {"extra/x.png": encoded(9)}), ("b", {"x.png": encoded(9)})):
        assert opened(make_zip(tmp_path / f"{name}.zip", SET | more)).count == 7
    alone = {name: data for name, data in SET.items() if name.startswith("Train")}
    assert opened(make_zip(tmp_path / "c.zip", alone)).class_names == ["cat", "dog"]
    with pytest.raises(
        kgan.InputError, match=r"A split is a subfolder.*Received: 'test' for .*a.z"
    ):
        opened(tmp_path / "a.zip", split="test")
    only = {name: data for name, data in SET.items() if name.startswith("test")}
    assert opened(make_zip(tmp_path / "e.zip", only)).class_names == ["cat", "dog"]
    # Without train nothing is guessed.
    rest = {name: data for name, data in SET.items() if not name.startswith("Train")}
    with pytest.raises(kgan.InputError, match=r"The splits there are .*Received: 'train'"):
        opened(make_zip(tmp_path / "d.zip", rest))


def test_a_run_says_its_split_and_one_from_before_goes_on_with_everything(tmp_path):
    folder = make_folder(tmp_path / "set", SET)
    facts = {"filters": 2, "size": (16, 16, 1), "batch_size": 2, "steps": 1, "split": "test"}
    run = Run.create(RunOptions(data=str(folder), augment=[], **facts), tmp_path / "a")
    config = run.directory / "config.json"
    values = json.loads(config.read_text())
    assert (values["split"], read_options(run.directory).split) == ("test", "test")
    # A version that knew no splits wrote none: its classes were the subfolders.
    del values["split"]
    config.write_text(json.dumps(values))
    assert read_options(run.directory).split == "all"
    odd = os.fsdecode(bytes(tmp_path) + b"/\xe9")  # no text: its path is written with escapes
    os.mkdir(odd)
    values["data"] = text_of_path(odd)
    config.write_text(json.dumps(values))
    assert read_options(run.directory).split == "all"
    values["data"] = str(tmp_path / "set.npy")
    config.write_text(json.dumps(values))
    assert read_options(run.directory).split is None
