"""Generators without some of their feature maps, as networks of the same layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from kgan.errors import InputError
from kgan.explore.inner_layers import NORMALIZATIONS, Stage, inner, outputs_caught, stages_of
from kgan.layers import GroupedConv2D
from kgan.models.r3gan import ChannelBias
from kgan.models.rebuild import copy_network
from kgan.training.network_checks import run_network

# Layer class -> the axis of its kernel that is its outputs.
OUTPUT_AXES = {keras.layers.Conv2D: -1, keras.layers.Conv2DTranspose: -2, GroupedConv2D: -1}


def stage_of(network: keras.Model, layer: str | None) -> Stage:
    """The convolution of a generator that a layer is or belongs to.

    Args:
        network: a generator.
        layer: the name of a convolution, or of a normalisation or activation after it; None for
            the second-highest convolution, the one before the last.

    Raises:
        InputError: no such layer, or fewer than two convolutions.
    """
    stages = stages_of(network)
    if layer is None:
        if len(stages) < 2:
            raise InputError(
                "This needs a generator with two convolutions or more. "
                f"Received: {network.name} with {len(stages)}"
            )
        return stages[-2]
    for stage in stages:
        if layer in [member.name for member in stage.chain]:
            return stage
    known = ", ".join(stage.convolution.name for stage in stages)
    raise InputError(f"No such convolution. Known: {known}. Received: {layer!r}")


def silenced(
    generator: keras.Model, layer: str, maps: np.ndarray, inputs: Sequence[np.ndarray]
) -> keras.Model:
    """A copy of a generator in which some maps of a convolution's activations are 0 everywhere.

    It is so by its weights, so that it is saved and exported as the generator is: the scale and
    shift of the convolution's last normalisation are 0 there; without one, its kernel and bias.

    Args:
        generator: a built Keras network that its config brings back.
        layer: as for `stage_of`, a name.
        maps: int array (M,), channels of the activations.
        inputs: what the generator takes, to try it on.

    Raises:
        InputError: a convolution of which that is not so: one of another kind, with spectral
            normalisation and nothing after it, or with an activation that is not 0 at 0.
    """
    network = copy_network(generator)
    stage = stage_of(network, layer)
    scaling = [each for each in stage.chain if isinstance(each, NORMALIZATIONS)]
    weights = _weights_of(scaling[-1]) if scaling else _kernel_of(stage.convolution)
    if weights is None:
        raise _not_silent(stage)
    weights += [(each.bias, -1) for each in stage.chain if isinstance(each, ChannelBias)]
    for weight, axis in weights:
        values = np.array(weight)
        np.moveaxis(values, axis, 0)[maps] = 0.0
        weight.assign(values)
    with outputs_caught([stage.output]) as caught:
        run_network(network, inputs, len(inputs[0]))
    if np.any(np.asarray(caught[stage.output.name])[..., maps]):
        raise _not_silent(stage)
    return network


def _not_silent(stage: Stage) -> InputError:
    return InputError(
        "Maps of this convolution cannot be silenced by its weights: it needs a normalisation "
        "with scale and shift, or a plain kernel, and an activation that is 0 at 0; name another "
        f"with --layer. Received: {stage.convolution.name}"
    )


def _weights_of(normalization: Any) -> list[tuple[Any, int]] | None:
    """The scale and shift of a normalisation, and the axis of each that is the maps."""
    gamma, beta = (getattr(normalization, name, None) for name in ("gamma", "beta"))
    return None if gamma is None or beta is None else [(gamma, -1), (beta, -1)]


def _kernel_of(convolution: Any) -> list[tuple[Any, int]] | None:
    if inner(convolution) is not convolution:
        return None  # another kernel has another spectral norm: all maps would change
    axes = [axis for kind, axis in OUTPUT_AXES.items() if isinstance(convolution, kind)]
    if not axes:
        return None
    bias = getattr(convolution, "bias", None)
    return [(convolution.kernel, axes[0])] + ([] if bias is None else [(bias, -1)])
