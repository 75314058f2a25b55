"""A linear classifier on features, as the probe learns it: scikit-learn's L2-SVM."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from kgan.errors import InputError

CHOICES_OF_C = (1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3)  # for rows of mean length 1


class Draw(NamedTuple):
    """Indices of one repetition, none twice.

    Attributes:
        train: what the classifier learns from.
        validation: what C is chosen by.
        test: what the accuracy is of.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


class Classified(NamedTuple):
    """A classifier on features, and how well it does.

    Attributes:
        accuracy: on the test images.
        c: chosen on the validation images.
        svm: the fitted LinearSVC, of features divided by `length`.
        length: the mean length of the training images' features.
    """

    accuracy: float
    c: float
    svm: Any
    length: np.float32

    def scores(self, features: np.ndarray) -> np.ndarray:
        """Scores (N, K) of features (N, F), as scikit-learn gives them.

        Of two classes it gives one score, that of the second; the first has minus it.
        """
        scores = self.svm.decision_function(features / self.length)
        return np.stack([-scores, scores], 1) if scores.ndim == 1 else scores

    def weights(self) -> tuple[np.ndarray, np.ndarray]:
        """(float64 (F, K), (K,)): scores are features @ the first + the second."""
        weights = self.svm.coef_.T.astype(np.float64) / self.length
        biases = self.svm.intercept_.astype(np.float64)
        if weights.shape[1] == 1:
            return np.hstack([-weights, weights]), np.hstack([-biases, biases])
        return weights, biases


def linear_svm() -> Callable[..., Any]:
    """scikit-learn's LinearSVC.

    Raises:
        InputError: it is not installed.
    """
    try:
        from sklearn.svm import LinearSVC
    except ImportError:
        raise InputError(
            "The probe needs scikit-learn: pip install kgan[explore]. Received: none"
        ) from None
    return LinearSVC


def classify(
    svm: Callable[..., Any], rows: np.ndarray, classes: np.ndarray, draw: Draw
) -> Classified:
    """A linear classifier, C chosen on the validation images.

    Rows are divided by the mean length of the training rows, which makes C comparable between
    features; of values of C that do equally well it is the smallest.

    Args:
        svm: as `linear_svm` gives it.
        rows: float32 array (N, F).
        classes: int array (N,).
        draw: which rows are for what.
    """
    length = np.linalg.norm(rows[draw.train], axis=1).mean()
    rows = rows / length
    best: tuple[float, float, Any] = (-1.0, 0.0, None)
    for c in CHOICES_OF_C:
        fitted = svm(C=c, dual="auto", random_state=0)
        with warnings.catch_warnings():  # at a large C: it is then not the one that is chosen
            warnings.simplefilter("ignore")
            fitted.fit(rows[draw.train], classes[draw.train])
        score = float(fitted.score(rows[draw.validation], classes[draw.validation]))
        if score > best[0]:
            best = score, c, fitted
    _, c, fitted = best
    accuracy = float(fitted.score(rows[draw.test], classes[draw.test]))
    return Classified(accuracy, c, fitted, length)
