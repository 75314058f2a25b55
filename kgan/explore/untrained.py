"""A network as it was before it learned anything, to compare with."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator

import keras

from kgan.errors import InputError
from kgan.files import first_line


def untrained_twin(network: keras.Model, seed: int = 0) -> keras.Model:
    """A network of the same layers, with weights that its initializers draw.

    Args:
        network: a Keras network that its config brings back.
        seed: int >= 0; the same weights for the same network and seed, where its initializers
            were given none of their own.

    Raises:
        InputError: a network that cannot be built again.
    """
    with initialized_by(seed):
        try:
            twin = type(network).from_config(network.get_config())
            if not twin.built:
                twin.build(network.input_shape)
        except Exception as error:  # of any kind: it comes out of the user's code
            raise InputError(
                "An untrained twin needs a network that its config brings back "
                f"({first_line(error)}). Received: {network.name}"
            ) from error
    return twin


@contextlib.contextmanager
def initialized_by(seed: int) -> Iterator[None]:
    """Context manager: what Keras initialises within has the same weights for the same seed."""
    state = random.getstate()  # where Keras draws the seeds of initializers
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)
