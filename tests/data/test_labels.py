"""Labels: from subfolders, arrays, files, TFDS's label and the embedded set; kept with pictures."""

import numpy as np
import pytest
from PIL import Image

import kgan
from kgan import labels as label_law
from kgan.data import open_source
from kgan.data.array_labels import number_labels

RNG = np.random.default_rng(1)


@pytest.fixture
def folder(tmp_path):
    """Two classes of flat pictures: apples of level 50 + index, pears of 150 + index."""
    for name, level in (("pears", 150), ("apples", 50)):
        (tmp_path / name / "more").mkdir(parents=True)
        for index in range(6):
            place = tmp_path / name / ("more" if index % 2 else ".")
            Image.new("L", (8, 8), level + index).save(place / f"{index}.png")
    return tmp_path


def read(batches):
    images, labels = zip(*batches.as_numpy_iterator(), strict=True)
    return np.concatenate(images), np.concatenate(labels)


@pytest.mark.parametrize("cache", ["memory", None, "file"])
@pytest.mark.parametrize("shuffle", [False, True])
def test_subfolders_are_classes_by_name(folder, tmp_path, cache, shuffle):
    batches = kgan.data.from_folder(
        folder,
        image_shape=(8, 8, 1),
        batch_size=3,
        value_range=(0, 255),
        cache=str(tmp_path / "cache" / "c") if cache == "file" else cache,
        shuffle=shuffle,
        seed=2,
        labels=True,
    )
    for _ in range(2):
        images, labels = read(batches)
        assert labels.dtype == np.int32
        levels = images.mean((1, 2, 3))
        np.testing.assert_array_equal(labels, levels > 100)  # apples 0, pears 1
        assert sorted(np.rint(levels)) == [*range(50, 56), *range(150, 156)]
    assert open_source(folder).class_names == ["apples", "pears"]


def test_a_picture_outside_the_subfolders_means_no_classes(folder):
    Image.new("L", (8, 8)).save(folder / "stray.png")
    assert open_source(folder).class_names is None
    arguments = {"image_shape": (8, 8, 1), "batch_size": 3}
    assert len(list(kgan.data.from_folder(folder, **arguments))) == 4
    with pytest.raises(kgan.InputError, match="no labels"):
        kgan.data.from_folder(folder, **arguments, labels=True)


def test_labels_go_with_their_pictures_through_augmentation():
    images = np.repeat(np.arange(12, dtype=np.uint8), 64).reshape(12, 8, 8)
    labels = np.arange(12) % 3
    batches = kgan.data.from_arrays(
        images, labels=labels, batch_size=4, value_range=(0, 255), augment=["flip"], seed=1
    )
    made, classes = read(batches)
    np.testing.assert_array_equal(classes, np.rint(made.mean((1, 2, 3))) % 3)


@pytest.mark.parametrize("names", [("images", "labels"), ("x_train", "y_train")])
def test_an_array_file_brings_its_labels(tmp_path, names):
    images = RNG.integers(0, 256, (6, 8, 8), np.uint8)
    labels = np.array([[2], [0], [1], [2], [0], [1]])  # a column, as keras.datasets has them
    np.savez(tmp_path / "set.npz", **dict(zip(names, (images, labels), strict=True)))
    source = open_source(tmp_path / "set.npz", labels=True)
    assert source.class_names == ["0", "1", "2"]
    np.testing.assert_array_equal(source.labels, labels[:, 0])
    assert open_source(tmp_path / "set.npz").class_names is None


def of_named_classes(path, labels, names):
    images = np.zeros((4, 8, 8), np.uint8)
    np.savez(path, images=images, labels=np.array(labels), class_names=np.array(names))
    return open_source(path, labels=True)


@pytest.mark.parametrize("labels", [[1, 0, 0, 1], [2, 1, 1, 2], [1.0, 0.0, 0.0, 1.0]])
@pytest.mark.parametrize("form", [str, str.encode])
def test_an_array_file_may_name_its_classes(labels, form, tmp_path, caplog):
    """From 0 or from 1 up; a composed e-acute is a decomposed one."""
    path = tmp_path / "set.npz"
    source = of_named_classes(path, labels, [form("pe\N{COMBINING ACUTE ACCENT}ar"), form("apple")])
    assert source.class_names == ["p\N{LATIN SMALL LETTER E WITH ACUTE}ar", "apple"]
    assert source.labels.tolist() == [1, 0, 0, 1]
    said = ["labels run from 1 to 2: the class named 1 becomes label 0"] if 2 in labels else []
    assert [record.message for record in caplog.records] == said
    assert open_source(path).class_names is None


