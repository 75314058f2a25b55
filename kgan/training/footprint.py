"""What a training step takes in memory, from below: what its backward pass needs of the forward."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import keras
import tensorflow as tf

from kgan import memory
from kgan.layers import (
    AttributeBatchNormalization,
    ConditionalBatchNormalization,
    GroupedConv2D,
    SpectralNormalization,
)
from kgan.models.rebuild import all_layers
from kgan.tensors import weights_in_memory
from kgan.training import schedules
from kgan.training.blocks import blocks_of, bytes_of, graphs_of

KERNELS = (keras.layers.Dense, keras.layers.Conv2D, keras.layers.Conv2DTranspose)
# The gradient of these takes what they were given; of a kernel, where it is trained.
NEED_THEIR_INPUT = (
    *KERNELS,
    keras.layers.BatchNormalization,
    keras.layers.LeakyReLU,
    AttributeBatchNormalization,
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
    return _taken_by_gradients(network.layers)


def recomputed_bytes(network: keras.Model) -> tuple[int, int]:
    """Bytes per image that a network keeps whose blocks are recomputed, at least.

    Returns:
        (what goes into its blocks, kept until its gradient is taken; what the largest block
        keeps while its own is).
    """
    between, within = 0, 0
    for graph in graphs_of(network):  # one may be within another
        blocks = blocks_of(graph)
        joins = {id(x): bytes_of(x) for block in blocks for x in block.inputs}
        between = max(between, sum(joins.values()))
        for block in blocks:
            layers = [node.operation for node in block.nodes]
            within = max(within, _taken_by_gradients(layers, {id(x) for x in block.inputs}))
    return between, within


def _taken_by_gradients(layers: Iterable[Any], known: Iterable[int] = ()) -> int:
    found = _kept(layers, set(known))
    return sum(math.prod(shape[1:]) * tf.as_dtype(dtype).size for shape, dtype in found)


def _kept(layers: Iterable[Any], seen: set[int]) -> Iterator[tuple[Any, str]]:
    operations = [one for one in layers if isinstance(one, keras.layers.Layer)]
    for layer in (inner for one in operations for inner in all_layers(one)):
        constant = isinstance(layer, KERNELS) and not layer.trainable_weights
        if isinstance(layer, NEED_THEIR_INPUT) and not constant:
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
    networks = [getattr(model, role) for role in model.roles]
    if getattr(model, "remat", False):
        parts = [recomputed_bytes(network) for network in networks]
    else:
        parts = [(kept_bytes(network), 0) for network in networks]
    through_both = sum(kept for kept, _ in parts) + max(within for _, within in parts)
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
    kept, within = parts[model.roles.index("discriminator")]
    return max(through_both, int(model.d_share * (passes * kept + within)))


def held_bytes(model: Any) -> int:
    """Bytes of the variables of a compiled `GAN` or `Autoencoder` and of its optimizers."""
    optimizers = getattr(model.optimizer, "optimizers", [model.optimizer])
    held = [*model.variables, *(v for optimizer in optimizers for v in optimizer.variables)]
    variables = {id(variable): variable for variable in held}.values()
    return sum(math.prod(v.shape) * tf.as_dtype(v.dtype).size for v in variables)


def step_bytes(model: Any, images: int) -> int:
    """Bytes that a step of so many images on one device needs beside the variables, at least."""
    return _kept_at_once(model) * images


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
    each = step_bytes(model, 1)
    left = memory.free()
    memory.check(
        f"A step of {batch_size} pictures",
        each * (batch_size // replicas),
        f"--batch-size {left // each * replicas}" if 0 < each <= left else "smaller networks",
        f"--batch-size {batch_size}",
    )
