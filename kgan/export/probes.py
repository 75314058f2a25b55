"""A linear classifier on what a network makes of images, as an export sees it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal

import keras
import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Probe:
    """Images to features, and from them to a score for each class.

    Attributes:
        network: Keras model, images (B, H, W, C) in `value_range` to features (B, F).
        image_shape: (H, W, C).
        value_range: (low, high) of an image as the network takes it.
        features_law: how the features come from the layers' activations, in words.
        layers: (name, maps) of each layer, in the order that their features are joined in.
        weights, biases: float arrays (F, K) and (K,), by which features become scores.
        scores: function of features (N, F): the scores (N, K) as the classifier itself gives
            them, which the export is compared with.
        class_names: the names of the K classes, two or more.
        examples: uint8 array (N, H, W, C) of images to compare on.
        preset: of the model that the network is from; None for a network of the user's own.
        facts: what is known of the classifier, for the manifest and the card.
    """

    kind: ClassVar[Literal["probe"]] = "probe"
    network: keras.Model
    image_shape: tuple[int, ...]
    value_range: tuple[float, float]
    features_law: str
    layers: Sequence[tuple[str, int]]
    weights: np.ndarray
    biases: np.ndarray
    scores: Callable[[np.ndarray], np.ndarray]
    class_names: Sequence[str]
    examples: np.ndarray
    preset: str | None = None
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)
