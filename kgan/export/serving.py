"""A part as tf.functions with fixed names and types, each traced once."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from kgan.export.signatures import Part, SeededPart
from kgan.manifest import MOST_SAMPLES


def signature_of(part: Part) -> list[tf.TensorSpec]:
    """The inputs of a part as TensorSpecs, in order."""
    return [
        tf.TensorSpec([None, *shape] if part.batched else shape, dtype, name=name)
        for name, (dtype, shape) in part.inputs.items()
    ]


def float_function(part: Part) -> Any:
    """A tf.function of a part's named inputs -> {output: ...}; images are floats in its range.

    AutoGraph is off, as in Keras's own export: Keras never lets it into a layer, and walking
    the draws with it took longer than all else in an export.
    """
    low, high = part.value_range

    @tf.function(input_signature=signature_of(part), autograph=False)
    def serve(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        inputs = dict(zip(part.inputs, tensors, strict=True))
        if isinstance(part, SeededPart) and part.draw_tensors is not None:
            inputs = part.draw_tensors(_seeds(**inputs))
        values = []
        for name, tensor in inputs.items():
            if name == "images":
                tensor = tf.cast(tensor, tf.float32) * ((high - low) / 255.0) + low
            elif name == "labels" and tensor.dtype.is_integer:
                tensor = tf.cast(tensor, tf.int32)
            values.append(tensor)
        return {part.output: part.network(values if len(values) > 1 else values[0], training=False)}

    return serve


def with_levels(part: Part, floats: Any) -> Any:
    """What `float_function` made of a part, as a tf.function whose images are uint8 levels.

    It calls `floats`, whose trace it shares; where the output is not an image it is `floats`.
    """
    if part.output != "images":
        return floats
    low, high = part.value_range

    @tf.function(input_signature=signature_of(part), autograph=False)
    def serve(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        images = floats(*tensors)["images"]
        levels = tf.round((images - low) * (255.0 / (high - low)))
        return {"images": tf.cast(tf.clip_by_value(levels, 0.0, 255.0), tf.uint8)}

    return serve


def _seeds(seed: tf.Tensor, n: tf.Tensor) -> tf.Tensor:
    """The seeds of n images, checked before anything is drawn from them."""
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
