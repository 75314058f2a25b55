"""Receptive and projective fields against where gradients are not 0."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import kgan
from kgan.explore.receptive_field import Box, projective_field, receptive_field


def box_of(mask):
    """The smallest box with all places of a bool array (H, W); of no size where there are none."""
    if not mask.any():
        return Box(0, 0, 0, 0)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return Box(rows[0], columns[0], rows[-1] + 1, columns[-1] + 1)


def with_positive_weights(network, seed=0):
    """The network with weights above 0: nothing cancels, and no rectifier is silent."""
    rng = np.random.default_rng(seed)
    network.set_weights([rng.uniform(0.1, 1, w.shape) for w in network.get_weights()])
    return network


def support(network, layer, row, column):
    """The pixels that a place's gradient reaches."""
    inner = keras.Model(network.input, network.get_layer(layer).output)
    image = tf.Variable(np.random.default_rng(1).uniform(0.1, 1, (1, *network.input_shape[1:])))
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(inner(tf.cast(image, tf.float32))[0, row, column])
    return box_of(np.abs(tape.gradient(value, image)[0]).sum(-1) > 0)


def reached(network, layer, row, column, last=None):
    """The pixels of the output, or of the last layer's, that change with a place of maps."""
    maps = network.get_layer(layer).output
    rest = keras.Model(maps, network.get_layer(last).output if last else network.output)
    values = np.random.default_rng(1).uniform(0.1, 1, (1, *maps.shape[1:])).astype(np.float32)
    other = values.copy()
    other[0, row, column] += 0.5
    return box_of(np.abs(rest(values)[0] - rest(other)[0]).max(-1) > 0)


def every_kind():
    image = keras.Input((23, 30, 2))
    x = layers.ZeroPadding2D(((1, 2), (3, 0)))(image)
    x = layers.Conv2D(3, (3, 5), strides=(2, 1), padding="same", name="a")(x)
    x = layers.LeakyReLU(0.2)(x)
    y = layers.DepthwiseConv2D(3, padding="same", activation="relu")(x)
    x = layers.Add()([layers.BatchNormalization()(y), x])
    x = layers.AveragePooling2D((2, 3), strides=2, padding="same", name="b")(x)
    x = layers.SeparableConv2D(4, 2, padding="valid", dilation_rate=2, name="c")(x)
    x = layers.Cropping2D(((0, 1), (1, 0)))(x)
    x = layers.UpSampling2D(3, interpolation="bilinear")(x)
    x = layers.Concatenate()([x, x])
    x = keras.ops.relu(layers.UpSampling2D((2, 1))(x))
    x = layers.Conv2DTranspose(2, 4, strides=3, padding="same", name="d")(x)
    x = layers.Conv2DTranspose(2, 3, strides=2, padding="valid", name="e")(x)
    return keras.Model(image, layers.AveragePooling2D(2, padding="valid", name="f")(x))


@pytest.mark.parametrize("layer", ["a", "b", "c", "d", "e", "f"])
def test_a_receptive_field_is_where_the_gradient_is_not_0(layer):
    network = with_positive_weights(every_kind())
    height, width = network.get_layer(layer).output.shape[1:3]
    for row, column in [(0, 0), (height // 2, width // 2), (height - 1, width - 1), (1, width - 2)]:
        found = receptive_field(network, network.get_layer(layer), row, column)
        assert found == support(network, layer, row, column), (row, column)


@pytest.mark.parametrize("layer", ["a", "b", "c", "d"])
def test_a_projective_field_is_what_changes_with_the_place(layer):
    network = with_positive_weights(every_kind())
    height, width = network.get_layer(layer).output.shape[1:3]
    places = [(height // 2, width // 2)]
    if layer != "b":  # where an edge cuts through the holes of the dilated "c", they count too
        places += [(1, 1), (height - 2, width - 2)]
    for row, column in places:
        found = projective_field(network, network.get_layer(layer), row, column)
        assert found == reached(network, layer, row, column), (row, column)


def test_fields_of_dcgan():
    gan = kgan.GAN.from_preset("dcgan", image_shape=(28, 28, 1), latent_dim=4, filters=1)
    d = with_positive_weights(gan.discriminator)
    for layer, size in (("down_14x14", 5), ("down_7x7", 13), ("leaky_relu_7x7", 13)):
        found = receptive_field(d, d.get_layer(layer), 3, 3)
        assert found == support(d, layer, 3, 3)
        assert found.bottom - found.top == size  # 5, then 5 + 4 * 2
    assert receptive_field(d, d.get_layer("logits"), 0, 0) == (0, 0, 28, 28)
    g = with_positive_weights(gan.generator)
    for layer in ("relu_7x7", "up_14x14"):
        # Before tanh, which would be 1 everywhere.
        expected = reached(g, layer, 2, 4, "to_image")
        assert projective_field(g, g.get_layer(layer), 2, 4) == expected
    assert projective_field(g, g.get_layer("project"), 0, 0) == (0, 0, 28, 28)


def test_a_network_inside_another_is_looked_into():
    block = keras.Sequential([layers.Conv2D(2, 3), layers.Conv2D(2, 3, name="last")], name="block")
    image = keras.Input((12, 12, 1))
    network = keras.Model(image, layers.Conv2D(1, 3, name="top")(block(image)))
    assert receptive_field(network, network.get_layer("top"), 0, 1) == (0, 1, 7, 8)
    assert receptive_field(network, block.get_layer("last"), 2, 2) == (2, 2, 7, 7)
    assert projective_field(network, block.get_layer("last"), 2, 3) == (0, 1, 3, 4)


def test_what_may_see_everything_is_taken_to():
    image = keras.Input((8, 8, 2))
    x = layers.Conv2D(2, 3, padding="same")(image)
    x = layers.Permute((2, 1, 3))(x)  # moves values about in a way that is not known
    network = keras.Model(image, layers.Conv2D(1, 3, name="top")(x))
    assert receptive_field(network, network.get_layer("top"), 0, 0) == (0, 0, 8, 8)
