"""Parquet, Hugging Face's sets and lists of pictures: their own pictures, labels and order."""

import csv
import io
import itertools
import json
import logging
import sys

import pytest
import tensorflow as tf
from PIL import Image

import kgan
from kgan.data import batches, open_source, parquet_files, parquet_source
from kgan.data.check_source import check_source, preview_source
from kgan.data.workers import likeness

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
datasets = pytest.importorskip("datasets")

COUNT, BATCH = 23, 4  # five batches an epoch, three pictures left over
STEPS = COUNT // BATCH
LEVELS = [10 * n for n in range(COUNT)]
LABELS = [n % 3 for n in range(COUNT)]
NAMES = ["ant", "bee", "cat"]
SHAPE = {"image_shape": (8, 8, 1)}


def png(level):
    file = io.BytesIO()
    Image.new("L", (8, 8), level).save(file, "PNG")
    return file.getvalue()


def parquet(path, struct=True, names=True, rows=5):
    """Row groups of five; the last has three."""
    encoded = [png(level) for level in LEVELS]
    if struct:
        encoded = [{"bytes": data, "path": f"{n}.png"} for n, data in enumerate(encoded)]
    others = {"size": [{"kilobytes": 1}] * COUNT, "of": [{"its": {"bytes": b"none"}}] * COUNT}
    table = pa.table({**others, "id": [b"none"] * COUNT, "image": encoded, "label": LABELS})
    if names:
        features = {
            "id": {"dtype": "binary", "_type": "Value"},
            "image": {"_type": "Image"},
            "label": {"names": NAMES, "_type": "ClassLabel"},
        }
        info = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": info})
    pq.write_table(table, path, row_group_size=rows)
    return path


def saved(tmp_path):
    pictures = [Image.new("L", (8, 8), level) for level in LEVELS]
    features = datasets.Features(
        {"image": datasets.Image(), "label": datasets.ClassLabel(names=NAMES)}
    )
    rows = {"image": pictures, "label": LABELS}
    return datasets.Dataset.from_dict(rows, features=features)


def opener(kind, tmp_path):
    """What opens the same data anew, as after a restart."""
    if kind == "hf":
        saved(tmp_path).save_to_disk(str(tmp_path / "set"))
        data = f"hf:{tmp_path / 'set'}"
    elif kind == "csv":
        with (tmp_path / "list.csv").open("w", encoding="utf-8", newline="") as file:
            lines = csv.writer(file)
            lines.writerow(("label", "path"))
            for n, level in enumerate(LEVELS):
                (tmp_path / f"{n:02d}.png").write_bytes(png(level))
                lines.writerow((NAMES[LABELS[n]], f"{n:02d}.png"))
        data = tmp_path / "list.csv"
    else:
        data = parquet(tmp_path / "a.parquet")
    return lambda **options: open_source(data, **SHAPE, **options)


def read(source, first, count, **options):
    options = {"augment": [], "shuffle": True, "seed": 5, "value_range": (0, 255), **options}
    found = batches(source, batch_size=BATCH, first_batch=first, labels=True, **options)
    return [
        (images.numpy()[:, 0, 0, 0].astype(int).tolist(), labels.numpy().tolist())
        for images, labels in found.take(count)
    ]


