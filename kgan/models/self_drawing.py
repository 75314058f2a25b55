"""Networks that draw random numbers in inference too: no functions of their inputs.

A noise layer called with training=True, a dropout that is always on, a layer with tf.random.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np

from kgan.models.own_code import CLOSE, example_inputs, own_code
from kgan.models.same_layers import body_of

STATE = "seed_generator_state"  # how Keras names the state of a SeedGenerator


def seeds_of(network: keras.Model) -> list[tuple[str, Any]]:
    """(name of the layer, its state, a variable) of every random seed of Keras's in a network."""
    body = body_of(network)
    names = {
        id(value.state): layer.name
        for layer in body._flatten_layers()
        for value in vars(layer).values()
        if isinstance(value, keras.random.SeedGenerator)
    }
    return [
        (names.get(id(theirs), theirs.path), own)
        for theirs, own in zip(body.variables, network.variables, strict=True)
        if theirs.path.endswith(STATE)
    ]


def what_draws(network: keras.Model) -> list[str]:
    """The layers of a network that draw random numbers in inference, in words; none for most.

    A layer with a seed of Keras's is seen by that seed, also where its noise has no strength yet;
    others by outputs that are not the same twice.
    """
    seeds = seeds_of(network)
    own = own_code(body_of(network))
    if not seeds and not own:
        return []
    inputs = example_inputs(body_of(network))
    with keras.StatelessScope() as scope:  # nothing of this stays, seeds included
        first, again = (np.asarray(network(inputs, training=False)) for _ in range(2))
        moved = [name for name, state in seeds if scope.get_current_value(state) is not None]
    bound = CLOSE * max(1.0, float(np.abs(first).max(initial=0.0)))
    if not moved and np.abs(first - again).max(initial=0.0) > bound:
        return [f"without a seed of Keras's, one of {', '.join(own)}"]
    return moved


def run_by_seeds(network: keras.Model, inputs: Sequence[np.ndarray], seeds: Iterable[int]) -> Any:
    """What a network that draws gives for each input, its layers' seeds set from the input's.

    One row at a time, so that no row depends on the others. The states stay as they were.

    Args:
        network: a Keras model.
        inputs: arrays (N, ...), one for each input.
        seeds: N ints >= 0.

    Returns:
        float32 array (N, ...).
    """
    states = [state for _, state in seeds_of(network)]
    before = [state.numpy() for state in states]
    rows = []
    try:
        for index, seed in enumerate(seeds):
            for number, state in enumerate(states):
                (drawn,) = np.random.SeedSequence((int(seed), number)).generate_state(1)
                state.assign(np.array([drawn, 0]).astype(state.dtype))
            row = [array[index : index + 1] for array in inputs]
            rows.append(np.asarray(network(row if len(row) > 1 else row[0], training=False)))
    finally:
        for state, value in zip(states, before, strict=True):
            state.assign(value)
    return np.concatenate(rows)
