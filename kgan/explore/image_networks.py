"""Networks that take images: which they are, what pixels they want, what goes in beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import keras
import numpy as np

from kgan.channels import PICTURES, PICTURES_IN_WORDS
from kgan.errors import InputError
from kgan.explore.subject import Subject
from kgan.files import printable
from kgan.images import check_range, from_uint8

BATCH = 64


def takes_images(network: keras.Model) -> bool:
    """Whether a network's first input is pictures (B, H, W, C), C 1, 3 or 4."""
    shape = tuple(network.inputs[0].shape) if network.inputs else ()
    return len(shape) == 4 and None not in shape[1:] and shape[3] in PICTURES


def network_of_images(subject: Subject) -> keras.Model:
    """The network of a subject that takes images: D, an encoder, or the plain one.

    Raises:
        InputError: there is none at hand.
    """
    for network in subject.require_networks():
        if takes_images(network):
            return network
    raise InputError(
        f"None of its networks takes images of one size, with {PICTURES_IN_WORDS} channels. "
        f"Received: {printable(subject.name)}"
    )


def owner_of(subject: Subject, network: keras.Model) -> keras.Model:
    """The Keras model that a subject's network of images is part of; a plain one is its own."""
    if subject.model is network:
        return network
    return subject.model if subject.is_autoencoder else subject.require_gan()


def range_of_images(
    subject: Subject, network: keras.Model, value_range: tuple[float, float] | None = None
) -> tuple[float, float]:
    """The (low, high) that stands for black and white in what a network takes.

    A kgan model knows its own. Else what is given; without that (0, 255) where the network begins
    with a layer that scales, as keras.layers.Rescaling, and (0, 1) of any other.

    Raises:
        InputError: no (low, high).
    """
    if subject.model is not network:
        return owner_of(subject, network).value_range
    if value_range is not None:
        return check_range("value_range", value_range)
    first = next((x for x in network.layers if not isinstance(x, keras.layers.InputLayer)), None)
    scales = isinstance(first, (keras.layers.Rescaling, keras.layers.Normalization))
    return (0.0, 255.0) if scales else (0.0, 1.0)


def inputs_of(
    network: keras.Model, levels: np.ndarray, value_range: Sequence[float]
) -> list[np.ndarray]:
    """What a network takes for uint8 images; zeros for what it takes beside them, as labels."""
    others = [np.zeros((len(levels), *x.shape[1:]), x.dtype) for x in network.inputs[1:]]
    return [from_uint8(levels, value_range), *others]


def batches_of(
    network: keras.Model, levels: np.ndarray, value_range: Sequence[float], size: int = BATCH
) -> Iterator[list[np.ndarray]]:
    """`inputs_of`, `size` images at a time."""
    for at in range(0, len(levels), size):
        yield inputs_of(network, levels[at : at + size], value_range)


def as_called(inputs: Sequence[np.ndarray]) -> np.ndarray | list[np.ndarray]:
    """Inputs as a Keras network is called with: the one, or a list of several."""
    return list(inputs) if len(inputs) > 1 else inputs[0]
