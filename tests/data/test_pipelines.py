"""The pipelines over real files: batches, order, cache, what is skipped and what is refused."""

import gzip
import hashlib
import io
import itertools
import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import kgan
from kgan.data import open_source


def flat(level, size=(10, 8)):
    return Image.fromarray(np.full((*size, 3), level, np.uint8))


@pytest.fixture
def folder(tmp_path):
    """Twelve flat pictures of the levels 0, 20, ... 220, in subfolders, with odd names."""
    places = ["a b/", "日本/", ""]
    for index in range(12):
        path = tmp_path / "photos" / f"{places[index % 3]}{index:02d} é.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        flat(20 * index).save(path)
    (tmp_path / "photos" / ".hidden.png").write_text("not a picture")
    (tmp_path / "photos" / "notes.txt").write_text("not a picture")
    (tmp_path / "photos" / "loop").symlink_to(tmp_path / "photos")
    return tmp_path / "photos"


def levels(batches):
    """The level of each flat picture, batch by batch."""
    return [
        np.rint((batch.numpy()[:, 0, 0, 0] + 1) * 127.5).astype(int).tolist() for batch in batches
    ]


def joined(batches):
    return list(itertools.chain.from_iterable(batches))


def settings(**changes):
    return {"image_shape": (10, 8, 3), "batch_size": 4, **changes}


@pytest.mark.parametrize("cache", ["auto", "memory", None, "file"])
def test_a_folder_gives_every_picture_once_an_epoch_in_a_new_order(folder, tmp_path, cache):
    cache = tmp_path / "cache" if cache == "file" else cache
    batches = kgan.data.from_folder(folder, seed=3, cache=cache, **settings())
    assert batches.element_spec == tf.TensorSpec((4, 10, 8, 3), tf.float32)
    epochs = [joined(levels(batches)) for _ in range(3)]
    for epoch in epochs:
        assert sorted(epoch) == list(range(0, 240, 20))
    assert len({tuple(epoch) for epoch in epochs}) == 3
    again = kgan.data.from_folder(folder, seed=3, cache=cache, **settings())
    assert [joined(levels(again)) for _ in range(3)] == epochs


def test_a_cache_file_is_read_again_for_the_same_pictures_alone(folder, tmp_path):
    def open_cached(**changes):
        options = settings(**changes)
        return kgan.data.from_folder(folder, cache=tmp_path / "new" / "c", shuffle=False, **options)

    first = joined(levels(open_cached()))
    written = set((tmp_path / "new").iterdir())
    assert written
    assert joined(levels(open_cached())) == first
    assert set((tmp_path / "new").iterdir()) == written
    assert next(iter(open_cached(image_shape=(5, 4, 3)))).shape == (4, 5, 4, 3)
    lock = next(iter(written)).with_suffix(".lockfile")
    lock.touch()  # what a killed process leaves
    with pytest.raises(kgan.InputError, match="lockfile"):
        open_cached()
    lock.unlink()
    flat(255).save(folder / "02 é.png")  # another picture under the same name
    assert 255 in joined(levels(open_cached()))


def test_unshuffled_order_is_that_of_the_names_and_the_rest_is_dropped(folder):
    batches = kgan.data.from_folder(folder, shuffle=False, **settings(batch_size=5))
    names = sorted(folder.rglob("* é.png"))  # walked folder by folder, each in order
    received = levels(batches)
    assert [len(batch) for batch in received] == [5, 5]
    assert len(names) == 12
    top = [20 * index for index in (2, 5, 8, 11)]
    assert joined(received)[:4] == top


@pytest.mark.parametrize("value_range", [(-1.0, 1.0), (0.0, 1.0)])
def test_black_and_white_are_the_ends_of_the_range(value_range):
    pictures = np.stack([np.full((4, 4, 1), level, np.uint8) for level in (0, 255)])
    batches = kgan.data.from_arrays(pictures, batch_size=2, value_range=value_range, shuffle=False)
    (batch,) = batches
    assert batch.dtype == tf.float32
    assert tuple(batch.numpy()[:, 0, 0, 0]) == value_range


def test_flip_mirrors_half_of_the_pictures_and_the_seed_repeats_it():
    picture = np.zeros((1, 4, 6, 1), np.uint8)
    picture[..., 0, :] = 255
    pictures = np.repeat(picture, 400, 0)

    def mirrored(seed):
        batches = kgan.data.from_arrays(pictures, batch_size=100, augment=["flip"], seed=seed)
        return [[batch.numpy()[:, 0, 0, 0] < 0 for batch in batches] for _ in range(2)]

    first, again, other = mirrored(1), mirrored(1), mirrored(2)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    flips = np.array(first)
    assert len({tuple(batch) for epoch in flips for batch in epoch}) == 8  # no batch like another
    assert 0.4 < flips.mean() < 0.6
    plain = kgan.data.from_arrays(pictures, batch_size=100, seed=1)
    assert all((batch.numpy()[:, 0, 0, 0] > 0).all() for batch in plain)


