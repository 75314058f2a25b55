"""What a training step takes in memory, from below: what its backward pass needs of the forward."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from kgan import memory
from kgan.models.rebuild import all_layers
from kgan.models.room import weights_in_memory

WITH_KERNELS = (keras.layers.Dense, keras.layers.Conv2D, keras.layers.Conv2DTranspose)


def kept_bytes(network: keras.Model) -> int:
    """Bytes per image that a network keeps until its gradient is taken, at least.

    What each dense layer or convolution gives is kept, for itself, its normalisation or its
    activation; what lies between is not counted, as it may be computed in place.
    """
    return sum(math.prod(shape[1:]) * tf.as_dtype(dtype).size for shape, dtype in _kept(network))


def _kept(network: keras.Model) -> Iterator[tuple[Any, str]]:
    for layer in all_layers(network):
        if isinstance(layer, WITH_KERNELS):
            for node in layer._inbound_nodes:
                for tensor in node.output_tensors:
                    if None not in tensor.shape[1:]:
                        yield tensor.shape, layer.compute_dtype


def check_step(model: Any, batch_size: int, replicas: int = 1) -> None:
    """Refuses batches of which a step does not fit into memory, before any is made.

    What is counted is a lower bound; memory of an accelerator is not looked at.

    Args:
        model: a compiled `GAN` or `Autoencoder`, whose weights and slots are made.
        batch_size: images of a step.
        replicas: among which they are split.

    Raises:
        InputError: the step needs more than is free.
    """
    if not weights_in_memory():
        return
    each = sum(kept_bytes(getattr(model, role)) for role in model.roles)
    left = memory.free()
    memory.check(
        f"A step of {batch_size} pictures",
        each * (batch_size // replicas),
        f"--batch-size {left // each * replicas}" if 0 < each <= left else "smaller networks",
        f"--batch-size {batch_size}",
    )
