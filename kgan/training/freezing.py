"""Freezing the lowest layers of a discriminator, for fine-tuning."""

from __future__ import annotations

import keras

from kgan.errors import InputError


def freeze_lowest(network: keras.Model, n: int, already: int = 0) -> list[str]:
    """Keeps the weights of a discriminator's n lowest layers from training.

    A layer counts that has a kernel, such as a convolution; the scale and shift of a
    normalisation that follows it go with it. A frozen normalisation goes on normalising by the
    batch, as the layers above it have learned it.

    Args:
        network: a built Keras model; its lowest layers are those next to its input.
        n: how many.
        already: how many are frozen; they stay so.

    Returns:
        The names of the n layers, the lowest first.

    Raises:
        InputError: n is below `already`, or not from 1 to one less than the layers that it has.

    Reference:
        Mo et al. 2020, https://arxiv.org/abs/2002.10964
    """
    groups: list[list[keras.Layer]] = []  # a layer with a kernel, and those without that follow
    for layer in network.layers:
        if layer.weights and not layer.trainable:  # it never was
            continue
        if any(len(weight.shape) > 1 for weight in layer.weights):
            groups.append([layer])
        elif groups:
            groups[-1].append(layer)
    if isinstance(n, bool) or not isinstance(n, int) or not 0 < n < len(groups):
        raise InputError(
            f"Of the {len(groups)} layers of this discriminator that have a kernel, from 1 to "
            f"{len(groups) - 1} can be frozen. Received: {n!r}"
        )
    if n < already:
        raise InputError(
            f"What is frozen stays so: from {already} layers of this discriminator on. "
            f"Received: {n}"
        )
    for group in groups[:n]:
        for layer in group:
            for weight in layer.weights:
                weight.trainable = False
    return [group[0].name for group in groups[:n]]
