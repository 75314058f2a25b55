"""What a training step takes in memory, from below: what its backward pass needs of the forward."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from kgan import memory
from kgan.layers import ConditionalBatchNormalization, GroupedConv2D, SpectralNormalization
from kgan.models.rebuild import all_layers
from kgan.models.room import weights_in_memory
from kgan.training import schedules

# The gradient of these takes what they were given.
NEED_THEIR_INPUT = (
    keras.layers.Dense,
    keras.layers.Conv2D,
    keras.layers.Conv2DTranspose,
    keras.layers.BatchNormalization,
    keras.layers.LeakyReLU,
    ConditionalBatchNormalization,
    GroupedConv2D,
    SpectralNormalization,
)


def kept_bytes(network: keras.Model) -> int:
    """Bytes per image that a network keeps until its gradient is taken, at least.

    It is what goes into each dense layer, convolution, normalisation and LeakyReLU between its
    input and its output, each tensor once; what else lies between is not counted, as it may be
    computed in place.
    """
    return sum(math.prod(shape[1:]) * tf.as_dtype(dtype).size for shape, dtype in _kept(network))


def _kept(network: keras.Model) -> Iterator[tuple[Any, str]]:
    seen = set()
    between = [inner for layer in network.layers for inner in all_layers(layer)]
    for layer in between:
        if isinstance(layer, NEED_THEIR_INPUT):
            for node in layer._inbound_nodes:
                for tensor in node.input_tensors:
                    if id(tensor) not in seen and None not in tensor.shape[1:]:
                        seen.add(id(tensor))
                        yield tensor.shape, layer.compute_dtype


def _kept_at_once(model: Any) -> int:
    """Bytes per image of the larger half of a model's step.

    The discriminator's half holds a pass for real images and one for fakes, and for each
    penalty on a gradient as much again: its own gradient goes through both.
    """
    through_both = sum(kept_bytes(getattr(model, role)) for role in model.roles)
    if model.kind != "gan":
        return through_both
    r1, r2 = (schedules.GAMMAS[i] in model.schedules for i in (0, 1))
    loss = model.adversarial_loss
    penalties = (bool(r1 or loss.r1_gamma), bool(r2 or loss.r2_gamma))
    if model.d_update == "joint":
        passes = 2 + sum(penalties)
    else:
        passes = 1 + max(penalties)
    passes += 2 * bool(loss.gradient_penalty)
    return max(through_both, int(passes * model.d_share * kept_bytes(model.discriminator)))


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
    each = _kept_at_once(model)
    left = memory.free()
    memory.check(
        f"A step of {batch_size} pictures",
        each * (batch_size // replicas),
        f"--batch-size {left // each * replicas}" if 0 < each <= left else "smaller networks",
        f"--batch-size {batch_size}",
    )
