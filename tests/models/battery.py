"""One battery for every network: what any of them must do, whatever its architecture."""

import pathlib
import tempfile

import keras
import numpy as np
import tensorflow as tf

BATCH = 3


def run_network_test(
    network_class,
    init_kwargs,
    *,
    output_shape,
    float32_layers=(),
    behind_zero=(),
    cancelled=(),
):
    """Runs every check on a network of these arguments.

    Args:
        network_class: a subclass of `kgan.models.networks.Network`.
        init_kwargs: its arguments, without `dtype`.
        output_shape: the shape of one output, without the batch.
        float32_layers: names of hidden layers that compute in float32 under any policy.
        behind_zero: ends of the paths of trainable weights that only a factor which starts
            at zero leads to: no gradient reaches them before the first update of that factor.
        cancelled: ends of the paths of trainable weights that the output does not depend on,
            such as a bias before a normalisation.
    """
    network = network_class(**init_kwargs)
    inputs = random_inputs(network)
    check_config(network, init_kwargs)
    check_gradients(network, inputs, behind_zero, cancelled)  # it also moves every weight
    check_static_shapes(network, inputs, output_shape)
    check_copies(network, inputs)
    check_data_format(network, inputs)
    for policy in ("mixed_float16", "mixed_bfloat16"):
        check_policy(network_class, init_kwargs, policy, inputs, float32_layers)


def random_inputs(network):
    """A batch for each of a network's inputs: normal numbers, and classes from 0 up."""
    rng = np.random.default_rng(0)
    arrays = [
        np.arange(BATCH, dtype=np.int32) % network.num_classes
        if tensor.name == "labels" and len(tensor.shape) == 1
        else rng.normal(size=(BATCH, *tensor.shape[1:])).astype(np.float32)
        for tensor in network.inputs
    ]
    return arrays if len(arrays) > 1 else arrays[0]


def check_config(network, init_kwargs):
    """Every argument is an attribute and in the config, from which the same network comes."""
    config = network.get_config()
    for name, value in init_kwargs.items():
        assert getattr(network, name) == value
        assert config[name] == value
    rebuilt = type(network).from_config(config)
    assert rebuilt.get_config() == config
    assert describe_weights(rebuilt) == describe_weights(network)


def check_copies(network, inputs):
    """Keras's serialisation and its .keras file give back a network with the same outputs."""
    expected = network(inputs)
    config = keras.saving.serialize_keras_object(network)
    copy = keras.saving.deserialize_keras_object(config)
    copy.set_weights(network.get_weights())
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "network.keras"
        network.save(path)
        loaded = keras.models.load_model(path, compile=False)
    for other in (copy, loaded):
        assert type(other) is type(network)
        assert other.get_config() == network.get_config()
        assert describe_weights(other) == describe_weights(network)
        np.testing.assert_array_equal(other(inputs), expected)


def check_data_format(network, inputs):
    """What a user's keras.json says of images changes nothing."""
    keras.config.set_image_data_format("channels_first")
    try:
        other = type(network).from_config(network.get_config())
        other.set_weights(network.get_weights())
        outputs = other(inputs)
    finally:
        keras.config.set_image_data_format("channels_last")
    np.testing.assert_array_equal(outputs, network(inputs))


def check_static_shapes(network, inputs, output_shape):
    """What Keras says of the shape of every layer's output, the last included, is what comes."""
    assert network.output_shape == (None, *output_shape)
    hidden = [layer for layer in network.layers if not isinstance(layer, keras.layers.InputLayer)]
    every_output = keras.Model(network.input, [layer.output for layer in hidden])(inputs)
    for layer, output in zip(hidden, every_output, strict=True):
        assert layer.output.shape == (None, *output.shape[1:]), layer.name
        assert output.shape[0] == BATCH, layer.name
    assert network(inputs).shape == (BATCH, *output_shape)


def check_policy(network_class, init_kwargs, policy, inputs, float32_layers):
    """Under a mixed policy the layers compute in 16 bits; variables and outputs are float32.

    The config keeps the policy, which is not the global one when the network is rebuilt.
    """
    keras.config.set_dtype_policy(policy)
    network = network_class(**init_kwargs)
    keras.config.set_dtype_policy("float32")
    rebuilt = network_class.from_config(network.get_config())
    rebuilt.set_weights(network.get_weights())
    assert rebuilt.get_config() == network.get_config()
    outputs = rebuilt(inputs)
    np.testing.assert_array_equal(outputs, network(inputs))
    assert outputs.dtype == network.outputs[0].dtype == "float32"
    assert np.isfinite(outputs).all()
    assert {weight.dtype for weight in rebuilt.weights} == {"float32"}
    ends = {tensor.name for tensor in rebuilt.inputs} | {rebuilt.layers[-1].name, *float32_layers}
    for layer in rebuilt.layers:
        expected = "float32" if layer.name in ends else policy.removeprefix("mixed_")
        # A wrapper such as SpectralNormalization leaves the dtype to the layer in it.
        assert getattr(layer, "layer", layer).compute_dtype == expected, layer.name


def check_gradients(network, inputs, behind_zero, cancelled):
    """A gradient reaches every trainable weight, but those that are named as exceptions.

    At the start none reaches what lies behind a zero; once every weight has moved, as this
    function moves them, it reaches these too.
    """
    norms = gradient_norms(network, inputs)
    counted = {path for path in norms if not path.endswith(cancelled)}
    behind = {path for path in counted if path.endswith(behind_zero)}
    assert {path for path in counted if norms[path] == 0.0} == behind
    rng = np.random.default_rng(1)
    for weight in network.trainable_weights:
        weight.assign(weight + 0.1 * rng.normal(size=weight.shape))
    norms = gradient_norms(network, inputs)
    rounding = 1e-5 * max(norms.values())
    assert {path for path in norms if norms[path] <= rounding} == norms.keys() - counted


def gradient_norms(network, inputs):
    """{path of a trainable weight: norm of the gradient of a random sum of the outputs}."""
    with tf.GradientTape() as tape:
        outputs = network(inputs, training=True)
        direction = np.random.default_rng(2).normal(size=outputs.shape).astype(np.float32)
        total = tf.reduce_sum(outputs * direction)
    weights = network.trainable_weights
    gradients = tape.gradient(total, [weight.value for weight in weights])
    return {
        weight.path: 0.0 if gradient is None else float(tf.norm(tf.convert_to_tensor(gradient)))
        for weight, gradient in zip(weights, gradients, strict=True)
    }


def describe_weights(network):
    return [(weight.path, weight.shape, weight.dtype) for weight in network.weights]
