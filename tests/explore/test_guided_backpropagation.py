"""Guided backpropagation against hooks in PyTorch."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from kgan.explore.guided_backpropagation import guided_gradients, guided_rectifiers
from tests.oracle import needs_torch, torch


def network_of_all_rectifiers():
    image = keras.Input((12, 10, 2))
    x = layers.Conv2D(4, 3, name="one")(image)
    x = layers.LeakyReLU(0.2)(x)
    x = layers.Conv2D(5, 3, strides=2, name="two")(x)
    x = layers.BatchNormalization(epsilon=1e-3, name="norm")(x)
    x = keras.ops.relu(x)
    x = layers.Conv2D(4, 2, activation="relu", name="three")(x)
    x = layers.Activation("tanh")(x)
    network = keras.Model(image, layers.Conv2D(3, 2, activation="leaky_relu", name="four")(x))
    rng = np.random.default_rng(0)
    network.set_weights(
        [
            rng.uniform(0.5, 1.5, w.shape) if "variance" in v.path else rng.normal(0, 0.5, w.shape)
            for v, w in zip(network.weights, network.get_weights(), strict=True)
        ]
    )
    return network


def by_hooks(network, images, units, rows, columns):
    """The same network in PyTorch, with the rule as hooks of its rectifiers."""

    def convolution(name, **keywords):
        kernel, bias = (torch.tensor(w) for w in network.get_layer(name).get_weights())
        module = torch.nn.Conv2d(*kernel.shape[2:], kernel.shape[:2], **keywords)
        module.weight.data, module.bias.data = kernel.permute(3, 2, 0, 1).contiguous(), bias
        return module

    norm = torch.nn.BatchNorm2d(5, eps=1e-3)
    values = (torch.tensor(w) for w in network.get_layer("norm").get_weights())
    norm.weight.data, norm.bias.data, norm.running_mean, norm.running_var = values
    modules = torch.nn.Sequential(
        convolution("one"),
        torch.nn.LeakyReLU(0.2),
        convolution("two", stride=2),
        norm,
        torch.nn.ReLU(),
        convolution("three"),
        torch.nn.ReLU(),
        torch.nn.Tanh(),
        convolution("four"),
        torch.nn.LeakyReLU(0.2),
    ).eval()
    for module in modules:
        if isinstance(module, (torch.nn.ReLU, torch.nn.LeakyReLU)):
            module.register_forward_hook(lambda m, inputs, out: setattr(m, "seen", inputs[0]))
            module.register_full_backward_hook(
                lambda m, _, upstream: (upstream[0].clamp(min=0) * (m.seen > 0),)
            )
    inputs = torch.tensor(images.transpose(0, 3, 1, 2), requires_grad=True)
    outputs = modules(inputs)
    outputs[range(len(units)), units, rows, columns].sum().backward()
    return inputs.grad.numpy().transpose(0, 2, 3, 1)


@needs_torch
def test_guided_gradients_equal_hooks_in_pytorch():
    network = network_of_all_rectifiers()
    images = np.random.default_rng(1).normal(size=(6, 12, 10, 2)).astype(np.float32)
    maps = network(images).numpy()
    units, rows, columns = np.array([0, 1, 2, 0, 1, 2]), np.array([0, 1] * 3), np.zeros(6, int)
    found = guided_gradients(network, [images], network.get_layer("four"), units, rows, columns)
    expected = by_hooks(network, images, units, rows, columns)
    assert np.abs(expected).max() > 0.01
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert (maps == network(images).numpy()).all()


def test_outputs_stay_and_gradients_come_back():
    network = network_of_all_rectifiers()
    images = tf.constant(np.random.default_rng(1).normal(size=(2, 12, 10, 2)), tf.float32)

    def run():
        with tf.GradientTape() as tape:
            tape.watch(images)
            outputs = network(images)
        return outputs.numpy(), tape.gradient(outputs, images).numpy()

    before = run()
    with guided_rectifiers(network):
        outputs, guided = run()
    after = run()
    np.testing.assert_array_equal(outputs, before[0])
    assert np.abs(guided - before[1]).max() > 1e-3
    np.testing.assert_array_equal(after[1], before[1])
    assert not any("call" in vars(layer) for layer in network.layers)


def test_nothing_goes_back_above_the_bound_of_a_relu6():
    image = keras.Input((1, 1, 4))
    network = keras.Model(image, layers.ReLU(max_value=6.0, name="bounded")(image))
    images = np.array([[[[-1.0, 2.0, 7.0, 6.0]]]], np.float32).repeat(4, 0)
    zeros = np.zeros(4, int)
    found = guided_gradients(
        network, [images], network.get_layer("bounded"), np.arange(4), zeros, zeros
    )
    np.testing.assert_array_equal(found[:, 0, 0].diagonal(), [0.0, 1.0, 0.0, 1.0])