def test_a_callable_augments_the_batch(folder):
    batches = kgan.data.from_folder(
        folder, augment=[lambda images: images * 0.0 + 0.5, "flip"], **settings()
    )
    assert {float(batch.numpy().max()) for batch in batches} == {0.5}
    assert batches.element_spec.shape == (4, 10, 8, 3)


def test_a_callable_may_branch_on_tensors(folder):
    def darken_the_bright(images):
        if tf.reduce_mean(images) > -1.0:
            images = images - 0.25
        return images

    options = {"shuffle": False, "cache": None, **settings()}
    plain = list(kgan.data.from_folder(folder, **options))
    changed = list(kgan.data.from_folder(folder, augment=[darken_the_bright], **options))
    for before, after in zip(plain, changed, strict=True):
        np.testing.assert_allclose(after, before - 0.25, atol=1e-6)


def break_pictures(folder):
    """One truncated, one empty and one text file among the pictures; the three names."""
    whole = (folder / "02 é.png").read_bytes()
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    Image.fromarray(noise).save(folder / "cut.jpg", quality=95)
    (folder / "cut.jpg").write_bytes((folder / "cut.jpg").read_bytes()[:900])
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.gif").write_text("a text file")
    assert whole
    return {str(folder / name) for name in ("cut.jpg", "empty.png", "text.gif")}


@pytest.mark.parametrize("cache", ["memory", None])
def test_broken_pictures_are_named_once_counted_and_skipped(folder, caplog, cache):
    broken = break_pictures(folder)
    source = open_source(str(folder), image_shape=(10, 8, 3))
    with caplog.at_level(logging.WARNING, "kgan"):
        batches = kgan.data.batches(
            source, batch_size=4, value_range=(-1, 1), augment=(), cache=cache, shuffle=True, seed=0
        )
        for _ in range(2):
            assert sorted(joined(levels(batches))) == list(range(0, 240, 20))
    assert set(source.skipped) == broken
    named = [record.getMessage() for record in caplog.records]
    assert sum("cut.jpg" in line for line in named) == 1
    assert "(3 skipped so far)" in named[-1]


def test_strict_makes_a_broken_picture_an_error(folder):
    (folder / "text.gif").write_text("a text file")
    with pytest.raises(kgan.InputError, match=r"text\.gif"):
        kgan.data.from_folder(folder, strict=True, **settings())
    (folder / "text.gif").unlink()
    break_pictures(folder)
    for name in ("empty.png", "text.gif"):
        (folder / name).unlink()
    with pytest.raises(kgan.InputError, match=r"cut\.jpg"):  # decoded at once, into memory
        kgan.data.from_folder(folder, strict=True, **settings())
    with pytest.raises(kgan.InputError, match=r"cut\.jpg"):  # among the first, decoded to see
        kgan.data.from_folder(folder, strict=True, cache=None, **settings())
    for index in range(64):  # now it comes later
        flat(0).save(folder / f"0{index:03d}.png")
    source = open_source(str(folder), image_shape=(10, 8, 3), strict=True)
    batches = kgan.data.batches(
        source, batch_size=4, value_range=(-1, 1), augment=(), cache=None, shuffle=True, seed=0
    )
    with pytest.raises(tf.errors.OpError):
        list(batches)
    assert isinstance(source.error, kgan.InputError)
    assert "cut.jpg" in str(source.error)


