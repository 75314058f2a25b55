"""What changes between images are measured by, beside their pixels."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kgan.channels import PICTURES
from kgan.errors import InputError
from kgan.explore.subject import Subject
from kgan.images import from_uint8

if TYPE_CHECKING:
    import keras


class FeatureView(NamedTuple):
    """Features of images.

    Attributes:
        name: whose they are, in words.
        extract: uint8 images (N, H, W, C) -> float32 features (N, D).
    """

    name: str
    extract: Callable[[np.ndarray], np.ndarray]


def feature_view(subject: Subject) -> FeatureView | None:
    """EfficientNet-lite0's features where `kgan[metrics]` is installed, else the discriminator's.

    The first is no part of the model and therefore the better judge of it.

    Returns:
        None where neither is at hand, the discriminator itself judges by the first, or images are
        no pictures.
    """
    if subject.image_shape[-1] not in PICTURES:
        return None
    from kgan.metrics import Features

    try:
        network = Features.efficientnet_lite0()
    except InputError:
        return discriminator_view(subject)
    if subject.judges_by() == network.sha256:
        return None  # what the generator was trained to please tells nothing of it
    return FeatureView(network.name, network.extract)


def why_none(subject: Subject) -> str:
    """Why `feature_view` gave none, in words."""
    if subject.judges_by() is not None:
        return "its own discriminator judges by the features at hand"
    if subject.image_shape[-1] not in PICTURES:
        return "features are of pictures, 1, 3 or 4 channels"
    return "no features are at hand (pip install kgan[metrics])"


def discriminator_view(subject: Subject) -> FeatureView | None:
    """The activations of the discriminator's last convolution, flattened.

    Returns:
        None where there is no discriminator, or none of the functional API on images alone.
    """
    try:
        discriminator = subject.require_discriminator()
    except InputError:
        return None
    layer = last_maps(discriminator)
    if layer is None or subject.condition is not None:
        return None
    from kgan.explore.network_parts import up_to
    from kgan.training.network_checks import run_network

    network = up_to(discriminator, layer.name)
    value_range = subject.require_gan().value_range

    def extract(images: np.ndarray) -> np.ndarray:
        maps = run_network(network, [from_uint8(images, value_range)], 64)
        return np.asarray(maps, np.float32).reshape(len(images), -1)

    return FeatureView(f"the discriminator's {layer.name}", extract)


def last_maps(network: keras.Model) -> keras.layers.Layer | None:
    """The last layer of a functional network that gives maps (B, H, W, C); None without one."""
    if not getattr(network, "inputs", None):
        return None
    maps = [layer for layer in network.layers if len(layer.output.shape) == 4]
    return maps[-1] if maps else None
