"""IDX, CIFAR and SVHN: the files' own pictures and labels, and what cannot be used."""

import gzip
import io
import pickle
import struct
import tarfile
import tracemalloc

import numpy as np
import pytest
import scipy.io
from PIL import Image

import kgan
from kgan.data import open_source
from kgan.data.cifar_pickles import read_pickle

RNG = np.random.default_rng(0)


def idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def old_array(array):
    """An array of bytes as Python 2 pickled it, in opcodes: so are the files that are given out."""
    raw, shape = array.tobytes(), b"".join(b"J" + struct.pack("<i", n) for n in array.shape)
    return (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR"
        b"(K\x01(" + shape + b"tcnumpy\ndtype\n(U\x02u1K\x00K\x01tR"
        b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        b"T" + struct.pack("<i", len(raw)) + raw + b"tb"
    )


def old_pickle(**entries):
    """A dict of arrays, whole numbers and texts as Python 2 pickled it."""

    def value(of):
        if isinstance(of, np.ndarray):
            return old_array(of)
        if isinstance(of, list):
            return b"](" + b"".join(map(value, of)) + b"e"
        if isinstance(of, str):
            return b"U" + bytes([len(of)]) + of.encode()
        return b"K" + bytes([of])

    items = b"".join(value(name) + value(of) for name, of in entries.items())
    return b"\x80\x02}(" + items + b"u."


def tarred(path, files, kind):
    with tarfile.open(path, f"w:{kind}") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def cifar(count, classes):
    """Random pictures (N, 3, 32, 32) and labels with every class."""
    labels = np.arange(count) % classes
    return RNG.integers(0, 256, (count, 3, 32, 32), np.uint8), labels.astype(np.uint8)


def check(path, images, labels, names, **options):
    source = open_source(path, labels=True, **options)
    np.testing.assert_array_equal(source.images, images)
    np.testing.assert_array_equal(source.labels, labels)
    assert source.class_names == names
    batches = kgan.data.batches(
        source, batch_size=4, value_range=(0, 255), labels=True, shuffle=False
    )
    first, of_first = next(iter(batches))
    np.testing.assert_array_equal(first, images[:4])
    np.testing.assert_array_equal(of_first, labels[:4])


@pytest.mark.parametrize("suffixes", [("", ".gz"), (".gz", "")])
@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "t10k-images.idx3-ubyte"])
def test_idx_files_and_the_labels_beside(tmp_path, name, suffixes):
    images = RNG.integers(0, 256, (6, 5, 7), np.uint8)
    labels = np.array([2, 0, 1, 1, 0, 2], np.uint8)
    for part, array, suffix in zip(("images", "labels"), (images, labels), suffixes, strict=True):
        data = idx(array)
        own = name.replace("images", part).replace("idx3", f"idx{array.ndim}") + suffix
        (tmp_path / own).write_bytes(gzip.compress(data) if suffix else data)
    check(tmp_path / f"{name}{suffixes[0]}", images[..., None], labels, ["0", "1", "2"])


def python_10(count=20):
    images, labels = cifar(count, 10)
    names = [f"kind {n}" for n in range(10)]
    half = count // 2
    files = {
        f"data_batch_{n + 1}": old_pickle(
            batch_label="training",
            labels=labels[part].tolist(),
            data=images[part].reshape(half, -1),
        )
        for n, part in enumerate((slice(half), slice(half, None)))
    }
    files["test_batch"] = old_pickle(labels=labels[:10].tolist(), data=images[:10, ::-1].copy())
    files["batches.meta"] = old_pickle(num_vis=30, label_names=names)
    return files, images, labels, names


