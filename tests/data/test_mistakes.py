"""Mistakes at the edges of the data: each one clear line, never a library's own exception."""

import io
import os

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import kgan
from kgan.data import open_source

PICTURES = np.arange(20 * 8 * 8, dtype=np.int64).reshape(20, 8, 8).astype(np.uint8)


def png(level):
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (level,) * 3).save(file, "PNG")
    return file.getvalue()


def write_records(path, records):
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record)


def example(**features):
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def encoded(data):
    return example(image=tf.train.Feature(bytes_list=tf.train.BytesList(value=[data])))


@pytest.mark.parametrize(
    "options",
    [
        {"augment": "flip"},
        {"augment": None},
        {"augment": [["flip"]]},
        {"value_range": 1},
        {"value_range": (1.0, 1.0)},
        {"background": (1,)},
        {"background": (300, 0, 0)},
        {"background": "white"},
    ],
)
def test_arguments_of_the_wrong_kind_are_named(options):
    with pytest.raises(kgan.InputError, match="Received"):
        kgan.data.from_arrays(PICTURES, batch_size=4, **options)


@pytest.mark.parametrize("array_range", [1, (0.0, 0.0), (1.0, 0.0), (0.0, float("nan"))])
def test_a_range_of_floats_is_low_then_high(array_range):
    with pytest.raises(kgan.InputError, match="array_range"):
        kgan.data.from_arrays(PICTURES * 0.0, batch_size=4, array_range=array_range)


def test_array_files_empty_missing_or_with_objects_beside_the_pictures(tmp_path):
    (tmp_path / "empty.npy").write_bytes(b"")
    (tmp_path / "empty.npz").write_bytes(b"")
    for name in ("empty.npy", "empty.npz"):
        with pytest.raises(kgan.InputError, match=f"readable.*{name}"):
            open_source(tmp_path / name)
    with pytest.raises(kgan.InputError, match=r"No such file.*none\.npz"):
        open_source(tmp_path / "none.npz")
    np.savez(tmp_path / "named.npz", images=PICTURES, names=np.array([{}]))
    assert open_source(tmp_path / "named.npz").count == 20
    (tmp_path / "named.npz").rename(tmp_path / "UPPER.NPZ")
    assert open_source(tmp_path / "UPPER.NPZ").count == 20


def records_of(kind):
    integers = tf.train.Feature(int64_list=tf.train.Int64List(value=[1]))
    return {"not examples": b"\xff\xfe no example", "integers": example(image=integers)}[kind]


@pytest.mark.parametrize("cache", [None, "memory"])
@pytest.mark.parametrize("kind", ["not examples", "integers", "text"])
def test_records_of_another_kind_are_one_clear_error(tmp_path, kind, cache):
    path = tmp_path / "other.tfrecord"
    if kind == "text":
        path.write_text("a text file, and no records " * 9)
    else:
        write_records(path, [records_of(kind)] * 4)
    with pytest.raises(kgan.InputError, match="Damaged"):
        kgan.data.from_tfrecords(path, image_shape=(8, 8, 3), batch_size=2, cache=cache)


@pytest.mark.parametrize("cache", [None, "memory"])
def test_a_strict_record_is_named_and_otherwise_skipped(tmp_path, caplog, cache):
    path = tmp_path / "a.tfrecord"
    write_records(path, [encoded(data) for data in (png(0), b"junk", png(9), png(18))])
    options = {"image_shape": (8, 8, 3), "batch_size": 3, "cache": cache}
    with pytest.raises(kgan.InputError, match=r"a\.tfrecord record 1 \(not a picture"):
        kgan.data.from_tfrecords(path, strict=True, **options)
    assert len(list(kgan.data.from_tfrecords(path, **options))) == 1
    assert "0x" not in caplog.text


@pytest.mark.skipif(os.name != "posix", reason="names that are no UTF-8 are a matter of POSIX")
@pytest.mark.parametrize("cache", [None, "memory"])
def test_a_file_name_need_not_be_utf8(tmp_path, cache, caplog):
    caplog.set_level("CRITICAL", "kgan")  # pytest-xdist cannot report such a name
    for index in range(3):
        with open(os.fsencode(tmp_path) + b"/\xff%d.png" % index, "wb") as file:
            file.write(png(index)[: None if index else 45])  # the first is cut short
    source = open_source(tmp_path, image_shape=(8, 8, 3))
    batches = kgan.data.batches(
        source, batch_size=2, value_range=(-1, 1), augment=(), cache=cache, shuffle=True, seed=0
    )
    assert len(list(batches)) == 1
    assert len(source.skipped) == 1
