"""Two real workers: each decodes and reads its own part, and together they have every batch."""

import collections
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import kgan
from kgan.data import batches, open_source
from kgan.data.workers import Rows, Workers, likeness
from tests.data.containers import make_tar, make_zip

COUNT, BATCH, EPOCHS = 50, 8, 2  # six batches an epoch
STEPS = COUNT // BATCH
FIRST = 2  # batches before those that are read

# What a worker does: it reads each kind of data, and counts what it decodes and what it reads.
WORKER = """
import json, os, sys
import numpy as np
import tensorflow as tf
strategy = tf.distribute.MultiWorkerMirroredStrategy()
from kgan.data import decode
from kgan.data.workers import Workers, part_of
from kgan.errors import InputError
from tests.data.test_workers_parts import BATCH, KINDS, STEPS, STREAMED, WANTED, made

decoded = []
real = decode.decode


def counted(file, *arguments):
    image = real(file, *arguments)
    decoded.append(int(image[0, 0, 0]))
    return image


decode.decode = counted
place, out = sys.argv[1:]
index = strategy.cluster_resolver.task_id
said = {}
for kind in KINDS:
    decoded.clear()
    source, whole = made(kind, place, strategy)
    said[kind] = list(decoded)
    rows = list(part_of(whole).take(WANTED))
    np.save(f"{out}/{kind}-{index}.npy", np.stack(rows))
for kind in STREAMED:
    decoded.clear()
    source, whole = made(kind, place, strategy, None)
    assert len(list(part_of(whole))) == STEPS
    said[kind] = list(decoded)
source, _ = made("broken", place, strategy)
said["broken"] = sorted(source.broken)
workers = Workers(strategy)
said["sent"] = [len(one) for one in workers.exchange(bytes(10 + 9 * index))]
other, _ = made("folder" if index else "broken", place, None)
try:
    workers.check_same(other)
except InputError as error:
    said["differ"] = str(error)
print(json.dumps(said))
"""
KINDS = ("folder", "memory", "shards", "packed", "array", "a.zip", "tars")
STREAMED = ("folder", "shards", "a.zip", "tars")  # whose decoding is counted
WANTED = EPOCHS * STEPS - FIRST


def made(kind, place, strategy, first=FIRST):
    """(a source, its batches) from batch `FIRST` on; with None, of one epoch."""
    name = {"array": "a.npy", "memory": "folder"}.get(kind, kind)
    source = open_source(f"{place}/{name}", image_shape=(8, 8, 1))
    return source, batches(
        source,
        batch_size=BATCH,
        value_range=(0, 255),
        augment=["brightness"] if kind == "array" else [],
        cache="memory" if kind in ("memory", "broken") else None,
        seed=5,
        first_batch=first,
        strategy=strategy,
    )


