"""The image transforms do what tensorflow-addons did (goldens: tools/tfa_reference), and
the same eagerly, in a tf.function of unknown shape, in tf.data and one picture at a time."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kgan.data import transforms
from kgan.errors import InputError

GOLDENS = Path(__file__).parents[1] / "goldens" / "tfa.npz"

# The transform and, for each of four pictures, its amounts.
CALLS = {
    "rotate": (transforms.rotate, [10.0, -75.0, 90.0, 200.0]),
    "translate": (transforms.translate, [2.0, -0.5, 0.0, 30.0], [1.25, 0.0, -3.0, 1.0]),
    "shear": (transforms.shear, [0.0, 0.25, -0.5, 1.0], [0.3, 0.0, -0.2, 1.0]),
    "cutout": (transforms.cutout, [0, 2, -3, 8], [1, 5, 4, -2], [3, 0, 9, 9], [2, 4, 7, 3]),
}


@pytest.fixture(scope="module")
def goldens():
    with np.load(GOLDENS) as archive:
        return dict(archive)


def assert_same(received, expected):
    np.testing.assert_allclose(received, expected, rtol=0, atol=1e-5)


def test_the_goldens_are_of_the_last_tensorflow_addons(goldens):
    assert goldens["versions/tensorflow_addons"] == "0.23.0"
    assert goldens["versions/tensorflow"] == "2.15.1"


@pytest.mark.parametrize(
    ("key", "fill"),
    [
        ("quarters/nearest", 0.0),  # quarter turns fall on pixels: bilinear is nearest
        ("quarters/bilinear", 0.0),
        ("oblique/bilinear", 0.0),
        ("oblique/bilinear_filled", None),
    ],
)
def test_rotate_is_tfas(goldens, key, fill):
    degrees = np.degrees(goldens[f"rotate/{key.split('/')[0]}/radians"])
    fill = goldens["rotate/fill"] if fill is None else fill
    rotated = transforms.rotate(goldens["images"], degrees, fill)
    assert_same(rotated, goldens[f"rotate/{key}"])


@pytest.mark.parametrize("key", ["whole/nearest", "whole/bilinear", "fraction/bilinear"])
def test_translate_is_tfas(goldens, key):
    right, down = goldens[f"translate/{key.split('/')[0]}/right_down"].T
    assert_same(
        transforms.translate(goldens["images"], down, right, 0.0), goldens[f"translate/{key}"]
    )


def test_shear_is_tfas_about_the_middle(goldens):
    right, down = goldens["shear/middle/right"], goldens["shear/middle/down"]
    for name, amounts in {
        "sheared_right": (0.0, right),
        "sheared_down": (down, 0.0),
        "sheared_both": (down, right),
    }.items():
        sheared = transforms.shear(goldens["images"], *amounts, goldens["shear/replace"][0])
        assert_same(sheared, goldens[f"shear/middle/{name}"])


def test_shear_is_tfas_shear_x_moved_to_the_middle(goldens):
    images, levels, fill = (goldens[f"shear/{key}"] for key in ("images", "levels", "replace"))
    sheared = transforms.shear(images, 0.0, -levels, fill[0]).numpy()
    rows, columns = images.shape[1:3]
    for picture, expected, level in zip(sheared, goldens["shear/x"], levels, strict=True):
        moved = int(level * (rows - 1) / 2)  # tfa's row 0 stays, ours is the middle one
        step = round(1 / abs(level))  # these rows move by whole pixels, where nearest is exact
        here = slice(max(0, moved), columns + min(0, moved))
        there = slice(max(0, -moved), columns + min(0, -moved))
        assert_same(picture[::step, here], expected[::step, there])


def test_shear_is_tfas_shear_y_moved_to_the_middle(goldens):
    images, levels, fill = (goldens[f"shear/{key}"] for key in ("images", "levels", "replace"))
    sheared = transforms.shear(images, -levels, 0.0, fill[0]).numpy()
    rows, columns = images.shape[1:3]
    for picture, expected, level in zip(sheared, goldens["shear/y"], levels, strict=True):
        moved = int(level * (columns - 1) / 2)
        step = round(1 / abs(level))
        here = slice(max(0, moved), rows + min(0, moved))
        there = slice(max(0, -moved), rows + min(0, -moved))
        assert_same(picture[here, ::step], expected[there, ::step])


def test_cutout_is_tfas(goldens):
    height, width = goldens["cutout/mask_size"]
    middle_row, middle_column = goldens["cutout/centres"].T
    top, left = middle_row - height // 2, middle_column - width // 2
    received = transforms.cutout(
        goldens["images"], top, left, height, width, goldens["cutout/fill"]
    )
    np.testing.assert_array_equal(received, goldens["cutout/outputs"])


def test_a_positive_angle_turns_as_pillows_does():
    picture = np.random.default_rng(0).uniform(-1, 1, (9, 9)).astype(np.float32)
    turned = np.asarray(Image.fromarray(picture).rotate(90))
    assert_same(transforms.rotate(picture[None, :, :, None], 90, -1.0)[0, :, :, 0], turned)
    assert_same(turned, np.rot90(picture))  # counterclockwise


def test_the_names_say_where_the_content_goes():
    picture = np.zeros((1, 5, 7, 1), np.float32)
    picture[0, 3, 4] = 1.0  # one below the middle, one right of it
    for moved, place in [
        (transforms.translate(picture, 1, -2, 0.0), (4, 2)),
        (transforms.shear(picture, 0.0, 2.0, 0.0), (3, 6)),
        (transforms.shear(picture, 1.0, 0.0, 0.0), (4, 4)),
        (transforms.rotate(picture, 180, 0.0), (1, 2)),
        (transforms.rotate(picture, 90, 0.0), (1, 4)),
    ]:
        assert_same(moved[0, *place, 0], 1.0)
        assert_same(tf.reduce_sum(moved), 1.0)


@pytest.mark.parametrize("name", CALLS)
def test_eager_in_tf_data_and_one_by_one_are_the_same(goldens, name):
    function, *amounts = CALLS[name]
    images = goldens["images"]
    eager = function(images, *amounts, -1.0)
    assert eager.shape == images.shape
    assert eager.dtype == tf.float32
    assert np.abs(eager - images).max() > 0.5

    dataset = tf.data.Dataset.from_tensors((images, *amounts))
    dataset = dataset.map(lambda images, *amounts: function(images, *amounts, -1.0))
    assert dataset.element_spec.shape == images.shape
    assert_same(next(iter(dataset)), eager)

    traced = tf.function(lambda images: function(images, *amounts, -1.0)).get_concrete_function(
        tf.TensorSpec((None, None, None, 3))
    )
    assert_same(traced(images), eager)

    for row in range(len(images)):
        one = [amount[row] for amount in amounts]
        assert_same(function(images[row : row + 1], *one, -1.0)[0], eager[row])


@pytest.mark.parametrize("name", CALLS)
def test_one_number_counts_for_all_pictures(goldens, name):
    function, *amounts = CALLS[name]
    first = [amount[0] for amount in amounts]
    assert_same(
        function(goldens["images"], *first, 0.5),
        function(goldens["images"], *[np.full(4, amount) for amount in first], 0.5),
    )
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        function(goldens["images"][:1], *amounts, 0.5)  # amounts of four pictures for one


@pytest.mark.parametrize("name", CALLS)
def test_nothing_to_do_changes_nothing(goldens, name):
    function, *amounts = CALLS[name]
    received = function(goldens["images"], *[0.0] * len(amounts), -1.0)
    np.testing.assert_array_equal(received, goldens["images"])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
@pytest.mark.parametrize("name", CALLS)
def test_the_dtype_stays(goldens, name, dtype):
    function, *amounts = CALLS[name]
    received = function(tf.cast(goldens["images"], dtype), *amounts, -1.0)
    assert received.dtype == dtype
    expected = function(goldens["images"], *amounts, -1.0)
    np.testing.assert_allclose(tf.cast(received, tf.float32), expected, atol=0.03)


@pytest.mark.parametrize("name", CALLS)
def test_a_flat_picture_of_the_fill_stays_flat(name):
    function, *amounts = CALLS[name]
    flat = np.full((4, 5, 8, 1), -1.0, np.float32)
    assert_same(function(flat, *amounts, -1.0), flat)


@pytest.mark.parametrize(
    ("function", "amounts"),
    [
        (transforms.translate, ([2.0, -0.5, 0.0, 30.0], [1.25, 0.0, -3.0, 1.0])),
        (transforms.cutout, (2, 5, [3, 0, 9, 9], 4)),
        (transforms.shear, (0.0, [0.37, -0.2, 1.0, 0.05])),
        (transforms.shear, ([0.37, -0.2, 1.0, 0.05], 0.0)),
    ],
)
def test_gradients_are_exact_where_the_docstring_says_so(goldens, function, amounts):
    images = tf.constant(goldens["images"])
    weights = np.random.default_rng(0).normal(size=images.shape).astype(np.float32)
    with tf.GradientTape() as tape:
        tape.watch(images)
        total = tf.reduce_sum(function(images, *amounts, 0.0) * weights)
    # The transforms are linear when the fill is 0.
    other = np.random.default_rng(1).normal(size=images.shape).astype(np.float32)
    expected = tf.reduce_sum(function(other, *amounts, 0.0) * weights)
    received = tf.reduce_sum(tape.gradient(total, images) * other)
    np.testing.assert_allclose(received, expected, rtol=1e-4)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    "images", [np.zeros((2, 4, 4, 3), np.uint8), np.zeros((4, 4, 3), np.float32)]
)
def test_what_is_no_float_batch_is_named(name, images):
    function, *amounts = CALLS[name]
    with pytest.raises(InputError, match=rf"Received: {images.dtype}"):
        function(images, *[0.0] * len(amounts), 0.0)
