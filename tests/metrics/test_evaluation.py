"""`evaluate`, its protocol and comparisons, on features that NumPy computes too."""

import dataclasses
import json
import math

import numpy as np
import pytest

import kgan
from kgan import metrics
from kgan.metrics.curve import curve
from kgan.metrics.evaluation import compare
from kgan.metrics.figures import noise_between
from kgan.metrics.quality_sheet import quality_sheet
from kgan.metrics.real_images import Reference
from tests.tiny_features import means, write_network


@pytest.fixture(scope="session")
def network(tmp_path_factory):
    path = write_network(tmp_path_factory.mktemp("features") / "means.onnx")
    return metrics.Features.from_onnx(path, scale="unit")


@pytest.fixture(scope="module")
def real():
    """400 real pictures (32, 32, 1) and their classes, in a random order."""
    source = kgan.data.open_source(None)
    rows = np.random.default_rng(0).permutation(6000)[:400]
    return source.images[rows], source.labels[rows]


def against(images, n, network):
    """The first n images, with the n after them as other real ones."""
    return Reference(images[:n], None, images[n : 2 * n], network=network)


class Drawer:
    """Draws seed s as picture s of an array, with noise of some levels."""

    num_classes = class_names = None

    def __init__(self, images, noise=0):
        self.images, self.noise = images, noise

    def generate(self, n, seed=0):
        drawn = np.random.default_rng(seed).normal(0, self.noise, (n, *self.images.shape[1:]))
        rows = np.arange(seed, seed + n) % len(self.images)
        return np.clip(self.images[rows] + drawn, 0, 255).astype(np.uint8)


class Classes(Drawer):
    """Has two classes: of label 1 it draws nothing but black."""

    num_classes, class_names = 2, ["good", "bad|"]

    def generate(self, n, seed=0, labels=None):
        drawn = super().generate(n, seed)
        drawn[np.asarray(labels) == 1] = 0
        return drawn


def test_figures_are_the_metrics_of_the_features_and_floors_of_other_real_images(network, real):
    images, _ = real
    model = Drawer(images[300:])
    found = metrics.evaluate(model, against(images, 100, network), seed=7)
    fake, first, second = means(model.generate(100, 7)), means(images[:100]), means(images[100:200])
    distance = metrics.kernel_distance(first, fake)
    kept = found.figures["kernel_distance"]
    assert kept.value == pytest.approx(distance.value, abs=1e-6)
    assert kept.standard_error == pytest.approx(distance.standard_error, rel=1e-3)
    assert kept.floor == pytest.approx(metrics.kernel_distance(first, second).value, abs=1e-6)
    assert found.figures["recall"].value == metrics.precision_recall(first, fake).recall
    assert found.figures["coverage"].floor == metrics.density_coverage(first, second).coverage
    assert (found.protocol.n_real, found.protocol.n_fake, found.protocol.first_seed) == (
        100,
    ) * 2 + (7,)


def test_with_few_images_both_sides_and_the_floor_have_half_of_them(network, real):
    images, _ = real
    found = metrics.evaluate(Drawer(images), images[:61], n=100, features=network)
    rows = np.random.default_rng(0).permutation(61)
    halves = means(images[rows[:30]]), means(images[rows[30:60]])
    assert found.protocol.n_real == found.protocol.n_fake == 30
    expected = metrics.frechet_distance(*halves).value
    assert found.figures["frechet_distance"].floor == pytest.approx(expected, rel=1e-3)


def test_the_least_images_have_figures_without_a_floor(network, real):
    found = metrics.evaluate(Drawer(real[0]), real[0][:8], n=8, features=network)
    assert math.isfinite(found.figures["kernel_distance"].value)
    assert found.figures["kernel_distance"].floor is None
    assert found.table()


def test_the_noise_of_a_difference_is_that_of_what_differs_alone(network, real):
    """Two models that are nearly one: their difference is known better than either figure."""
    images, _ = real
    reference = against(images, 200, network)
    figures = []
    for level in (20, 24):
        found = metrics.evaluate(Drawer(images[200:], level), reference)
        figures.append(found.figures["kernel_distance"])
    independent = math.hypot(*(figure.standard_error for figure in figures))
    assert 0 < noise_between(*figures) < independent / 2
    bare = [figure._replace(halves=()) for figure in figures]
    assert noise_between(*bare) == independent


def test_more_noise_is_worse_and_told_beyond_the_noise_of_the_figures(network, real):
    images, _ = real
    reference = against(images, 200, network)
    found = {
        name: metrics.evaluate(Drawer(images[200:], noise), reference)
        for name, noise in (("much", 120), ("none", 0), ("some", 60))
    }
    lines = compare(found)
    names = [line.split()[0] for line in lines[1:5]]
    assert names == ["none", "some", "much", "real"]
    assert lines[-1].startswith("none is better than much: kernel distance lower by")
    alike = compare({name: found["none"] for name in "ab"})
    assert "a and b differ by no more than the noise" in alike[-1]


