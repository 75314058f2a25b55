"""A small classifier, and the distance between two sets of pictures by its features."""

import keras
import numpy as np
import scipy.linalg


def network(shape, outputs):
    """(the judge, the network of its 64 features), before any training."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    inputs = keras.Input(shape)
    x = layers.Rescaling(1 / 127.5, -1)(inputs)
    for filters in (32, 64):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D()(x)
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    features = layers.Dense(64, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(outputs)(features)), keras.Model(inputs, features)


def frechet_distance(one, other):
    """Between normal distributions fitted to two sets of features (Heusel et al. 2017)."""
    means = one.mean(0) - other.mean(0)
    covariances = np.cov(one, rowvar=False), np.cov(other, rowvar=False)
    # The trace of the root of their product, by its eigenvalues.
    eigenvalues = scipy.linalg.eigvals(covariances[0] @ covariances[1]).real
    root = np.sqrt(np.clip(eigenvalues, 0, None)).sum()
    return float(means @ means + np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * root)


def distances(features, drawn, test, train):
    """The line of a card: of drawn and of training pictures, each to the test pictures."""
    of = [features.predict(images, verbose=0).astype(np.float64) for images in (drawn, test, train)]
    return {
        "Fréchet distance to the test pictures, judge's features": (
            f"{frechet_distance(of[0], of[1]):.2f} "
            f"({frechet_distance(of[2], of[1]):.2f} of real training pictures)"
        )
    }
