"""The sets of images that ship with kgan."""

from __future__ import annotations

import importlib.resources
from collections.abc import Sequence

import numpy as np

from kgan.data import decode
from kgan.data.array_source import ArraySource
from kgan.data.builders import array_source, shape_of
from kgan.errors import InputError

EMBEDDED_SIZE = (32, 32)
FASHION = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
CLOTHES = "clothes"
EMBEDDED_PREFIX = "embedded:"
# Name -> (file, channels, what it is, names of its classes or None for attributes).
EMBEDDED: dict[str, tuple[str, int, str, Sequence[str] | None]] = {
    CLOTHES: (
        "fashion_mnist/fashion_mnist_6000.npz",
        1,
        "the embedded 6,000 pictures of Fashion-MNIST",
        FASHION,
    ),
    "faces": ("faces/faces_2400.npz", 3, "the embedded 2,400 drawn faces", None),
}


def embedded_source(
    image_shape: Sequence[int] | None,
    fit: decode.Fit,
    background: Sequence[int],
    name: str = CLOTHES,
) -> ArraySource:
    """A set that ships with kgan: 6,000 pictures of Fashion-MNIST, or 2,400 drawn faces.

    Raises:
        InputError: there is no such set.
    """
    if name not in EMBEDDED:
        raise InputError(f"The embedded sets are {', '.join(EMBEDDED)}. Received: {name}")
    file, channels, description, classes = EMBEDDED[name]
    with (importlib.resources.files("kgan.data") / file).open("rb") as stream:
        with np.load(stream) as arrays:
            array, labels = arrays["images"], arrays["labels" if classes else "attributes"]
            names = None if classes else arrays["attribute_names"].tolist()
    return array_source(
        array,
        None,
        shape_of(image_shape, EMBEDDED_SIZE, channels),
        fit,
        background,
        description,
        # All shoes point the same way, and a face's yaw would be another.
        default_augment=(),
        labels=labels,
        class_names=classes,
        attribute_names=names,
    )