def test_too_few_left_after_decoding_is_one_clear_error(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    for index in range(4):
        path = tmp_path / f"{index}.jpg"
        Image.fromarray(noise).save(path)
        if index:
            path.write_bytes(path.read_bytes()[:700])
    source = open_source(str(tmp_path))
    with pytest.raises(kgan.InputError, match="Only 2 of 4 pictures could be decoded; at least 3"):
        kgan.data.batches(
            source, batch_size=3, value_range=(-1, 1), augment=(), cache=None, shuffle=False, seed=0
        )


def test_arrays_of_every_kind():
    grey = np.arange(2 * 4 * 4, dtype=np.uint8).reshape(2, 4, 4)
    (batch,) = kgan.data.from_arrays(grey, batch_size=2, shuffle=False)
    assert batch.shape == (2, 4, 4, 1)
    floats = grey[..., None].repeat(3, -1) / 255.0
    (same,) = kgan.data.from_arrays(floats, batch_size=2, array_range=(0.0, 1.0), shuffle=False)
    np.testing.assert_allclose(same.numpy()[..., :1], batch.numpy(), atol=1e-6)
    (fitted,) = kgan.data.from_arrays(grey, batch_size=2, image_shape=(8, 6, 3))
    assert fitted.shape == (2, 8, 6, 3)


@pytest.mark.parametrize(
    ("array", "options", "message"),
    [
        (np.zeros((4, 4, 4)), {}, "range stated"),
        (np.full((4, 4, 4), 1.5), {"array_range": (0.0, 1.0)}, "1.5"),
        (np.full((4, 4, 4), np.nan), {"array_range": (0.0, 1.0)}, "nan"),
        (np.zeros((4, 4, 4), int), {}, "int64"),
        (np.zeros((4, 4, 4, 9), np.uint8), {}, r"\(4, 4, 4, 9\)"),
        (np.zeros((4, 4), np.uint8), {}, r"\(4, 4\)"),
        (np.zeros((4, 4, 4), np.uint8), {"batch_size": 5}, "batch of 5"),
        (np.zeros((4, 4, 4), np.uint8), {"batch_size": 0}, "Received: 0"),
        (np.zeros((4, 4, 4), np.uint8), {"augment": ["flop"]}, "Known: flip"),
        (np.zeros((4, 4, 4), np.uint8), {"fit": "stretch"}, "crop, pad"),
        (np.zeros((4, 4, 4), np.uint8), {"image_shape": (0, 4, 1)}, "image_shape"),
    ],
)
def test_arrays_that_cannot_be_used_are_named(array, options, message):
    with pytest.raises(kgan.InputError, match=message):
        kgan.data.from_arrays(array, **{"batch_size": 2, **options})


def test_folders_that_cannot_be_used_are_named(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    for path, message in (
        (tmp_path / "missing", "No such folder"),
        (folder / "notes.txt", "a file, not a folder"),
        (tmp_path / "empty", "No pictures"),
    ):
        with pytest.raises(kgan.InputError, match=f"{message}.*{path.name}"):
            kgan.data.from_folder(path, **settings())
    with pytest.raises(kgan.InputError, match="batch of 13"):
        kgan.data.from_folder(folder, **settings(batch_size=13))


def test_the_embedded_set_is_fashion_mnists_first_600_of_each_class():
    batches = kgan.data.embedded(batch_size=6000, image_shape=(28, 28, 1), shuffle=False)
    (pictures,) = (kgan.images.to_uint8(batch) for batch in batches)
    assert pictures.shape == (6000, 28, 28, 1)
    directory = Path(kgan.__file__).parent / "data" / "fashion_mnist"
    packed = (directory / "fashion_mnist_6000.npz").read_bytes()
    assert hashlib.sha256(packed).hexdigest() in (directory / "ORIGIN.md").read_text()
    labels = np.load(io.BytesIO(packed))["labels"]
    np.testing.assert_array_equal(np.bincount(labels), np.full(10, 600))
    debian = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz"
    try:
        with gzip.open(debian) as file:
            original = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28, 1)
    except FileNotFoundError:  # compared where Debian's dataset-fashion-mnist is installed
        return
    np.testing.assert_array_equal(pictures[:5000], original[:5000])


def test_array_files_and_shards_open_by_name(tmp_path, folder):
    pictures = np.arange(6 * 4 * 4, dtype=np.uint8).reshape(6, 4, 4)
    np.save(tmp_path / "one.npy", pictures)
    np.savez(tmp_path / "named.npz", labels=np.zeros(6), images=pictures)
    np.savez_compressed(tmp_path / "only.npz", whatever=pictures, labels=np.zeros(6))
    for name in ("one.npy", "named.npz", "only.npz"):
        source = open_source(str(tmp_path / name))
        assert (source.count, source.image_shape) == (6, (4, 4, 1))
        np.testing.assert_array_equal(source.images[..., 0], pictures)
    np.savez(tmp_path / "none.npz", labels=np.zeros(6))
    np.savez(tmp_path / "two.npz", a=pictures, b=pictures)
    np.save(tmp_path / "objects.npy", np.array([{}]), allow_pickle=True)
    (tmp_path / "text.npz").write_text("a text file")
    for name in ("none.npz", "two.npz", "objects.npy", "text.npz"):
        with pytest.raises(kgan.InputError, match=name):
            open_source(str(tmp_path / name))


@pytest.mark.parametrize("key", ["image", "image/encoded"])
def test_tfrecord_shards_give_the_pictures_packed_into_them(folder, tmp_path, key):
    files = sorted(folder.rglob("* é.png"))
    for shard in range(3):
        with tf.io.TFRecordWriter(str(tmp_path / f"pictures-{shard}.tfrecord")) as writer:
            for file in files[shard::3]:
                value = tf.train.Feature(bytes_list=tf.train.BytesList(value=[file.read_bytes()]))
                example = tf.train.Example(features=tf.train.Features(feature={key: value}))
                writer.write(example.SerializeToString())
    batches = kgan.data.from_tfrecords(tmp_path, seed=0, **settings())
    epochs = [joined(levels(batches)) for _ in range(2)]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(0, 240, 20))
    assert epochs[0] != epochs[1]
    one = kgan.data.from_tfrecords(tmp_path / "pictures-0.tfrecord", **settings())
    assert len(list(one)) == 1
    with pytest.raises(kgan.InputError, match=r"batch of 13.*12"):
        kgan.data.from_tfrecords(tmp_path, **settings(batch_size=13))
    with pytest.raises(kgan.InputError, match=r"No \.tfrecord files"):
        kgan.data.from_tfrecords(folder, **settings())


@pytest.mark.slow
def test_a_process_ends_though_a_pipeline_is_in_the_middle(folder):
    script = (
        "import sys, kgan\n"
        "options = dict(image_shape=(64, 64, 3), batch_size=2, cache=None, seed=0)\n"
        "batches = iter(kgan.data.from_folder(sys.argv[1], **options))\n"
        "next(batches)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, folder], timeout=120, check=False)
    assert done.returncode == 0
