"""Networks rebuilt with the same weights, in the same dtypes or computing in float32."""

from typing import Any

import keras

from kgan.models.own_code import from_config, why_not_from_config
from kgan.models.same_layers import SameLayers, body_of

OTHER_FLOATS = ("float16", "float64")  # bfloat16 too


def all_layers(layer: keras.Layer) -> list[keras.Layer]:
    """A layer and every layer inside it, wrapped ones too."""
    return list(layer._flatten_layers())


def copy_network(network: keras.Model) -> keras.Model:
    """A network of the same layers and weights, which are then its own.

    From its config, where that brings it back; else the very layers, run with other weights.
    """
    if why_not_from_config(network) is not None:
        return SameLayers(network)
    return from_config(network, keras.saving.serialize_keras_object(network))


def float32_copy(generator: keras.Model) -> keras.Model:
    """A network with every layer computing in float32; itself when they all do already.

    A mixed-precision model's variables are float32 already, so only the casts
    change; float64 weights are rounded. Both the images that a user sees and an
    export's come from such a copy, and are therefore the same.
    """
    if not _other_dtypes(generator):
        return generator
    if isinstance(generator, SameLayers) or why_not_from_config(generator) is not None:
        return SameLayers(generator, float32=True)
    config = keras.saving.serialize_keras_object(generator)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        copy = from_config(generator, _with_float32_policy(config))
    finally:
        keras.config.set_dtype_policy(policy)
    # A layer that sets its own dtype keeps it in every copy.
    return SameLayers(copy, float32=True) if _other_dtypes(copy) else copy


def _other_dtypes(network: keras.Model) -> list[str]:
    """The other floats that layers compute in."""
    return [
        layer.compute_dtype
        for layer in all_layers(body_of(network))
        if keras.backend.is_float_dtype(layer.compute_dtype) and layer.compute_dtype != "float32"
    ]


def _with_float32_policy(config: Any) -> Any:
    if isinstance(config, dict):
        return {
            key: "float32"
            if key == "dtype" and any(name in str(value) for name in OTHER_FLOATS)
            else _with_float32_policy(value)
            for key, value in config.items()
        }
    if isinstance(config, (list, tuple)):
        return [_with_float32_policy(value) for value in config]
    return config
