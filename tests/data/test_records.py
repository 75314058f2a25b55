"""TFRecord shards of other tools: their names, where the image is, and their labels."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import kgan
from kgan.data import open_source
from kgan.data.records import SHARD_NAME, shards_in

SHAPE = {"image_shape": (8, 8, 1)}


def png(level):
    file = io.BytesIO()
    Image.new("L", (8, 8), level).save(file, "PNG")
    return file.getvalue()


def feature(value):
    if isinstance(value, bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
    values = value if isinstance(value, list) else [value]
    if isinstance(values[0], float):
        return tf.train.Feature(float_list=tf.train.FloatList(value=values))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


def write(path, *records):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            features = tf.train.Features(feature={k: feature(v) for k, v in record.items()})
            writer.write(tf.train.Example(features=features).SerializeToString())
    return path


def read(path, **options):
    batches = kgan.data.from_tfrecords(
        path, **SHAPE, batch_size=4, value_range=(0, 255), shuffle=False, **options
    )
    return next(iter(batches))


@pytest.mark.parametrize(
    ("name", "is_shard"),
    [
        ("monet00-12.tfrec", True),
        ("a.tfrecord", True),
        ("A.TFRecords", True),
        ("train-00000-of-01024", True),
        ("x-train.tfrecord-00000-of-00001", True),
        ("pets.record-00000-of-00010", True),
        ("variables.data-00000-of-00001", False),  # a checkpoint
        ("data-00000-of-00001.arrow", False),
        ("notes.txt", False),
    ],
)
def test_names_of_shards(name, is_shard):
    assert bool(SHARD_NAME.search(name)) == is_shard


@pytest.mark.parametrize("name", ["monet00-12.tfrec", "train-00000-of-00001"])
def test_such_a_file_its_folder_and_the_folder_around_it_are_opened(tmp_path, name):
    records = [{"image": png(10 * i)} for i in range(4)]
    path = write(tmp_path / "in" / "here" / name, *records)
    (tmp_path / "in" / ".hidden").mkdir()
    for data in (path, path.parent, tmp_path):
        assert open_source(data).count == 4
        np.testing.assert_array_equal(read(data).numpy()[:, 0, 0, 0], [0, 10, 20, 30])
    (tmp_path / "in" / "here" / "loop").symlink_to("..")
    path.unlink()
    assert shards_in(tmp_path) == []


@pytest.mark.parametrize(
    "record",
    [
        {"image/encoded": png(7), "image": [1, 2, 3]},
        {"image": png(7), "image_name": b"7.png"},
        {"image_raw": png(7), "height": 8, "mask": b"none", "weights": [0.5, 1.0]},
        {"data": png(7), "image": b"no picture"},
    ],
)
def test_the_image_is_found_where_it_is(tmp_path, record):
    path = write(tmp_path / "a.tfrec", *[record] * 4)
    np.testing.assert_array_equal(read(path), np.full((4, 8, 8, 1), 7))


@pytest.mark.parametrize(
    ("labels", "numbers", "names"),
    [
        ([{"label": n} for n in (1, 0, 2, 0)], [1, 0, 2, 0], ["0", "1", "2"]),
        ([{"class": n} for n in (0, 1, 1, 0)], [0, 1, 1, 0], ["0", "1"]),
        ([{"target": t} for t in (b"b", b"a", b"\xe7\x8c\xab", b"a")], [1, 0, 2, 0], None),
        # ImageNet's scripts: from 1 up, with names.
        (
            [
                {"image/class/label": n, "image/class/text": t}
                for n, t in ((2, b"ray"), (1, b"tench"), (1, b"tench"), (2, b"ray"))
            ],
            [1, 0, 0, 1],
            ["tench", "ray"],
        ),
        # A text for two labels names neither.
        (
            [{"image/class/label": n, "image/class/text": b"x"} for n in (0, 1, 0, 1)],
            [0, 1, 0, 1],
            ["0", "1"],
        ),
    ],
)
def test_labels_of_other_tools_shards(tmp_path, labels, numbers, names):
    records = [{"image": png(n), **label} for n, label in enumerate(labels)]
    write(tmp_path / "s-00000-of-00002", *records[:2])
    write(tmp_path / "s-00001-of-00002", *records[2:])
    images, classes = read(tmp_path, labels=True)
    levels = np.asarray(images)[:, 0, 0, 0].astype(int)
    np.testing.assert_array_equal(classes, np.array(numbers)[levels])
    source = open_source(tmp_path, labels=True)
    assert source.class_names == (names or ["a", "b", "\u732b"])
    assert open_source(tmp_path).class_names is None


def test_labels_that_cannot_be_used_are_one_line(tmp_path):
    path = write(tmp_path / "a.tfrec", *[{"image": png(n), "label": 3 * n} for n in range(4)])
    with pytest.raises(kgan.InputError, match="label 1 has none"):
        open_source(path, labels=True)
    write(path, {"image": png(0), "label": 0}, {"image": png(0)})
    with pytest.raises(kgan.InputError, match="Received: None"):
        open_source(path, labels=True)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(kgan.InputError, match=r"Damaged.*a\.tfrec"):
        open_source(path, labels=True)


def test_several_sets_and_missing_shards_are_told(tmp_path, caplog):
    for name in ("train-00000-of-00003", "train-00002-of-00003", "validation-00000-of-00001"):
        write(tmp_path / name, {"image": png(0)})
    assert open_source(tmp_path).count == 3
    told = [record.getMessage() for record in caplog.records]
    assert told == [
        "shards of several sets, all of which are read: train (2), validation (1)",
        "only 2 of the 3 shards of train are there",
    ]


def stylegan(levels, side=8):
    """Records as StyleGAN's tools write them: values by channel, and their shape."""
    for level in levels:
        values = np.full((3, side, side), level, np.uint8)
        values[1:] //= 2  # green and blue; by pixels instead it would be another picture
        yield {"shape": [3, side, side], "data": values.tobytes()}


