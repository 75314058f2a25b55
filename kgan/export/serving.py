"""A part as a tf.function with fixed names and types."""

import tensorflow as tf

from kgan.export.signatures import SeededPart
from kgan.manifest import MOST_SAMPLES


def serving_function(part, levels):
    """A tf.function of named inputs -> {output: ...}.

    Args:
        part: a `Part`.
        levels: give images as uint8 levels, not as floats in the model's range.

    Returns:
        (function, input signature).
    """
    signature = [
        tf.TensorSpec([None, *shape] if part.batched else shape, dtype, name=name)
        for name, (dtype, shape) in part.inputs.items()
    ]
    low, high = part.value_range

    @tf.function(input_signature=signature)
    def serve(*tensors):
        given = dict(zip(part.inputs, tensors, strict=True))
        if isinstance(part, SeededPart):
            given = part.draw_tensors(_seeds(**given))
        values = []
        for name, tensor in given.items():
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


def _seeds(seed, n):
    """The seeds of n pictures, checked before anything is made of them."""
    last = tf.int64.max - MOST_SAMPLES
    checks = [
        tf.debugging.Assert(
            (seed >= 0) & (seed <= last),
            [f"A seed is a whole number from 0 to {last}. Received:", seed],
        ),
        tf.debugging.Assert(
            (n >= 1) & (n <= MOST_SAMPLES),
            [f"n is a whole number from 1 to {MOST_SAMPLES}. Received:", n],
        ),
    ]
    with tf.control_dependencies(checks):
        return seed + tf.range(tf.cast(n, tf.int64))
