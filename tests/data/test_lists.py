"""Lists of arrays and of Pillow images, of one size and of several; labels of every type."""

import numpy as np
import pytest
from PIL import Image

import kgan
from kgan.data import decode
from kgan.data.builders import array_source
from kgan.data.embedded_sets import embedded_source

RNG = np.random.default_rng(3)
SIZES = [(20, 20), (18, 24), (16, 16), (40, 10)]
ARRAYS = [RNG.integers(0, 256, (*size, 3), np.uint8) for size in SIZES]


def read(images, **options):
    batches = kgan.data.from_arrays(
        images, batch_size=4, value_range=(0, 255), shuffle=False, **options
    )
    return next(iter(batches))


@pytest.mark.parametrize("kind", ["arrays", "floats", "objects", "pillow", "mixed", "files"])
@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_several_sizes_are_fitted_as_those_of_a_folder(tmp_path, kind, fit):
    opened = [Image.fromarray(array) for array in ARRAYS]
    for place, image in enumerate(opened):
        image.save(tmp_path / f"{place}.png")
    objects = np.empty(4, object)
    objects[:] = ARRAYS
    images = {
        "arrays": ARRAYS,
        "floats": [array / 255.0 for array in ARRAYS],
        "objects": objects,
        "pillow": opened,
        "mixed": [*ARRAYS[:2], *opened[2:]],
        "files": [Image.open(tmp_path / f"{place}.png") for place in range(4)],
    }[kind]
    given = {"array_range": (0, 1)} if kind == "floats" else {}
    made = read(images, image_shape=(16, 12, 3), fit=fit, **given)
    expected = [
        decode.decode(tmp_path / f"{place}.png", (16, 12, 3), fit, (255, 255, 255))
        for place in range(4)
    ]
    np.testing.assert_array_equal(made, np.stack(expected))


def test_one_image_in_a_list_many_times_transparent_or_of_one_size(tmp_path):
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "a.png")
    image = Image.open(tmp_path / "a.png")
    np.testing.assert_array_equal(read([image] * 4), np.full((4, 8, 8, 3), 255))
    grey = read([Image.new("L", (9, 8), n) for n in range(4)])
    np.testing.assert_array_equal(grey[:, 7, 8, :], [[0], [1], [2], [3]])
    assert read(tuple(np.zeros((8, 8), np.uint8) for _ in range(4))).shape == (4, 8, 8, 1)


@pytest.mark.parametrize(
    ("images", "options", "says"),
    [
        (ARRAYS, {}, "several sizes need an image_shape"),
        ([*ARRAYS[:3], None], {"image_shape": (8, 8, 3)}, "Received: number 3, None"),
        ([*ARRAYS[:3], np.zeros((4, 4, 2))], {"image_shape": (8, 8)}, r"number 3, an array \(4, 4"),
        ([*ARRAYS[:3], [[1], [2, 3]]], {"image_shape": (8, 8, 3)}, "number 3, an array"),
        ([array / 255.0 for array in ARRAYS], {"image_shape": (8, 8, 3)}, "range stated"),
        ([], {}, r"Received: \(0,\)"),
        ([None] * 4, {}, r"Received: \(4,\)"),
        ([Image.new("F", (4, 4))] * 4, {}, "images of floats"),
    ],
)
def test_lists_that_cannot_be_used_are_one_line(images, options, says):
    with pytest.raises(kgan.InputError, match=says):
        read(images, **options)


def test_a_pillow_image_of_a_damaged_file_is_named(tmp_path):
    Image.fromarray(ARRAYS[0]).save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:200])
    images = [*ARRAYS[:3], Image.open(tmp_path / "cut.png")]
    with pytest.raises(kgan.InputError, match="cannot be read"):
        read(images, image_shape=(8, 8, 3))


def test_arrays_are_not_scaled_before_they_are_needed():
    source = embedded_source((2048, 2048), "crop", (255, 255, 255))  # 24 GiB
    assert source.image_shape == (2048, 2048, 1)
    assert source.count == 6000
    small = array_source(ARRAYS[0][None], None, (4, 4, 3), "crop", (0, 0, 0), "one")
    assert small.images is small.images
    assert small.images.shape == (1, 4, 4, 3)


@pytest.mark.parametrize(
    ("labels", "numbers", "names"),
    [
        (np.array([1.0, 0.0, 1.0, 2.0], np.float16), [1, 0, 1, 2], ["0", "1", "2"]),
        ([1.0, 2.0, 2.0, 1.0], [0, 1, 1, 0], ["1", "2"]),
        ([True, False, False, True], [1, 0, 0, 1], ["False", "True"]),
        (np.array([0, 1, 1, 0], object), [0, 1, 1, 0], ["0", "1"]),
        (np.array([True, False, True, True], object), [1, 0, 1, 1], ["False", "True"]),
        (np.array([np.str_("b"), "a", b"c", "a"], object), [1, 0, 2, 0], ["a", "b", "c"]),
        (np.array([[1], [0], [1], [1]], np.uint64), [1, 0, 1, 1], ["0", "1"]),
        (
            np.array(["\u732b".encode(), b"\xe9", b"a", b"a"]),
            [2, 0, 1, 1],
            ["\\xe9", "a", "\u732b"],
        ),
        (["e\u0301", "\u00e9", "x", "x"], [1, 1, 0, 0], ["x", "\u00e9"]),
    ],
)
def test_labels_of_any_type(labels, numbers, names):
    images = np.zeros((4, 4, 4), np.uint8)
    assert read(images, labels=labels)[1].numpy().tolist() == numbers
    how = (None, None, "crop", (0, 0, 0), "some")
    assert array_source(images, *how, labels=labels).class_names == names
