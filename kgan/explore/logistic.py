"""Logistic regression."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

STEPS = 50
CLOSE = 1e-10  # of the weights, a step of Newton's method that is no step any more


class Logistic(NamedTuple):
    """P(positive) = 1 / (1 + exp(-(rows @ weights + bias))).

    Attributes:
        weights: float64 (D,).
        bias: a float.
    """

    weights: np.ndarray
    bias: float

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """rows @ weights + bias, of float rows (..., D)."""
        return rows @ self.weights + self.bias


def fit_logistic(rows: np.ndarray, positive: np.ndarray, strength: float = 1.0) -> Logistic:
    """The weights that minimise |w|^2 / 2 + strength * (sum of the rows' log losses).

    Positive and negative rows count alike as a whole, however many there are of each. The bias is
    not held small.

    Args:
        rows: float array (N, D).
        positive: bool array (N,), with both values in it.
        strength: the C of scikit-learn's LogisticRegression(class_weight="balanced").

    Reference:
        Newton's method (iteratively reweighted least squares) with halved steps where a whole one
        would go up: Bishop 2006, section 4.3.3.
    """
    count, width = rows.shape
    design = np.concatenate([np.asarray(rows, np.float64), np.ones((count, 1))], 1)
    signs = np.where(positive, 1.0, -1.0)
    share = positive.mean()
    importance = strength * np.where(positive, 0.5 / share, 0.5 / (1 - share))
    ridge = np.append(np.ones(width), 0.0)
    weights = np.zeros(width + 1)

    def loss(candidate: np.ndarray) -> float:
        losses = np.logaddexp(0, -signs * (design @ candidate))
        return float(0.5 * ridge @ candidate**2 + importance @ losses)

    for _ in range(STEPS):
        miss = 1 / (1 + np.exp(np.clip(signs * (design @ weights), -500, 500)))
        gradient = ridge * weights - design.T @ (importance * signs * miss)
        curvature = design.T @ (design * (importance * miss * (1 - miss))[:, None])
        # The smallest number keeps the bias's curvature above 0 where all is told apart.
        step = np.linalg.solve(curvature + np.diag(ridge + 1e-12), gradient)
        size, before = 1.0, loss(weights)
        while loss(weights - size * step) > before and size > 1e-6:
            size /= 2
        weights = weights - size * step
        if np.abs(step).max() <= CLOSE * max(1.0, np.abs(weights).max()):
            break
    return Logistic(weights[:-1], float(weights[-1]))
