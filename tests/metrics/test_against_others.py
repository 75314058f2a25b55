"""The metrics beside other people's code, on the same features.

The literal values are from `tests.metrics.sets.features`, made once with prdc 0.2 (`compute_prdc`),
torch-fidelity 0.4.0 (`fid_statistics_to_metric`, `kid_features_to_metric` with one subset of all
rows, `calculate_precision_recall_full`), pytorch-fid 0.3.0 and clean-fid 0.1.35
(`frechet_distance`, and `kernel_distance` with one subset of all rows), and with the authors' class
ClippedDensityCoverage of github.com/nicolassalvy/ClippedDensityCoverage (commit 5e477ae), under
NumPy 2.4.6, SciPy 1.17.1, scikit-learn 1.9.1 and PyTorch 2.13.0.
"""

import numpy as np
import pytest

from kgan import metrics
from tests.metrics.sets import features

close = pytest.approx


def test_frechet_distance():
    # torch-fidelity 14.097280622746501, pytorch-fid and clean-fid 14.097280622746505
    assert metrics.frechet_distance(*features()).value == close(14.097280622746505, rel=1e-9)
    # torch-fidelity, five rows a set: the covariances are singular
    assert metrics.frechet_distance(*features(5, 5)).value == close(114.53197891332773, rel=1e-6)


def test_kernel_distance():
    # torch-fidelity 154.27927826802522, clean-fid 154.27927826802528: equal numbers of rows only
    assert metrics.kernel_distance(*features(60, 60)).value == close(154.27927826802525, rel=1e-9)


def test_precision_and_recall():
    # prdc, and torch-fidelity for k = 3
    assert metrics.precision_recall(*features()) == close((0.7833333333333333, 0.75))
    assert metrics.precision_recall(*features(), k=5) == close((0.8, 0.8375))


def test_density_and_coverage():
    # prdc
    assert metrics.density_coverage(*features(), k=3) == close((1.0277777777777777, 0.7875))
    assert metrics.density_coverage(*features()) == close((0.9533333333333334, 0.925))


def test_clipped_density_and_coverage():
    # the authors' own class
    found = metrics.clipped_density_coverage(*features())
    assert found == close((0.9674418604651164, 0.9180327868852459))
    assert metrics.clipped_density_coverage(*features(), k=3) == close((1.0, 0.9344262295081968))


def test_float32_features_give_the_same():
    real, fake = (each.astype(np.float32) for each in features())
    assert metrics.frechet_distance(real, fake).value == close(14.09728, rel=1e-5)
    assert metrics.density_coverage(real, fake) == close((0.9533333333333334, 0.925))
