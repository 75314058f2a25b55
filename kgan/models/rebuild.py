"""Networks made anew with the same weights, as they are or computing in float32."""

import keras

from kgan.errors import InputError


def all_layers(layer):
    """A layer and every layer inside it, wrapped ones too."""
    return list(layer._flatten_layers())


def copy_network(network):
    """Another network of the same config and weights."""
    return _made_again(network, keras.saving.serialize_keras_object(network))


def _made_again(network, config):
    classes = {type(layer).__name__: type(layer) for layer in all_layers(network)}
    copy = keras.saving.deserialize_keras_object(config, classes)
    if not copy.built:  # a subclassed model has its variables from its first call
        copy.build(network.get_build_config()["input_shape"])
    copy.set_weights(network.get_weights())
    return copy


def float32_copy(generator):
    """A network with every layer computing in float32; itself when they all do already.

    A mixed-precision model's variables are float32 already, so only the casts
    change. What a user sees and what an export holds are made this way, and are
    therefore the same pictures.

    Raises:
        InputError: a layer that keeps another dtype when it is made anew.
    """
    if not _other_dtypes(generator):
        return generator
    config = keras.saving.serialize_keras_object(generator)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        copy = _made_again(generator, _with_float32_policy(config))
    finally:
        keras.config.set_dtype_policy(policy)
    if _other_dtypes(copy):
        raise InputError(
            "The generator cannot be made anew in float32: its layers must take their dtype from "
            f"the config. Received: {', '.join(_other_dtypes(copy))}"
        )
    return copy


def _other_dtypes(network):
    return [
        f"{layer.name} in {layer.compute_dtype}"
        for layer in all_layers(network)
        if layer.compute_dtype != "float32"
    ]


def _with_float32_policy(config):
    if isinstance(config, dict):
        return {
            key: "float32"
            if key == "dtype" and "float16" in str(value)
            else _with_float32_policy(value)
            for key, value in config.items()
        }
    if isinstance(config, (list, tuple)):
        return [_with_float32_policy(value) for value in config]
    return config