def python_100():
    images, labels = cifar(100, 100)
    names = [f"fine {n}" for n in range(100)]
    coarse = [n // 5 for n in range(100)]
    entries = {"coarse_labels": coarse, "fine_labels": labels.tolist()}
    return (
        {
            "train": old_pickle(data=images.reshape(100, -1), **entries),
            "test": old_pickle(data=images[::-1].reshape(100, -1).copy(), **entries),
            "meta": old_pickle(fine_label_names=names, coarse_label_names=["x"]),
        },
        images,
        labels,
        names,
    )


def test_cifar_10_in_pickles(tmp_path):
    files, images, labels, names = python_10()
    expected = images.transpose(0, 2, 3, 1)
    inside = {f"cifar-10-batches-py/{name}": data for name, data in files.items()}
    archive = tarred(tmp_path / "cifar-10-python.tar.gz", inside, "gz")
    check(archive, expected, labels, names)
    test = expected[:10, ..., ::-1]  # the channels were turned around
    check(archive, test, labels[:10], names, split="test")
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    check(folder, expected, labels, names)
    assert open_source(folder).image_shape == (32, 32, 3)
    # As Python 3 saves them again.
    again = {"data": images[:10].reshape(10, -1), "labels": labels[:10].tolist()}
    (folder / "data_batch_1").write_bytes(pickle.dumps({b"data": again["data"], **again}))
    check(folder, expected, labels, names)


def test_cifar_100_in_pickles_has_its_fine_labels(tmp_path):
    files, images, labels, names = python_100()
    inside = {f"cifar-100-python/{name}": data for name, data in files.items()}
    archive = tarred(tmp_path / "cifar-100-python.tar", inside, "")
    check(archive, images.transpose(0, 2, 3, 1), labels, names)
    check(archive, images[::-1].transpose(0, 2, 3, 1), labels, names, split="test")


def test_a_folder_of_pictures_with_a_file_of_such_a_name_is_one_of_pictures(tmp_path):
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        Image.new("RGB", (8, 8)).save(tmp_path / split / "a.png")
    (tmp_path / "meta").write_text("of mine", encoding="utf-8")
    assert open_source(tmp_path, split="all").count == 2


def test_cifar_in_bin_files(tmp_path):
    images, labels = cifar(100, 100)
    rows = [
        bytes([n // 5, label]) + image.tobytes()
        for n, (image, label) in enumerate(zip(images, labels, strict=True))
    ]
    names = [f"fine {n}" for n in range(100)]
    inside = {
        "cifar-100-binary/train.bin": b"".join(rows),
        "cifar-100-binary/fine_label_names.txt": "\n".join(names).encode() + b"\n",
    }
    archive = tarred(tmp_path / "cifar-100-binary.tar.gz", inside, "gz")
    check(archive, images.transpose(0, 2, 3, 1), labels, names)
    ten = b"".join(bytes([n % 10]) + image.tobytes() for n, image in enumerate(images[:20]))
    (tmp_path / "data_batch_1.bin").write_bytes(ten)
    own = [str(n) for n in range(10)]
    expected = images[:20].transpose(0, 2, 3, 1)
    check(tmp_path / "data_batch_1.bin", expected, np.arange(20) % 10, own)
    (tmp_path / "batches.meta.txt").write_text("\n".join("abcdefghij") + "\n\n", encoding="utf-8")
    check(tmp_path / "data_batch_1.bin", expected, np.arange(20) % 10, list("abcdefghij"))
    check(tmp_path, expected, np.arange(20) % 10, list("abcdefghij"))


def test_svhn_has_its_pictures_last_and_calls_the_zero_ten(tmp_path):
    images = RNG.integers(0, 256, (12, 32, 32, 3), np.uint8)
    digits = np.arange(12) % 10
    y = np.where(digits == 0, 10, digits)[:, None].astype(np.uint8)
    path = tmp_path / "train_32x32.mat"
    scipy.io.savemat(path, {"X": images.transpose(1, 2, 3, 0), "y": y}, do_compression=True)
    check(path, images, digits, [str(n) for n in range(10)])


class Foreign:
    def __reduce__(self):
        return (open, ("/tmp/kgan-was-run", "w"))


def spoilt(tmp_path, kind):
    images = RNG.integers(0, 256, (6, 5, 7), np.uint8)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    if kind == "gzip":
        path.write_bytes(gzip.compress(idx(images))[:-40])
    elif kind == "short":
        path.write_bytes(gzip.compress(idx(images)[:-1]))
    elif kind == "long":
        path.write_bytes(gzip.compress(idx(images) + b"x"))
    elif kind == "bomb":
        path.write_bytes(gzip.compress(struct.pack(">HBB3I", 0, 8, 3, *[2**20] * 3)))
    elif kind == "shorts":
        path.write_bytes(struct.pack(">HBB3I", 0, 11, 3, 1, 1, 1) + b"xx")
    elif kind == "counts":
        path.write_bytes(idx(images))
        (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(np.zeros(5, np.uint8)))
    elif kind in ("mat", "cells", "no mat"):
        path = tmp_path / "a.mat"
        cells = np.full((4, 4, 3, 2), 1.0, object)
        scipy.io.savemat(path, {"X": cells if kind == "cells" else images})
        if kind == "no mat":
            path.write_bytes(b"MATLAB 5.0 no")
    elif kind == "no y":
        path = tmp_path / "a.mat"
        scipy.io.savemat(path, {"X": np.zeros((4, 4, 3, 2), np.uint8), "y": np.zeros((3, 1))})
    elif kind in ("size", "no bin"):
        path = tmp_path / "test_batch.bin"
        if kind == "size":
            path.write_bytes(bytes(3072))
    else:
        files, pictures, _, _ = python_10()
        data = pictures[:10].reshape(10, -1)
        files["data_batch_1"] = {
            "foreign": pickle.dumps({"data": Foreign(), "labels": [0]}),
            "built in": b"\x80\x02cbuiltins\neval\n(U\x031+1tR.",
            "labels": old_pickle(data=data, labels=[1, 2]),
            "pictures": old_pickle(data=data[:, 1:].copy(), labels=[1] * 10),
            "floats": pickle.dumps({"data": data / 2, "labels": [1] * 10}),
            "list": pickle.dumps([1, 2]),
            "cut pickle": files["data_batch_1"][:-9],
            "memo": b"\x80\x02}r\xff\xff\xff\xff.",
            "nested": b"\x80\x02})" + b"\x85" * 500_000 + b"K\x01s.",  # its hash: no stack holds it
            "laughs": old_pickle(data=data, labels=[[[1] * 3] * 3] * 10),
        }.get(kind, files["data_batch_1"])
        if kind == "no train":
            files = {"test_batch": files["test_batch"]}
        path = tarred(tmp_path / "cifar-10-python.tar.gz", files, "gz")
        if kind == "archive":
            path.write_bytes(path.read_bytes()[:-900])
    return path


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("gzip", "Damaged, or not readable: .*ubyte.gz"),
        ("short", "6x5x7, 210 values, and only 209 follow"),
        ("long", "210 values, and more follow"),
        ("bomb", "needs at least .* of memory"),
        ("shorts", "Received: 00 00 0b 03"),
        ("counts", "Received: 6 pictures .* and 5 labels in train-labels-idx1-ubyte"),
        ("mat", r"one of SVHN's, with pictures X \(32, 32, 3, N\). Received: .* with X"),
        ("no y", "2 pictures and 3 labels"),
        ("cells", "one of SVHN's, with pictures"),
        ("no mat", "Not a readable .mat file"),
        ("size", "3073 bytes per picture. Received: 3,072 bytes"),
        ("no bin", "No such file"),
        ("foreign", r"it names (_)?io.open, which is not run"),
        ("built in", "it names builtins.eval, which is not run"),
        ("labels", "10 pictures and 2 labels in data_batch_1"),
        ("pictures", "3072 bytes each"),
        ("floats", "something else than unsigned bytes"),
        ("list", "a list and no dict"),
        ("cut pickle", "Not a file of CIFAR: data_batch_1"),
        ("memo", "a note numbered 4,294,967,295"),
        ("nested", "500,000 tuples"),
        ("laughs", "labels are whole numbers. Received: a list in data_batch_1"),
        ("no train", "No batches of CIFAR's train there. Received: .* with test_batch"),
        ("archive", "Damaged, or not readable: .*tar.gz"),
    ],
)
def test_what_cannot_be_used_is_one_line(tmp_path, kind, says):
    path = spoilt(tmp_path, kind)
    with pytest.raises(kgan.InputError, match=says) as caught:
        open_source(path, labels=True)
    assert "\n" not in str(caught.value)


def test_arrays_that_share_one_text_take_no_memory_each():
    size = 2**20
    text = b"X" + struct.pack("<I", size) + b"a" * size + b"q\x010"
    kind = b"cnumpy\ndtype\nU\x02u1\x85R"
    state = b"(K\x01J" + struct.pack("<i", size) + b"\x85" + kind + b"\x89h\x01t"
    array = b"cnumpy.core.multiarray\n_reconstruct\n)R" + state + b"b"
    tracemalloc.start()
    try:
        content = read_pickle(b"\x80\x02" + text + b"}U\x01x](" + array * 300 + b"es.")
        assert tracemalloc.get_traced_memory()[1] < 20 * size
    finally:
        tracemalloc.stop()
    assert len(content["x"]) == 300
