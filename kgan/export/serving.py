"""A part as a tf.function with fixed names and types."""

import tensorflow as tf


def serving_function(part, levels):
    """A tf.function of named inputs -> {output: ...}.

    Args:
        part: a `Part`.
        levels: give images as uint8 levels, not as floats in the model's range.

    Returns:
        (function, input signature).
    """
    signature = [
        tf.TensorSpec([None, *shape], dtype, name=name)
        for name, (dtype, shape) in part.inputs.items()
    ]
    low, high = part.value_range

    @tf.function(input_signature=signature)
    def serve(*tensors):
        values = []
        for name, tensor in zip(part.inputs, tensors, strict=True):
            if name == "images":
                tensor = tf.cast(tensor, tf.float32) * ((high - low) / 255.0) + low
            elif name == "labels":
                tensor = tf.cast(tensor, tf.int32)
            values.append(tensor)
        outputs = part.network(values if len(values) > 1 else values[0], training=False)
        if levels and part.output == "images":
            outputs = tf.round((outputs - low) * (255.0 / (high - low)))
            outputs = tf.cast(tf.clip_by_value(outputs, 0.0, 255.0), tf.uint8)
        return {part.output: outputs}

    return serve, signature
