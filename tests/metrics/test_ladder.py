"""On real pictures the figures fall in the order in which the pictures get worse."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

import kgan
from kgan import metrics
from tests.metrics.weights import needs_weights

pytestmark = [needs_weights, pytest.mark.slow]
N = 300


def blurred(images, radius):
    return np.stack(
        [
            np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(radius)))
            for image in images
        ]
    )


def noisy(images):
    noise = np.random.default_rng(2).normal(0, 15, images.shape)
    return np.clip(images + noise, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def ladder(efficientnet):
    """Features of real pictures of clothes, and of others ever worse."""
    batches = kgan.data.embedded(
        batch_size=6000, image_shape=(28, 28, 1), value_range=(0, 255), shuffle=False, labels=True
    )
    images, labels = (np.asarray(each) for each in next(iter(batches)))
    order = np.random.default_rng(1).permutation(6000)
    images, labels = np.rint(images[order, :, :, 0]).astype(np.uint8), labels[order]
    rest, of_rest = images[N:], labels[N:]
    others = rest[:N]
    steps = {
        "real": others,
        "mild blur": blurred(others, 0.4),
        "strong blur": blurred(others, 0.6),
        "two classes alone": rest[of_rest < 2][:N],
        "noise": noisy(others),
        "a fifth noise": np.concatenate([others[60:], noisy(others[:60])]),
    }
    real = efficientnet.extract(images[:N])
    return {name: (real, efficientnet.extract(each)) for name, each in steps.items()}


@pytest.mark.parametrize("distance", [metrics.kernel_distance, metrics.sliced_wasserstein])
def test_distances_grow_with_every_step(ladder, distance):
    steps = ("real", "mild blur", "strong blur", "two classes alone", "noise")
    values = [distance(*ladder[step]).value for step in steps]
    assert values == sorted(values)


def test_real_pictures_are_within_the_noise_of_real_ones(ladder):
    same, worse = (metrics.kernel_distance(*ladder[step]) for step in ("real", "two classes alone"))
    assert abs(same.value) < 3 * same.standard_error
    assert worse.value > 4 * worse.standard_error


def test_dropped_classes_cost_recall_and_noise_costs_precision(ladder):
    real, dropped, noise = (
        metrics.precision_recall(*ladder[step])
        for step in ("real", "two classes alone", "a fifth noise")
    )
    assert dropped.recall < real.recall - 0.2
    assert dropped.precision > real.precision - 0.1
    assert noise.precision < real.precision - 0.05
    assert noise.recall > real.recall - 0.05