@pytest.mark.parametrize("change", ["n_real", "data_sha256", "split", "real_seed", "features"])
def test_figures_of_other_protocols_are_not_compared(network, real, change):
    found = metrics.evaluate(Drawer(real[0]), real[0], n=40, features=network)
    other = {"features": {"network": "b"}}.get(change, "other")
    moved = dataclasses.replace(found.protocol, **{change: other})
    with pytest.raises(kgan.InputError, match=f"{change.replace('_', ' ')} .* for a, .* for b"):
        compare({"a": found, "b": dataclasses.replace(found, protocol=moved)})


def test_what_differs_by_the_model_alone_is_compared(network, real):
    found = metrics.evaluate(Drawer(real[0]), real[0], n=40, features=network)
    moved = dataclasses.replace(found.protocol, weights="average", first_seed=9, kgan="0")
    assert compare({"a": found, "b": dataclasses.replace(found, protocol=moved)})


def test_each_class_has_its_figure_and_fakes_have_the_real_images_classes(network, real):
    images, labels = real
    found = metrics.evaluate(Classes(images), (images, labels % 2), n=150, features=network)
    assert found.by_class["bad|"].value > 5 * abs(found.by_class["good"].value)
    assert found.protocol.labels == "those of the real images"
    assert any("bad|" in line for line in found.table())


def test_a_file_of_it_reads_back_and_others_are_one_line(network, real, tmp_path):
    images, labels = real
    found = metrics.evaluate(
        Classes(images), (images, labels % 2), n=60, features=network, facts={"step": 3}
    )
    path = found.write(tmp_path / "evaluation.json")
    assert metrics.read_evaluation(path) == found
    values = json.loads(path.read_text())
    spoiled = [
        values | {"figures": {"recall": values["figures"]["recall"] | {"value": wrong}}}
        for wrong in ("0.1", None, True, float("nan"), [1.0])
    ]
    spoiled += [
        values | {"protocol": values["protocol"] | wrong}
        for wrong in ({"n_fake": "x"}, {"features": 3}, {"features": {}}, {"data": None})
    ]
    spoiled.append({**values, "figures": [1]})
    for text in ("", "[]", "[" * 100_000, '{"format": 1}', *map(json.dumps, spoiled)):
        path.write_text(text)
        with pytest.raises(kgan.InputError, match="Not an evaluation of kgan"):
            metrics.read_evaluation(path)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"metrics": ["fid"]}, "No such metric; there are kernel_distance, .* Received: 'fid'"),
        ({"metrics": []}, "at least one metric"),
        ({"data": np.zeros((7, 32, 32, 1), np.uint8)}, "At least 8 real images"),
        ({"data": np.zeros((40, 32, 32, 1))}, "uint8"),
        ({"data": (np.zeros((40, 32, 32, 1), np.uint8), [0])}, "a label for each of 40 images"),
        ({"n": 2.5}, "n must be"),
        ({"model": Classes(np.zeros((40, 32, 32, 1), np.uint8))}, "labels from 0 to 1.*none"),
    ],
)
def test_what_cannot_be_measured_is_one_line(network, real, wrong, says):
    arguments = {"model": Drawer(real[0]), "data": real[0]} | wrong
    with pytest.raises(kgan.InputError, match=says):
        metrics.evaluate(**arguments, features=network)


def test_the_sheet_shows_the_most_and_the_least_real_images(network, real):
    images, _ = real
    mixed = images[:100].copy()
    mixed[40:48] = 255 - np.random.default_rng(0).integers(0, 9, mixed[40:48].shape)
    model, reference = Drawer(mixed), against(images, 100, network)
    sheet = quality_sheet(model, reference, reference.features_of(model, 0), 0)
    side = 32 + 2
    rows = [sheet[14 + row * (14 + side + 2) :][: side + 2] for row in range(4)]
    shown = [
        {row[2:34, 2 + side * place : 34 + side * place].tobytes() for place in range(8)}
        for row in rows
    ]
    assert shown[2] == {image.tobytes() for image in mixed[40:48]}
    assert not shown[0] & shown[2]
    assert shown[3] == {image.tobytes() for image in images[:8]}


def test_a_curve_falls_from_left_to_right_and_marks_the_smallest():
    picture = curve([(1, 4.0), (50, 1.0), (100, 2.0)], "kernel distance", 200)
    assert picture.shape == (120, 200, 1)
    dark = picture[28:106, :, 0] == 0  # the points, without the texts
    heights = [np.argwhere(dark[:, x]).mean() for x in (4, 195)]
    assert heights[0] < heights[1]  # higher figures are nearer to the top
    ring = np.argwhere(dark.sum(axis=0) >= 4)[:, 0]
    assert ring.min() > 80
    assert ring.max() < 120
    assert curve([(7, 0.5)], "one", 100).shape == (120, 100, 1)