def make_data(place):
    levels = 5 * np.arange(COUNT, dtype=np.uint8)
    for index, level in enumerate(levels):
        for folder in ("folder", "broken"):
            path = place / folder / f"{index:02d}.png"
            path.parent.mkdir(exist_ok=True)
            Image.new("L", (8, 8), int(level)).save(path)
            if folder == "broken" and index in (7, 40):
                path.write_bytes(path.read_bytes()[:45])
    (place / "shards").mkdir()
    for shard in range(3):
        with tf.io.TFRecordWriter(str(place / "shards" / f"{shard}.tfrecord")) as writer:
            for file in sorted((place / "folder").iterdir())[shard::3]:
                value = tf.train.BytesList(value=[file.read_bytes()])
                features = {"image": tf.train.Feature(bytes_list=value)}
                example = tf.train.Example(features=tf.train.Features(feature=features))
                writer.write(example.SerializeToString())
    kgan.data.pack(open_source(place / "folder", image_shape=(8, 8, 1)), place / "packed")
    files = {path.name: path.read_bytes() for path in sorted((place / "folder").iterdir())}
    make_zip(place / "a.zip", files)
    (place / "tars").mkdir()
    names = list(files)
    for number in range(2):  # in WebDataset's convention
        own = {name: files[name] for name in names[number::2]}
        labels = {f"{Path(name).stem}.cls": str(number).encode() for name in own}
        make_tar(place / "tars" / f"{number:06d}.tar", own | labels)
    np.save(place / "a.npy", np.broadcast_to(levels[:, None, None], (COUNT, 8, 8)))


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """(the data, what two workers read of them, what they said)."""
    place, out = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("out")
    make_data(place)
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in (one, other)]
    started = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(place), str(out)],
            env=os.environ
            | {
                "PYTHONPATH": str(Path(kgan.__file__).parents[1]),
                "TF_CONFIG": json.dumps(
                    {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
                ),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for index in range(2)
    ]
    try:
        done = [process.communicate(timeout=600) for process in started]
    finally:
        for process in started:
            process.kill()
    assert [process.returncode for process in started] == [0, 0], done
    return place, out, [json.loads(text.splitlines()[-1]) for text, _ in done]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_both_have_the_batches_of_one_process_and_no_image_twice(two, kind):
    place, out, said = two
    source, alone = made(kind, place, None)
    whole = np.stack(list(alone.take(WANTED)))
    parts = [np.load(out / f"{kind}-{index}.npy") for index in range(2)]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
    if kind in ("memory", *STREAMED):
        counts = [collections.Counter(one[kind]) for one in said]
        both = sum(counts, collections.Counter())
        if kind in STREAMED:  # the first batch is looked at, before an epoch of other images
            both -= collections.Counter(
                int(image[0, 0, 0]) for image, _ in source.examples().take(BATCH)
            )
        assert set(both.values()) == {1}
        assert len(both) == (COUNT if kind == "memory" else STEPS * BATCH)
        halves = COUNT // 2 if kind == "memory" else (STEPS + 1) * BATCH // 2
        assert [count.total() for count in counts] == [halves] * 2


@pytest.mark.slow
def test_all_know_what_one_could_not_decode_and_other_data_are_named(two):
    _, _, (first, second) = two
    assert first["broken"] == second["broken"] == [7, 40]
    assert first["sent"] == second["sent"] == [10, 19]
    assert first["differ"] == second["differ"]
    assert first["differ"].startswith("All workers train on the same data: ")
    assert "folder broken, 50 pictures (" in first["differ"]
    assert "folder folder, 50 pictures (" in first["differ"]


@pytest.mark.parametrize("kind", ["folder", "shards", "array"])
def test_a_copy_elsewhere_is_the_same_data_and_another_set_is_not(tmp_path, kind):
    make_data(tmp_path)
    shutil.copytree(tmp_path, tmp_path / "elsewhere", copy_function=shutil.copyfile)
    name = "a.npy" if kind == "array" else kind

    def of(place):
        return likeness(open_source(place / name, image_shape=(8, 8, 1)))

    first = of(tmp_path)
    copied = tmp_path / "elsewhere" / name
    for path in copied.rglob("*"):
        os.utime(path, (1, 1))
    assert of(tmp_path / "elsewhere") == first
    file = copied if kind == "array" else max(copied.iterdir())
    file.write_bytes(file.read_bytes()[:-1] + b"\1" * (1 if kind == "array" else 2))
    if kind == "shards":  # one record more
        file.write_bytes((tmp_path / name / "0.tfrecord").read_bytes())
    assert of(tmp_path / "elsewhere") != first


def test_one_process_does_not_look_at_all_of_its_data(tmp_path, monkeypatch):
    np.save(tmp_path / "a.npy", np.zeros((4, 8, 8), np.uint8))
    source = open_source(tmp_path / "a.npy")
    monkeypatch.setattr(source, "contents", lambda: pytest.fail("looked at"))
    Workers(None).check_same(source)


def test_a_batch_that_workers_cannot_share_is_refused():
    workers = Workers(None)
    assert workers.rows(5) == Rows(0, 5, 5)
    workers.count, workers.index = 3, 2
    assert workers.rows(12) == Rows(8, 12, 12)
    assert [workers.span(10)] == [(6, 10)]
    with pytest.raises(kgan.InputError, match=r"multiple of 3\. Received: 8"):
        workers.rows(8)
