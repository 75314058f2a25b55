"""An order that can be entered anywhere: every kind of data goes on where it stopped."""

import io
import itertools
import os

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import kgan
from kgan.data import batches, open_source, pack
from kgan.data.order import order
from tests.tiers import tiered

COUNT, BATCH = 23, 4  # five batches an epoch, three pictures left over
STEPS = COUNT // BATCH


def save_pictures(folder, broken=()):
    """Flat pictures of the levels 0, 10, ... 220 in two subfolders; some cut short."""
    for index in range(COUNT):
        file = io.BytesIO()
        Image.new("RGB", (8, 8), (10 * index,) * 3).save(file, "PNG")
        path = folder / f"{index % 2}" / f"{index:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.getvalue()[: 45 if index in broken else None])
    return folder


KINDS = ("array", "memory", "folder", "cache", "shards", "packed")


def opener(kind, tmp_path):
    """A function that opens the same data anew, as after a restart, and their cache."""
    folder = save_pictures(tmp_path / "pictures")
    if kind == "packed":
        pack(open_source(folder, image_shape=(8, 8, 1)), tmp_path / "shards")
    if kind == "shards":
        (tmp_path / "shards").mkdir()
        files = sorted(folder.rglob("*.png"))
        for shard in range(3):
            with tf.io.TFRecordWriter(str(tmp_path / "shards" / f"{shard}.tfrecord")) as writer:
                for file in files[shard::3]:
                    value = tf.train.BytesList(value=[file.read_bytes()])
                    features = {"image": tf.train.Feature(bytes_list=value)}
                    example = tf.train.Example(features=tf.train.Features(feature=features))
                    writer.write(example.SerializeToString())
    if kind == "array":
        levels = 10 * np.arange(COUNT, dtype=np.uint8)
        np.save(tmp_path / "a.npy", np.broadcast_to(levels[:, None, None], (COUNT, 8, 8)))
    place = {"array": "a.npy", "shards": "shards", "packed": "shards"}.get(kind, "pictures")
    cache = {"memory": "memory", "cache": tmp_path / "cache"}.get(kind)

    def open_again():
        return open_source(tmp_path / place, image_shape=(8, 8, 1)), cache

    return open_again


def read(source, cache, first, count, **changes):
    """The levels of `count` batches from batch `first` of a training on."""
    options = {"augment": [], "shuffle": True, "seed": 5, **changes}
    dataset = batches(
        source, batch_size=BATCH, value_range=(0, 1), cache=cache, first_batch=first, **options
    )
    return [
        np.rint(batch.numpy()[:, 0, 0, 0] * 255).astype(int).tolist()
        for batch in dataset.take(count)
    ]


def joined(levels):
    return list(itertools.chain.from_iterable(levels))


@pytest.mark.parametrize("kind", tiered(KINDS, lambda kind: kind not in ("shards", "packed")))
def test_any_place_is_entered_as_if_it_had_been_reached(tmp_path, kind):
    open_again = opener(kind, tmp_path)
    whole = read(*open_again(), 0, 3 * STEPS)
    epochs = [joined(whole[start : start + STEPS]) for start in range(0, 3 * STEPS, STEPS)]
    for epoch in epochs:
        assert len(set(epoch)) == STEPS * BATCH  # none twice
        assert set(epoch) <= set(range(0, 230, 10))
    assert len({tuple(epoch) for epoch in epochs}) == 3
    for first in (1, 4, 5, 7, 10, 13):
        keras_seed = first  # the order is its own seed's alone
        tf.random.set_seed(keras_seed)
        assert read(*open_again(), first, 2) == whole[first : first + 2]


@pytest.mark.parametrize("kind", ["array", "folder", "packed"])
def test_without_shuffling_each_epoch_is_the_same(tmp_path, kind):
    open_again = opener(kind, tmp_path)
    whole = read(*open_again(), 0, 2 * STEPS, shuffle=False)
    assert whole[:STEPS] == whole[STEPS:]
    assert read(*open_again(), 7, 3, shuffle=False) == whole[7:10]


def test_augmentation_goes_on_too(tmp_path):
    ramp = np.arange(64, dtype=np.uint8).reshape(1, 8, 8) + np.zeros((COUNT, 1, 1), np.uint8)
    np.save(tmp_path / "a.npy", ramp)

    def pictures(first, count):
        dataset = batches(
            open_source(tmp_path / "a.npy"),
            batch_size=BATCH,
            value_range=(-1, 1),
            augment=["flip", "rotate", "brightness"],
            cache=None,
            shuffle=True,
            seed=1,
            first_batch=first,
        )
        return np.stack(list(dataset.take(count)))

    whole = pictures(0, 12)
    assert len({batch.tobytes() for batch in whole}) == 12
    np.testing.assert_array_equal(pictures(7, 5), whole[7:])


@pytest.mark.slow
@pytest.mark.parametrize("cache", [None, "memory"])
@pytest.mark.parametrize("first", [3, 4, 6, 9])
def test_broken_pictures_do_not_move_the_place(tmp_path, cache, first):
    folder = save_pictures(tmp_path / "pictures", broken=(2, 7, 8))

    def open_again():
        return open_source(folder, image_shape=(8, 8, 1))

    before = open_again()
    whole = read(before, cache, 0, 12)
    assert before.good == 20
    assert all(
        sorted(joined(epoch)) == [10 * i for i in range(COUNT) if i not in (2, 7, 8)]
        for epoch in (whole[:5], whole[5:10])
    )
    stopped = open_again()
    read(stopped, cache, 0, first)
    after = open_again()
    after.expect_broken(stopped.what_is_broken())
    assert read(after, cache, first, 3) == whole[first : first + 3]


