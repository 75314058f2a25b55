"""What a network's outputs are: read off its last operation, or tried where that says nothing."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from kgan.errors import InputError
from kgan.images import check_range
from kgan.training.network_checks import input_shapes, labels_dtype, run_network

# Operations that only move values about; their range is that of what comes before them.
VALUES_UNCHANGED = (
    keras.layers.Reshape,
    keras.layers.Flatten,
    keras.layers.Permute,
    keras.layers.Cropping1D,
    keras.layers.Cropping2D,
    keras.layers.Identity,
)
KNOWN = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0), "linear": (-1.0, 1.0)}  # by convention
PROBABILITIES = ("sigmoid", "hard_sigmoid", "hardsigmoid", "softmax")
TRIED = 64  # inputs
AMPLIFIED = 10.0  # times the size of usual inputs, so that what is bounded shows its bounds
SLACK = 1e-3  # rounding in 16 bits


def range_of(
    generator: keras.Model, value_range: tuple[float, float] | None
) -> tuple[float, float]:
    """The value range that was asked for, checked, or the one that the generator gives.

    Args:
        generator: a built network, latents (B, latent_dim) to images, with labels or not.
        value_range: (low, high), or None.

    Raises:
        InputError: no range, or one that neither the last activation nor trying it tells.
    """
    if value_range is not None:
        return check_range("value_range", value_range)
    activation = last_activation(generator)
    if activation in KNOWN:
        return KNOWN[activation]
    low, high = extremes(generator)
    if low >= -SLACK and high <= 1.0 + SLACK:
        return KNOWN["sigmoid"]
    if low >= -1.0 - SLACK and high <= 1.0 + SLACK:
        return KNOWN["tanh"]
    raise InputError(
        "The range of the generator's images is not clear: give value_range=(low, high), such as "
        f"(-1, 1), or end it in a tanh or a sigmoid. Received outputs from {low:.4g} to {high:.4g}"
    )


def check_gives_logits(discriminator: keras.Model) -> None:
    """Raises an InputError where a discriminator gives probabilities."""
    activation = last_activation(discriminator)
    if activation not in ("linear", *PROBABILITIES):
        low, high = extremes(discriminator)
        # A linear layer gives both signs, a rectified one more than 1.
        if low >= 0.0 and high <= 1.0 and low < high:
            activation = "sigmoid"
    if activation in PROBABILITIES:
        raise InputError(
            "The discriminator must give logits, not probabilities, which its losses would take a "
            f"sigmoid of again: leave its last activation out, Dense(1). Received: {activation}"
        )


def last_activation(network: keras.Model) -> str | None:
    """The name of the activation that a network ends in, "linear" where its last layer has none.

    Where it ends in something that is no activation, the name of that, in small letters. None
    where its structure does not tell: a subclassed network, or an operation of the user's own.
    """
    operation = _last_operation(network)
    if isinstance(operation, keras.Model):
        return last_activation(operation)
    # A layer of the user's own may do anything after its activation.
    if not type(operation).__module__.startswith(("keras.", "kgan.")):
        return None
    if not hasattr(operation, "activation"):
        return type(operation).__name__.lower()
    name = getattr(operation.activation, "__name__", None)
    return name if getattr(keras.activations, str(name), None) is operation.activation else None


def _last_operation(network: keras.Model) -> Any:
    """What made the output of a functional network, layers that only move values left out."""
    outputs = getattr(network, "outputs", None)
    if not outputs or len(outputs) != 1:
        return None
    tensor = outputs[0]
    while True:
        operation, node, _ = tensor._keras_history
        if not isinstance(operation, VALUES_UNCHANGED):
            return operation
        inputs = operation._inbound_nodes[node].input_tensors
        if len(inputs) != 1:
            return None
        tensor = inputs[0]


def extremes(network: keras.Model) -> tuple[float, float]:
    """(lowest, highest) of what a network gives on random inputs larger than usual ones."""
    rng = np.random.default_rng(0)
    shape, labels = input_shapes("network", network)
    sizes = [TRIED, *(32 if size is None else size for size in shape[1:])]
    inputs = [AMPLIFIED * rng.normal(size=sizes).astype(np.float32)]
    if labels is not None:
        inputs.append(np.zeros((TRIED, *labels[1:]), labels_dtype(labels)))
    outputs = run_network(network, inputs, TRIED)
    return float(outputs.min()), float(outputs.max())
