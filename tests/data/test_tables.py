"""Parquet, Hugging Face's sets and lists of pictures: their own pictures, labels and order."""

import csv
import io
import itertools
import json

import pytest
import tensorflow as tf
from PIL import Image

from kgan.data import batches, open_source
from kgan.data.check_source import check_source

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
    table = pa.table({"id": [b"none"] * COUNT, "image": encoded, "label": LABELS})
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
        data = parquet(tmp_path / "a.parquet", struct=kind == "struct")
    return lambda **options: open_source(data, **SHAPE, **options)


def read(source, first, count, **options):
    options = {"augment": [], "shuffle": True, "seed": 5, "value_range": (0, 255), **options}
    found = batches(source, batch_size=BATCH, first_batch=first, labels=True, **options)
    return [
        (images.numpy()[:, 0, 0, 0].astype(int).tolist(), labels.numpy().tolist())
        for images, labels in found.take(count)
    ]


@pytest.mark.parametrize("kind", ["struct", "bytes", "hf", "csv"])
def test_pictures_and_labels_are_the_sets_own_in_an_order_that_is_entered_anywhere(tmp_path, kind):
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
    for first in (1, 4, 7):
        tf.random.set_seed(first)
        assert read(open_again(labels=True), first, 2) == whole[first : first + 2]
    assert open_again().fingerprint() == open_again().fingerprint()
    report = check_source(source)
    assert len(report.images) == COUNT
    assert report.classes == {"ant": 8, "bee": 8, "cat": 7}
