"""Networks rebuilt with the same weights, in the same dtypes or computing in float32."""

from typing import Any

import keras

from kgan.errors import InputError


def all_layers(layer: keras.Layer) -> list[keras.Layer]:
    """A layer and every layer inside it, wrapped ones too."""
    return list(layer._flatten_layers())


def copy_network(network: keras.Model) -> keras.Model:
    """A new network with the same config and weights."""
    return _rebuilt(network, keras.saving.serialize_keras_object(network))


def _rebuilt(network: keras.Model, config: dict[str, Any]) -> keras.Model:
    classes = {type(layer).__name__: type(layer) for layer in all_layers(network)}
    copy = keras.saving.deserialize_keras_object(config, classes)
    if not copy.built:  # a subclassed model only has variables from its first call on
        copy.build(network.get_build_config()["input_shape"])
    copy.set_weights(network.get_weights())
    return copy


def float32_copy(generator: keras.Model) -> keras.Model:
    """A network with every layer computing in float32; itself when they all do already.

    A mixed-precision model's variables are float32 already, so only the casts
    change. Both the images that a user sees and an export's come from such a
    copy, and are therefore the same.

    Raises:
        InputError: a layer keeps another dtype when it is rebuilt.
    """
    if not _other_dtypes(generator):
        return generator
    config = keras.saving.serialize_keras_object(generator)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        copy = _rebuilt(generator, _with_float32_policy(config))
    finally:
        keras.config.set_dtype_policy(policy)
    if _other_dtypes(copy):
        raise InputError(
            "The generator cannot be rebuilt in float32: its layers must take their dtype from "
            f"the config. Received: {', '.join(_other_dtypes(copy))}"
        )
    return copy


def _other_dtypes(network: keras.Model) -> list[str]:
    return [
        f"{layer.name} in {layer.compute_dtype}"
        for layer in all_layers(network)
        if layer.compute_dtype != "float32"
    ]


def _with_float32_policy(config: Any) -> Any:
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
