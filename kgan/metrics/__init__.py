"""Figures of generated images that one can trust, from features; neither tensorflow nor keras.

    features = kgan.metrics.Features.efficientnet_lite0()
    real, fake = features.extract(real_images), features.extract(fake_images)
    kgan.metrics.kernel_distance(real, fake).value

Every metric takes arrays of features, one row an image, and gives a named tuple.
"""

from kgan.metrics.clipped_density_coverage import (
    ClippedDensityCoverage,
    clipped_density_coverage,
)
from kgan.metrics.density_coverage import DensityCoverage, density_coverage
from kgan.metrics.evaluation import Evaluation, compare, evaluate, read_evaluation
from kgan.metrics.features import SCALES, Features
from kgan.metrics.figures import Figure
from kgan.metrics.frechet_distance import FrechetDistance, frechet_distance
from kgan.metrics.kernel_distance import KernelDistance, kernel_distance
from kgan.metrics.memorisation import Memorisation, memorisation, nearest
from kgan.metrics.precision_recall import PrecisionRecall, precision_recall, realism
from kgan.metrics.protocol import Protocol
from kgan.metrics.real_images import Reference
from kgan.metrics.resize import RESIZE_RULE, resize
from kgan.metrics.sliced_wasserstein import SlicedWasserstein, sliced_wasserstein

__all__ = [
    "RESIZE_RULE",
    "SCALES",
    "ClippedDensityCoverage",
    "DensityCoverage",
    "Evaluation",
    "Features",
    "Figure",
    "FrechetDistance",
    "KernelDistance",
    "Memorisation",
    "PrecisionRecall",
    "Protocol",
    "Reference",
    "SlicedWasserstein",
    "clipped_density_coverage",
    "compare",
    "density_coverage",
    "evaluate",
    "frechet_distance",
    "kernel_distance",
    "memorisation",
    "nearest",
    "precision_recall",
    "read_evaluation",
    "realism",
    "resize",
    "sliced_wasserstein",
]