@pytest.mark.parametrize("kind", ["folder", "shards"])
def test_what_was_broken_is_known_under_any_spelling_of_the_path(tmp_path, monkeypatch, kind):
    """A run opens what was typed; when it is resumed, the absolute path in config.json."""
    place = "pictures" if kind == "folder" else "shards"
    opener(kind, tmp_path)
    if kind == "folder":
        save_pictures(tmp_path / place, broken=(2, 7, 8))
    else:  # a picture of the second shard is cut short
        shard = tmp_path / place / "1.tfrecord"
        records = [record.numpy() for record in tf.data.TFRecordDataset(str(shard))]
        with tf.io.TFRecordWriter(str(shard)) as writer:
            for index, record in enumerate(records):
                example = tf.train.Example.FromString(record)
                if index == 3:
                    (value,) = example.features.feature["image"].bytes_list.value
                    example.features.feature["image"].bytes_list.value[0] = value[:45]
                writer.write(example.SerializeToString())
    (tmp_path / "link").symlink_to(tmp_path / place)
    monkeypatch.chdir(tmp_path)
    typed = open_source(place, image_shape=(8, 8, 1))
    read(typed, None, 0, STEPS)
    known = typed.what_is_broken()
    assert known["broken"]
    for spelling in (tmp_path / place, f"./{place}/", f"{place}/../{place}", "link"):
        again = open_source(spelling, image_shape=(8, 8, 1))
        again.expect_broken(known)
        assert sorted(again.broken) == known["broken"], spelling


@pytest.mark.parametrize("kind", KINDS)
def test_data_that_have_changed_have_another_fingerprint(tmp_path, kind):
    open_again = opener(kind, tmp_path)
    before = open_again()[0].fingerprint()
    assert open_again()[0].fingerprint() == before
    if kind == "array":
        levels = np.load(tmp_path / "a.npy").copy()
        levels[-1, -1, -1] ^= 1  # the same number of pictures, one pixel
        np.save(tmp_path / "a.npy", levels)
    else:
        folder = tmp_path / ("shards" if kind in ("shards", "packed") else "pictures")
        file = max(path for path in folder.rglob("*") if path.suffix in (".png", ".tfrecord"))
        os.utime(file, (1, 1))
    assert open_again()[0].fingerprint() != before


def test_what_was_broken_is_forgotten_once_the_data_change(tmp_path):
    folder = save_pictures(tmp_path / "pictures", broken=(2, 7))
    stopped = open_source(folder, image_shape=(8, 8, 1))
    read(stopped, None, 0, STEPS)
    known = stopped.what_is_broken()
    assert len(known["broken"]) == 2
    save_pictures(folder)  # repaired
    after = open_source(folder, image_shape=(8, 8, 1))
    after.expect_broken(known)
    assert after.good == COUNT
    assert not after.skipped
    assert len(set(joined(read(after, None, 0, STEPS)))) == STEPS * BATCH


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_picture_that_became_a_pipe_does_not_hang(tmp_path):
    folder = save_pictures(tmp_path / "pictures")
    source = open_source(folder, image_shape=(8, 8, 1))
    (folder / "0" / "02.png").unlink()
    os.mkfifo(folder / "0" / "02.png")
    assert len(list(source.read(source.examples()))) == COUNT - 1
    assert source.skipped == {str(folder / "0" / "02.png"): "not a regular file"}


def test_a_failing_disk_is_not_remembered_as_broken_pictures(tmp_path):
    folder = save_pictures(tmp_path / "pictures")
    source = open_source(folder, image_shape=(8, 8, 1))
    source.least = BATCH
    folder.rename(tmp_path / "away")
    with pytest.raises(kgan.InputError, match=r"Only 3 of 23 .*No such file"):
        list(source.read(source.examples()))
    assert source.what_is_broken()["broken"] == []  # told though the folder is away
    assert source.good == COUNT


def test_a_seed_is_its_own_whatever_the_global_one_is():
    pictures = np.arange(COUNT, dtype=np.uint8)[:, None, None] + np.zeros((1, 8, 8), np.uint8)

    def two_epochs(global_seed):
        tf.random.set_seed(global_seed)
        dataset = kgan.data.from_arrays(pictures, batch_size=BATCH, augment=["flip"], seed=3)
        return [np.stack(list(dataset)) for _ in range(2)]

    np.testing.assert_array_equal(two_epochs(0), two_epochs(1))


def test_a_dataset_of_one_epoch_has_another_order_each_time_it_is_iterated():
    pictures = np.arange(COUNT, dtype=np.uint8)[:, None, None] + np.zeros((1, 8, 8), np.uint8)
    dataset = kgan.data.from_arrays(pictures, batch_size=BATCH, value_range=(0, 1), seed=0)
    assert dataset.cardinality() == STEPS
    orders = [
        tuple(itertools.chain(*(batch.numpy()[:, 0, 0, 0].tolist() for batch in dataset)))
        for _ in range(4)
    ]
    assert len(set(orders)) == 4


def test_every_picture_comes_first_about_as_often():
    """The stateless order is no rotation: place 0 is taken by all, about equally."""
    epochs = tf.data.Dataset.range(600).flat_map(
        lambda epoch: order(10, tf.stack([tf.constant(3, tf.int64), epoch])).take(1)
    )
    firsts = list(epochs.as_numpy_iterator())
    counts = np.bincount(firsts, minlength=10)
    # 600 draws of 10: standard deviation 7.3; five of them.
    assert np.abs(counts - 60).max() < 37
