"""Networks trained in mixed precision, computing in float32."""

import keras


def float32_copy(generator):
    """The generator with every layer computing in float32; itself when they all do already.

    A mixed-precision model's variables are float32 already, so only the casts
    change. What a user sees and what an export holds are made this way, and are
    therefore the same pictures.
    """
    config = keras.saving.serialize_keras_object(generator)
    if "float16" not in str(config):  # neither mixed_float16 nor mixed_bfloat16
        return generator
    copy = keras.saving.deserialize_keras_object(_with_float32_policy(config))
    copy.set_weights(generator.get_weights())
    return copy


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