@pytest.mark.parametrize("kind", ["parquet", "hf", "csv"])
def test_pictures_and_labels_are_the_sets_own_in_an_order_that_is_entered_anywhere(
    tmp_path, kind, monkeypatch
):
    monkeypatch.setattr(parquet_files, "ROWS_TOGETHER", 2)  # row groups are larger in earnest
    open_again = opener(kind, tmp_path)
    source = open_again(labels=True)
    assert source.class_names == NAMES
    found = [(image[0, 0, 0], label) for image, label in source.examples().as_numpy_iterator()]
    assert sorted(found) == list(zip(LEVELS, LABELS, strict=True))
    whole = read(source, 0, 2 * STEPS)
    for epoch in (whole[:STEPS], whole[STEPS:]):
        levels = list(itertools.chain.from_iterable(levels for levels, _ in epoch))
        assert len(set(levels)) == STEPS * BATCH  # none twice
        assert all([LABELS[n // 10] for n in images] == labels for images, labels in epoch)
    assert whole[:STEPS] != whole[STEPS:] != read(source, 0, STEPS, shuffle=False)
    for first in (4, 7):
        tf.random.set_seed(first)
        assert read(open_again(labels=True), first, 2) == whole[first : first + 2]
    assert open_again().fingerprint() == open_again().fingerprint()
    report = check_source(source)
    assert len(report.images) == COUNT
    assert report.classes == {"ant": 8, "bee": 8, "cat": 7}


def test_bytes_alone_names_of_files_and_splits(tmp_path):
    train = parquet(tmp_path / "train-00000-of-00001.parquet", struct=False, names=False)
    source = open_source(train, **SHAPE, labels=True)
    found = [(image[0, 0, 0], label) for image, label in source.examples().as_numpy_iterator()]
    assert sorted(found) == list(zip(LEVELS, LABELS, strict=True))
    assert source.class_names == ["0", "1", "2"]
    assert (source.name(4), source.name(22)) == (f"{train} row 4", f"{train} row 22")
    (tmp_path / "in" / "data").mkdir(parents=True)
    (tmp_path / "in" / "README.md").write_text("a card", encoding="utf-8")
    for split, n in (("train", 2), ("test", 1)):
        for part in range(n):
            parquet(tmp_path / "in" / "data" / f"{split}-{part}.parquet", rows=50)
    for split, count in ((None, 2 * COUNT), ("all", 3 * COUNT), ("test", COUNT)):
        found = open_source(tmp_path / "in", **SHAPE, split=split)
        assert (found.count, found.split) == (count, split or "train")
    assert found.name(0).endswith("test-0.parquet row 0")
    with pytest.raises(kgan.InputError, match=r"No such split; the files' names tell .*train"):
        open_source(tmp_path / "in", split="validation")
    (tmp_path / "in" / "data" / "a.png").write_bytes(png(1))  # a folder of pictures, from here on
    assert open_source(tmp_path / "in", **SHAPE).count == 1


def test_row_groups_come_in_an_order_that_is_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_source, "block_of", lambda *_: 1)  # as of a set of many gigabytes
    source = open_source(parquet(tmp_path / "a.parquet"), **SHAPE)
    orders = [
        [int(index) for index, _, _ in source.encoded(tf.constant([seed, 0], tf.int64))]
        for seed in (1, 2, 1)
    ]
    assert orders[0] == orders[2] != orders[1]
    assert sorted(orders[0]) == list(range(COUNT)) != orders[0]


def test_rows_without_a_picture_are_named_and_skipped(tmp_path, caplog):
    rows = [{"bytes": png(9), "path": None}, {"bytes": None, "path": "/etc/passwd"}, None]
    pq.write_table(pa.table({"image": [*rows, rows[0]], "kind": list("abab")}), tmp_path / "a.pq")
    (tmp_path / "a.pq").rename(tmp_path / "a.parquet")
    source = open_source(tmp_path / "a.parquet", **SHAPE, labels=True, label_column="kind")
    assert [label for _, label in source.examples().as_numpy_iterator()] == [0, 1]
    reason = "no bytes of a picture in this row"
    assert source.skipped == {f"{tmp_path}/a.parquet row {n}": reason for n in (1, 2)}
    caplog.clear()
    fresh = open_source(tmp_path / "a.parquet", **SHAPE)
    report = check_source(fresh)
    assert report.problems == sorted(source.skipped.items())  # threads skip in any order
    preview_source(fresh, len(report.images))
    assert not caplog.records  # what the report has told
    pq.write_table(pa.table({"image": [None] * 33 + [png(9)]}), tmp_path / "late.parquet")
    assert open_source(tmp_path / "late.parquet", **SHAPE).count == 34


def damaged(path):
    data = bytearray(parquet(path, rows=50).read_bytes())
    data[200:900] = bytes(700)  # pages, not the footer
    path.write_bytes(data)


def empty(path):
    pq.write_table(pa.table({"image": pa.array([], "binary")}), path)


def everything(path, **asked):
    source = open_source(path, **asked)
    return list(source.read(source.examples()))


def without_pictures(path):
    pq.write_table(pa.table({"text": ["a", "b"], "data": [b"no", b"picture"]}), path)


def two_of_a_name(path):
    arrays = [pa.array([png(1)]), pa.array([png(2)]), pa.array([0])]
    pq.write_table(pa.Table.from_arrays(arrays, ["image", "image", "label"]), path)


@pytest.mark.parametrize(
    ("write", "asked", "says"),
    [
        (without_pictures, {}, "No column of pictures: .*parquet with text, data"),
        (without_pictures, {"feature": "image"}, "No such column; there is text, data"),
        (parquet, {"label_column": "kind"}, "No such column; .*Received: kind"),
        (parquet, {"feature": "label"}, "No column of pictures: .* with label"),
        (parquet, {"split": "test"}, "No such split"),
        (lambda path: path.write_bytes(b"PAR1 no"), {}, "Damaged, or no Parquet file: "),
        (lambda path: path.symlink_to("/dev/null"), {}, "Not a regular file: a device"),
        (two_of_a_name, {}, "No column of pictures: .*parquet with label"),
        (damaged, {}, "Damaged, or no Parquet file: .*parquet"),
        (
            lambda path: pq.write_table(pa.table({"image": pa.array([], "binary")}), path),
            {},
            "rows",
        ),
    ],
)
def test_parquet_files_that_cannot_be_used_are_one_line(tmp_path, write, asked, says):
    write(tmp_path / "a.parquet")
    with pytest.raises(kgan.InputError, match=says) as caught:
        everything(tmp_path / "a.parquet", **asked)
    assert "\n" not in str(caught.value)


def test_workers_tell_other_tables_of_as_many_pictures_from_copies(tmp_path):
    for place, more in (("a", 0), ("copy", 0), ("other", 1)):
        (tmp_path / place).mkdir()
        parquet(tmp_path / place / "a.parquet", struct=not more)
        rows = saved(tmp_path)
        if more:
            rows = rows.add_column("more", LEVELS)
        rows.save_to_disk(str(tmp_path / place / "set"))
    for data in ("{}/a.parquet", "hf:{}/set"):
        first, copy, other = (
            likeness(open_source(data.format(tmp_path / place), **SHAPE))
            for place in ("a", "copy", "other")
        )
        assert first == copy != other


def test_sets_of_hugging_face_have_splits_and_say_what_is_wrong(tmp_path, monkeypatch, caplog):
    rows = saved(tmp_path)
    splits = {"train": rows.select(range(20)), "test": rows.select(range(6))}
    datasets.DatasetDict(splits).save_to_disk(str(tmp_path / "set"))
    data = f"hf:{tmp_path / 'set'}"
    assert open_source(data, **SHAPE).count == 20
    assert open_source(data, **SHAPE, split="all").count == 26
    source = open_source(data, **SHAPE, split="test", labels=True)
    assert (source.count, source.class_names) == (6, NAMES)
    (tmp_path / "empty").mkdir()
    rows.remove_columns("image").save_to_disk(str(tmp_path / "text"))
    monkeypatch.setattr(datasets, "load_dataset", unreachable)
    for named, asked, says in (
        (data, {"split": "dev"}, "No such split; it has train, test"),
        (data, {"label_column": "kind"}, "No such column; there is image, label"),
        (f"hf:{tmp_path / 'empty'}", {}, "Not what datasets' save_to_disk wrote"),
        (f"hf:{tmp_path / 'text'}", {}, "a column of the feature Image. .* 23 rows of label"),
        ("hf:someone/something", {}, "Neither a folder here nor a set .*Hub gives .no network"),
    ):
        with pytest.raises(kgan.InputError, match=says) as caught:
            open_source(named, labels=True, **asked)
        assert "\n" not in str(caught.value)
    assert caplog.messages == []


def unreachable(*_, **__):
    logging.getLogger("huggingface_hub.utils").warning("Retrying in 1s")
    raise ConnectionError("no network\nhere")


def test_the_missing_extra_is_named(tmp_path, monkeypatch):
    parquet(tmp_path / "a.parquet")
    for module, data in (("pyarrow.parquet", tmp_path / "a.parquet"), ("datasets", "hf:x")):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(kgan.InputError, match=r"pip install 'kgan\[data\]'. Received: no"):
            open_source(data)


def test_a_row_group_is_streamed(tmp_path):
    rows = [png(7) + bytes(40_000) for _ in range(600)]
    table = pa.table({"image": rows})
    how = {"compression": "none", "use_dictionary": False, "write_batch_size": 16}
    pq.write_table(table, tmp_path / "a.parquet", **how)  # one group of 24 MB
    del rows, table
    found = parquet_files.open_table([str(tmp_path / "a.parquet")])
    before = pa.total_allocated_bytes()
    parts = parquet_files.images_of(found, 0)
    assert next(parts) == [png(7) + bytes(40_000)] * 32
    assert pa.total_allocated_bytes() - before < 8e6
    assert sum(map(len, parts)) == 600 - 32
