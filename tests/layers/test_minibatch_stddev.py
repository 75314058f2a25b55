"""Minibatch standard deviation against NumPy and the published layer's arithmetic."""

import numpy as np
import pytest
import tensorflow as tf

from kgan.errors import InputError
from kgan.layers import MinibatchStdDev

RNG = np.random.default_rng(8)


def published(maps, group_size):
    """StyleGAN2's own arithmetic, for batches that the group divides, in float64."""
    size = min(group_size, len(maps))
    grouped = maps.astype(np.float64).reshape(size, -1, *maps.shape[1:])
    spread = np.sqrt(((grouped - grouped.mean(0)) ** 2).mean(0) + 1e-8).mean((1, 2, 3))
    return np.tile(spread, size)


def of_members(maps, group_size):
    """Image by image, from the members of its group, whatever the batch."""
    groups = max(1, len(maps) // group_size)
    each = []
    for index in range(len(maps)):
        group = maps[index % groups :: groups].astype(np.float64)
        each.append(np.sqrt(group.var(0) + 1e-8).mean())
    return np.array(each)


@pytest.mark.parametrize("batch", [1, 3, 4, 8, 12, 7, 10])
def test_each_image_is_told_how_much_its_group_differs(batch):
    maps = RNG.normal(1.0, 2.0, (batch, 3, 2, 5)).astype(np.float32)
    outputs = MinibatchStdDev()(maps, training=True).numpy()
    np.testing.assert_array_equal(outputs[..., :5], maps)
    assert np.ptp(outputs[..., 5], axis=(1, 2)).max() == 0
    np.testing.assert_allclose(outputs[:, 0, 0, 5], of_members(maps, 4), rtol=1e-5)
    if batch <= 4 or batch % 4 == 0:
        np.testing.assert_allclose(outputs[:, 0, 0, 5], published(maps, 4), rtol=1e-5)


def test_in_inference_an_image_does_not_depend_on_the_others():
    layer = MinibatchStdDev(momentum=0.75)
    maps = RNG.normal(size=(8, 2, 2, 3)).astype(np.float32)
    expected = 0.0
    for batch in (maps, 5 * maps):
        layer(batch, training=True)
        expected = 0.75 * expected + 0.25 * of_members(batch, 4).mean()
    outputs = layer(maps, training=False).numpy()
    np.testing.assert_allclose(outputs[..., 3], expected, rtol=1e-5)
    np.testing.assert_array_equal(outputs[2:3], layer(maps[2:3], training=False))


def test_equal_images_have_finite_first_and_second_derivatives():
    maps = tf.ones((4, 2, 2, 3))
    layer = MinibatchStdDev()
    with tf.GradientTape() as outer:
        outer.watch(maps)
        with tf.GradientTape() as inner:
            inner.watch(maps)
            total = tf.reduce_sum(tf.square(layer(maps, training=True)))
        penalty = tf.reduce_sum(tf.square(inner.gradient(total, maps)))
    assert np.isfinite(outer.gradient(penalty, maps)).all()


def test_the_number_does_not_overflow_in_float16():
    layer = MinibatchStdDev(dtype="mixed_float16")
    maps = np.zeros((4, 2, 2, 1), np.float16)
    maps[0] = 1000.0  # whose square is beyond float16
    outputs = layer(maps, training=True).numpy()
    assert outputs.dtype == np.float16
    expected = np.float32(maps).std(0).max()
    np.testing.assert_allclose(np.float32(outputs[..., 1]), expected, rtol=1e-3)


def test_arguments_that_make_no_group_are_named():
    with pytest.raises(InputError, match=r"above 1\. Received: 1"):
        MinibatchStdDev(group_size=1)
    with pytest.raises(InputError, match=r"below 1. Received: 1\.0"):
        MinibatchStdDev(momentum=1.0)
