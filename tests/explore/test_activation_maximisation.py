"""What excites a unit most: sought among images, and made."""

import random

import keras
import numpy as np
from keras import layers

from kgan.explore.activation_maximisation import maximising_images, maximising_latents
from kgan.explore.excitation import most_exciting
from kgan.explore.untrained import untrained_twin


def test_the_strongest_images_are_those_of_a_full_sort():
    image = keras.Input((9, 7, 1))
    x = layers.Conv2D(6, 3, name="maps")(image)
    network = keras.Model(image, layers.Dense(2)(layers.Flatten()(x)))
    images = np.random.default_rng(0).normal(size=(40, 9, 7, 1)).astype(np.float32)
    images[31] = images[8]  # equally strong: the first counts as the stronger
    batches = [[images[at : at + 7]] for at in range(0, 40, 7)]
    found = most_exciting(network, network.get_layer("maps"), [4, 1], batches, 5)
    maps = np.asarray(keras.Model(image, x)(images))
    for place, unit in enumerate([4, 1]):
        flat = maps[..., unit].reshape(40, -1)
        order = sorted(range(40), key=lambda i: (-flat[i].max(), i))[:5]
        assert found.indices[place].tolist() == order
        np.testing.assert_array_equal(found.values[place], flat[order].max(1))
        where = np.array([np.unravel_index(flat[i].argmax(), maps.shape[1:3]) for i in order])
        np.testing.assert_array_equal(found.rows[place], where[:, 0])
        np.testing.assert_array_equal(found.columns[place], where[:, 1])
    everything = most_exciting(network, network.get_layer("maps"), [0], batches, 40)
    together = sorted([int(np.flatnonzero(everything.indices[0] == i)[0]) for i in (8, 31)])
    assert together[1] == together[0] + 1
    assert everything.indices[0][together[0]] == 8


def test_vectors_count_as_maps_of_one_place():
    image = keras.Input((3, 3, 1))
    network = keras.Model(image, layers.Dense(4, name="out")(layers.Flatten()(image)))
    images = np.random.default_rng(0).normal(size=(9, 3, 3, 1)).astype(np.float32)
    found = most_exciting(network, network.get_layer("out"), [2], [[images]], 3)
    values = np.asarray(network(images))[:, 2]
    assert found.indices[0].tolist() == np.argsort(-values)[:3].tolist()
    assert not found.rows.any()
    assert not found.columns.any()


def one_convolution(activation=None, bias=0.0):
    """A convolution of a whole 6x5 image: one value a unit."""
    layer = layers.Conv2D(3, (6, 5), activation=activation, name="all")
    network = keras.Sequential([keras.Input((6, 5, 2)), layer])
    kernel = np.random.default_rng(0).normal(size=(6, 5, 2, 3))
    network.set_weights([kernel, np.full(3, bias)])
    return network, np.sign(kernel).transpose(3, 0, 1, 2)


def test_the_image_made_for_one_linear_convolution_is_the_sign_of_its_kernel():
    network, signs = one_convolution()
    plain = {"jitter": 0, "smoothness": 0.0}
    made = maximising_images(network, network.layers[0], [0, 2], (-1.0, 1.0), **plain)
    np.testing.assert_allclose(made, signs[[0, 2]], atol=1e-6)
    made = maximising_images(network, network.layers[0], [1], (0.0, 255.0), **plain)
    np.testing.assert_allclose(made, 127.5 + 127.5 * signs[[1]], atol=1e-3)


def test_a_silent_rectified_unit_is_excited_too():
    network, signs = one_convolution(activation="relu", bias=-2.0)
    settings = {"jitter": 0, "smoothness": 0.0, "steps": 100}
    made = maximising_images(network, network.layers[0], [1], (-1.0, 1.0), **settings)
    np.testing.assert_allclose(made, signs[[1]], atol=1e-6)
    assert network.layers[0].activation is keras.activations.relu


def test_jitter_and_smoothness_keep_to_the_range_and_the_seed():
    network, _ = one_convolution()
    make = lambda seed: maximising_images(  # noqa: E731
        network, network.layers[0], [0, 1], (0.0, 1.0), steps=12, seed=seed
    )
    first = make(3)
    assert first.min() >= 0.0
    assert first.max() <= 1.0
    np.testing.assert_array_equal(first, make(3))
    assert (first != make(4)).any()


def test_smoothness_makes_neighbours_alike():
    network, _ = one_convolution()
    made = [
        maximising_images(network, network.layers[0], [0], (-1.0, 1.0), jitter=0, smoothness=s)
        for s in (0.0, 3.0)
    ]
    rough, smooth = (np.abs(np.diff(image, axis=1)).mean() for image in made)
    assert smooth < rough


def test_latents_keep_their_length_or_their_bounds():
    latents = np.random.default_rng(0).normal(size=(2, 4)).astype(np.float32)
    network = keras.Sequential(
        [keras.Input((4,)), layers.Dense(18), layers.Reshape((3, 3, 2), name="maps")]
    )
    layer = network.get_layer("maps")
    mean = lambda z: np.asarray(network(z)).mean((1, 2))[[0, 1], [0, 1]]  # noqa: E731
    found = maximising_latents(network, layer, [0, 1], "normal", [latents], steps=100)
    lengths = np.linalg.norm(latents, axis=1)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), lengths, rtol=1e-5)
    # A linear function of the latent is largest, at a length, along its weights.
    weights = np.asarray(network.layers[0].kernel).reshape(4, 9, 2).mean(1)
    best = lengths * np.linalg.norm(weights, axis=0) + np.asarray(network(0 * latents)).mean()
    np.testing.assert_allclose(mean(found), best, rtol=1e-3)
    found = maximising_latents(network, layer, [0, 1], "uniform", [latents / 9], steps=100)
    np.testing.assert_allclose(found, np.sign(weights.T), atol=1e-6)


def test_an_untrained_twin_is_new_the_same_again_and_leaves_no_trace():
    network = keras.Sequential([keras.Input((4, 4, 1)), layers.Conv2D(2, 3), layers.Flatten()])
    network.set_weights([w + 5 for w in network.get_weights()])
    random.seed(7)
    expected = random.random()
    random.seed(7)
    twins = [untrained_twin(network, seed) for seed in (1, 1, 2)]
    assert random.random() == expected
    weights = [twin.get_weights()[0] for twin in twins]
    assert np.abs(weights[0]).max() < 2 < network.get_weights()[0].min()
    np.testing.assert_array_equal(weights[0], weights[1])
    assert (weights[0] != weights[2]).any()