def test_stylegans_records_hold_values_by_channel(tmp_path, caplog):
    for log2 in (2, 3):
        write(tmp_path / f"set-r{log2:02d}.tfrecords", *stylegan(range(0, 80, 20), 2**log2))
    source = open_source(tmp_path, image_shape=(8, 8, 3))
    images = np.stack([image for image, _ in source.examples().as_numpy_iterator()])
    expected = np.array([[n, n // 2, n // 2] for n in range(0, 80, 20)])[:, None, None]
    np.testing.assert_array_equal(images, np.broadcast_to(expected, (4, 8, 8, 3)))
    told = [record.getMessage() for record in caplog.records]
    assert told == ["each picture is there in 2 sizes: -r03 is read"]
    good, other = stylegan((1, 2))
    cut = {**other, "data": other["data"][:-1]}
    without_pixels = {"shape": [3, 0, 8], "data": b""}
    for wrong in (cut, without_pixels):
        path = write(tmp_path / "set-r03.tfrecords", good, wrong)
        with pytest.raises(kgan.InputError, match=r"Damaged.*set-r03"):
            list(source.read(open_source(path).examples()))


def test_features_are_taken_by_name(tmp_path):
    records = [
        {"image": png(1), "other": png(10 * n), "label": 7, "kind": n % 2, "text": b"no picture"}
        for n in range(4)
    ]
    path = write(tmp_path / "a.tfrecords", *records)
    source = open_source(path, **SHAPE, labels=True, feature="other", label_column="kind")
    examples = list(source.examples().as_numpy_iterator())
    assert [(image[0, 0, 0], label) for image, label in examples] == [
        (0, 0),
        (10, 1),
        (20, 0),
        (30, 1),
    ]
    for asked, says in (
        (
            {"feature": "foto", "label_column": "kind"},
            "No such feature; the first record has .*other.*Received: foto",
        ),
        ({"feature": "text", "label_column": "kind"}, "holds no picture.*Received: text"),
        ({"label_column": "nothing"}, "No such feature; .*Received: nothing"),
    ):
        with pytest.raises(kgan.InputError, match=says):
            open_source(path, labels=True, **asked)
    kgan.data.pack(source, tmp_path / "packed")
    with pytest.raises(kgan.InputError, match="kgan packed have one picture"):
        open_source(tmp_path / "packed", feature="other")