@pytest.mark.parametrize(
    ("labels", "names", "known", "why"),
    [
        ([0, 1, 2, 1], ["a", "b"], ["0", "1", "2"], "2 names for 3 classes"),
        ([0, 1, 1, 1], ["a", "b", "c"], ["0", "1"], "3 names for 2 classes"),
        ([0, 1, 1, 1], ["a", "a"], ["0", "1"], "each class has a name of its own, not ['a', 'a']"),
        ([0, 1, 1, 1], [1, 2], ["0", "1"], "they are no texts but int64"),
        ([0, 1, 1, 1], np.array(["a", "b"], object), ["0", "1"], "they are no texts but object"),
        (["d", "e", "d", "e"], ["a", "b"], ["d", "e"], None),
        ([b"d", b"e", b"d", b"e"], [1], ["d", "e"], None),
    ],
)
def test_names_of_classes_that_do_not_fit_are_ignored(labels, names, known, why, tmp_path, caplog):
    assert of_named_classes(tmp_path / "set.npz", labels, names).class_names == known
    said = [f"class_names are ignored: {why}"] if why else []
    assert [record.message for record in caplog.records] == said


@pytest.mark.parametrize(
    ("labels", "names", "message"),
    [
        ([0, 1, 2, 1], ["a", "b"], "A label is a whole number from 0 to 1. Received: 2"),
        ([0, 1, 1, 1], ["a", "b", "c"], "Every label from 0 to 2 needs at least one picture"),
        ([0, 1, 1, 1], ["a", "a"], r"Each class has a name of its own. Received: \['a', 'a'\]"),
    ],
)
def test_names_of_classes_that_do_not_fit_are_an_error_in_python(labels, names, message):
    with pytest.raises(kgan.InputError, match=message):
        number_labels(labels, 4, names)


def test_names_as_labels_are_numbered_in_their_order():
    images = RNG.integers(0, 256, (4, 8, 8), np.uint8)
    batches = kgan.data.from_arrays(
        images, labels=["pear", "apple", "pear", "fig"], batch_size=4, shuffle=False
    )
    assert read(batches)[1].tolist() == [2, 0, 2, 1]


def test_the_embedded_set_has_ten_classes_of_600():
    source = open_source(None)
    assert len(source.class_names) == 10
    assert source.class_names[8] == "Bag"
    assert np.bincount(source.labels).tolist() == [600] * 10
    images, labels = next(iter(kgan.data.embedded(batch_size=64, labels=True, seed=0)))
    assert images.shape == (64, 32, 32, 1)
    # Trousers are lit in the middle and dark at both sides; a fact of the pictures themselves.
    pictures = source.images[source.labels == 1].mean((0, 3))
    assert pictures[16, :6].max() < 20
    assert pictures[:, 16].mean() > 60
    assert set(labels.numpy()) <= set(range(10))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1, 2], r"4 whole numbers or names, one per picture\. Received: int64 \(3,\)"),
        ([0.0, 1.0, 0.5, 1.0], "whole numbers or names. Received: 0.5"),
        ([0.0, np.nan, 0.0, 1.0], "whole numbers or names. Received: nan"),
        (np.array([0, None, 1, 1], object), "all of one kind. Received: None"),
        ([0, 2**60, 1, 1], "label 2 has none"),
        ([True] * 4, "label 0 has none"),
        (np.zeros((4, 1, 1), bool), r"Received: bool \(4, 1, 1\)"),
        ([0, 1, -1, 1], "from 0 up. Received: -1"),
        ([0, 3, 1, 0], r"needs at least one picture; label 2 has none\."),
        ([0, 0, 0, 0], "at least two classes"),
    ],
)
def test_labels_that_cannot_be_used_are_named(labels, message):
    with pytest.raises(kgan.InputError, match=message):
        kgan.data.from_arrays(np.zeros((4, 8, 8), np.uint8), labels=np.array(labels), batch_size=2)


def test_labels_from_seeds_words_and_numbers():
    assert label_law.from_seeds([0, 5, 12], 10).tolist() == [0, 5, 2]
    assert label_law.check_labels(3, 2, 4).tolist() == [3, 3]
    assert label_law.index_of("pear", ["apple", "pear"], 2) == 1
    assert label_law.index_of("1", ["apple", "pear"], 2) == 1
    assert label_law.index_of("7", ["7", "0"], 2) == 0  # a name comes before a number
    with pytest.raises(kgan.InputError, match=r"Known: apple, pear\. Received: 'fig'"):
        label_law.index_of("fig", ["apple", "pear"], 2)
    with pytest.raises(kgan.InputError, match=r"Known: 0 to 2\. Received: '3'"):
        label_law.index_of("3", None, 3)
    for bad in (1.5, [0, 1, 2], "0"):
        with pytest.raises(kgan.InputError, match="whole number"):
            label_law.check_labels(bad, 2, 3)
