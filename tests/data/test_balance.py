"""Every class as often as another: what an epoch shows, and that any place in it can be entered."""

import collections

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kgan.data import batches, open_source
from kgan.data.array_source import ArraySource
from kgan.data.choosing import without
from kgan.data.order import balanced_order
from kgan.errors import InputError

COUNTS = {"a": 14, "b": 2, "c": 5}
LABELS = np.repeat([0, 1, 2], list(COUNTS.values())).astype(np.int32)
BATCH = 4


def drawn(labels, *key):
    return list(balanced_order(labels, tf.constant(key, tf.int64)).as_numpy_iterator())


def test_an_epoch_shows_each_class_as_often_and_within_it_each_image():
    shuffled = np.random.default_rng(0).permutation(LABELS)
    epochs = [drawn(shuffled, 7, number) for number in range(3)]
    for epoch in epochs:
        assert [list(shuffled[epoch]).count(c) for c in range(3)] == [7, 7, 7]
        for label, size in enumerate(COUNTS.values()):
            times = collections.Counter(n for n in epoch if shuffled[n] == label)
            assert len(times) == min(size, 7)
            assert max(times.values()) - min(times.values()) <= 1
    assert len({tuple(epoch) for epoch in epochs}) == 3
    assert epochs[1] == drawn(shuffled, 7, 1)
    in_turn = balanced_order(LABELS, None).as_numpy_iterator()
    assert [int(LABELS[number]) for number in in_turn] == [0, 1, 2] * 7


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Flat pictures in three subfolders, each of its own level."""
    place = tmp_path_factory.mktemp("pictures")
    levels = iter(range(0, 210, 10))
    for name, count in COUNTS.items():
        (place / name).mkdir()
        for index in range(count):
            Image.new("L", (8, 8), next(levels)).save(place / name / f"{index:02d}.png")
    return place


def levels_of(source, cache, first, count):
    dataset = batches(
        source,
        batch_size=BATCH,
        value_range=(0, 1),
        cache=cache,
        seed=3,
        balance=True,
        first_batch=first,
    )
    return [
        np.rint(batch.numpy()[:, 0, 0, 0] * 255).astype(int).tolist()
        for batch in dataset.take(count)
    ]


@pytest.mark.parametrize("cache", ["memory", None])
def test_a_training_goes_on_where_it_stopped(folder, cache):
    def opened():
        # Of each class some are held out.
        return without(open_source(folder, image_shape=(8, 8, 1)), [0, 1, 2, 3, 14, 20])

    steps = (len(LABELS) - 6) // BATCH
    whole = levels_of(opened(), cache, 0, 3 * steps)
    for first in (1, steps, steps + 2):
        assert levels_of(opened(), cache, first, 2) == whole[first : first + 2]
    shown = np.array(whole).ravel() // 10
    assert not {0, 1, 2, 3, 14, 20} & set(shown)
    often = np.bincount(LABELS[shown], minlength=3)
    assert often.max() - often.min() <= 9  # at most one an epoch, and three left over of each


def test_another_pipeline_of_a_folder_is_not_balanced(folder):
    source = open_source(folder, image_shape=(8, 8, 1))
    settings = {"batch_size": 21, "value_range": (0, 255), "cache": None, "seed": 3}
    batches(source, balance=True, **settings)
    (shown,) = batches(source, **settings).take(1)
    levels = np.sort(np.rint(shown.numpy()[:, 0, 0, 0]))
    np.testing.assert_array_equal(levels, np.arange(0, 210, 10))


def test_what_has_no_known_classes_is_one_line(folder, tmp_path):
    images = np.zeros((8, 8, 8, 1), np.uint8)
    with pytest.raises(InputError, match=r"These pictures have no labels: .*Received: an array"):
        batches(ArraySource(images, "an array"), batch_size=2, balance=True)
    source = open_source(folder, image_shape=(8, 8, 1))
    with pytest.raises(InputError, match=r"Classes can be balanced .* 21 pictures, cached in"):
        batches(source, batch_size=2, balance=True, cache=tmp_path / "cache")
