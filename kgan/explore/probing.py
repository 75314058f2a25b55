"""How much of classes a discriminator has learned that was never told of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from kgan.errors import InputError
from kgan.explore.image_networks import (
    as_called,
    batches_of,
    network_of_images,
    owner_of,
    range_of_images,
)
from kgan.explore.linear_classifier import Classified, Draw, classify, linear_svm
from kgan.explore.picture import CAPTION_SIZE, Finding
from kgan.explore.probe_features import LAW, ConvolutionFeatures, convolution_features
from kgan.explore.subject import as_subject
from kgan.explore.untrained import untrained_twin
from kgan.export.probes import Probe
from kgan.images import check_levels
from kgan.labels import check_class_names
from kgan.models.networks import check_positive
from kgan.models.rebuild import copy_network, float32_copy
from kgan.training.calibration import set_statistics

LABELS = 1000
DRAWS = 5
BATCH = 128  # of which the statistics of batch normalisation are the mean
STATISTICS = 1024
EXAMPLES = 64  # test images that an export is compared on
BAR = 300  # pixels of an accuracy of 1
LINE = 28
NAMES = {"raw": "pixels", "untrained": "untrained network", "trained": "network"}


class Probing(NamedTuple):
    """What probing a network gives.

    Attributes:
        finding: the accuracies.
        probe: the classifier of the last draw on the network's features;
            `kgan.export.to_onnx(probe, directory)` delivers it.
    """

    finding: Finding
    probe: Probe


def probe(
    model: Any,
    images: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    labelled: int | None = LABELS,
    draws: int = DRAWS,
    value_range: tuple[float, float] | None = None,
    class_names: Sequence[str] | None = None,
    seed: int = 0,
) -> Probing:
    """The accuracy of a linear classifier on what a discriminator sees, beside two others.

    The features are those of `convolution_features`, and, to compare with, the pixels and the
    features of the untrained network. Batch normalisation uses the statistics of the real images
    that are learned from, as the paper's code does, not those that training left. The classifier
    is an L2-SVM, one against the rest; C is chosen on as many other labelled images.

    Args:
        model: a `Subject`, a `kgan.GAN`, whose discriminator it is, or a Keras network of images.
        images: uint8 array (N, H, W, C).
        labels: int array (N,).
        labelled: images that it learns from, as many of each class; None for 8 of 10 of all.
        draws: how often they are drawn anew.
        value_range: as for `units`.
        class_names: the names of labels 0, 1, ..., each another; None for the labels themselves.
        seed: int >= 0, of the draws and the untrained network.

    Returns:
        A `Probing`; of its finding `figures["trained"]["mean"]` is the mean accuracy,
        `["deviation"]` the standard deviation over the draws.

    Raises:
        InputError: scikit-learn is not installed, too few images, classes or names, a name twice,
            or a network without convolutions.

    Reference:
        Radford et al. 2015, section 5, https://arxiv.org/abs/1511.06434
    """
    svm = linear_svm()
    subject = as_subject(model)
    network = network_of_images(subject)
    levels = check_levels(images, network.inputs[0].shape[1:])
    classes = _check_labels(labels, len(levels))
    names = _names_of(np.unique(classes), class_names)
    value_range = range_of_images(subject, network, value_range)
    preset = getattr(owner_of(subject, network), "preset", None)
    network = float32_copy(copy_network(network))
    twin = untrained_twin(network, seed)
    check_positive(draws=draws)
    found: dict[str, list[Classified]] = {name: [] for name in NAMES}
    rng = np.random.default_rng(seed)
    for _ in range(draws):
        draw = drawn(classes, labelled, rng)
        features = {"raw": levels.reshape(len(levels), -1).astype(np.float32)}
        for name, each in (("untrained", twin), ("trained", network)):
            _measure_statistics(each, levels[draw.train], value_range)
            features[name] = convolution_features(each, levels, value_range)
        for name, rows in features.items():
            found[name].append(classify(svm, rows, classes, draw))
    last = found["trained"][-1]
    figures: dict[str, Any] = {
        "experiment": "probe",
        "features": last.svm.coef_.shape[1],
        "value_range": value_range,
        "classes": len(np.unique(classes)),
        "train": len(draw.train),
        "validation": len(draw.validation),
        "test": len(draw.test),
        "batch_statistics": f"of {min(STATISTICS, len(draw.train))} real images learned from",
    }
    for name, each in found.items():
        accuracies = [classified.accuracy for classified in each]
        figures[name] = {
            "mean": float(np.mean(accuracies)),
            "deviation": float(np.std(accuracies, ddof=1)) if draws > 1 else None,
            "accuracies": accuracies,
            "c": [classified.c for classified in each],
        }
    delivered = _as_probe(
        network,
        value_range,
        last,
        class_names=names,
        examples=levels[spread(draw.test, EXAMPLES)],
        preset=preset,
        facts={
            "labelled_images": len(draw.train),
            "accuracy": round(last.accuracy, 4),
            "tested_on": len(draw.test),
            "svm_c": last.c,
            "batch_statistics": figures["batch_statistics"],
        },
    )
    return Probing(Finding(_bars(figures), figures, _in_words(figures)), delivered)


def _as_probe(
    network: keras.Model, value_range: tuple[float, float], found: Classified, **known: Any
) -> Probe:
    """What is exported of a classifier on a network's features."""
    features = ConvolutionFeatures(network)
    weights, biases = found.weights()
    return Probe(
        network=features,
        image_shape=tuple(network.inputs[0].shape[1:]),
        value_range=value_range,
        features_law=LAW,
        layers=features.maps(),
        weights=weights,
        biases=biases,
        scores=found.scores,
        **known,
    )


def drawn(classes: np.ndarray, labelled: int | None, rng: np.random.Generator) -> Draw:
    """Training and validation images, as many of each class; the rest is to test on.

    Args:
        classes: int array (N,).
        labelled: training images, and as many for validation; None for 8 and 1 of 10 of each
            class.
        rng: where the choice is drawn from.

    Raises:
        InputError: a class has too few images.
    """
    names, counts = np.unique(classes, return_counts=True)
    parts: tuple[list[np.ndarray], ...] = ([], [], [])
    for place, (name, count) in enumerate(zip(names, counts, strict=True)):
        own = rng.permutation(np.flatnonzero(classes == name))
        if labelled is None:
            train, validation = 8 * count // 10, count // 10
        else:  # what does not divide goes to the first classes
            train = validation = labelled // len(names) + (place < labelled % len(names))
        if not 0 < train or not 0 < validation < count - train:
            raise InputError(
                "Each class needs images to learn from, to choose C by and to test on. Received: "
                f"{count} of class {name}, for {train}, {validation} and "
                f"{max(0, count - train - validation)}"
            )
        for part, some in zip(parts, np.split(own, [train, train + validation]), strict=True):
            part.append(some)
    return Draw(*(np.sort(np.concatenate(part)) for part in parts))


def spread(indices: np.ndarray, count: int) -> np.ndarray:
    """At most `count` of indices, from the first to the last at equal distances."""
    places = np.linspace(0, len(indices) - 1, min(count, len(indices)))
    return indices[places.round().astype(int)]


def _measure_statistics(
    network: keras.Model, levels: np.ndarray, value_range: tuple[float, float]
) -> None:
    some = levels[:STATISTICS]
    size = min(BATCH, len(some))
    whole = some[: len(some) // size * size]  # batches of one size
    batches = [as_called(each) for each in batches_of(network, whole, value_range, size)]
    set_statistics(network, network, batches)


def _check_labels(labels: npt.ArrayLike, count: int) -> np.ndarray:
    classes = np.asarray(labels)
    if classes.shape != (count,) or classes.dtype.kind not in "iu" or len(np.unique(classes)) < 2:
        raise InputError(
            "A probe needs a whole number for each image, of two classes or more. "
            f"Received: {classes.dtype} {classes.shape} for {count} images, of "
            f"{len(np.unique(classes))} classes"
        )
    return classes


def _names_of(labels: np.ndarray, class_names: Sequence[str] | None) -> list[str]:
    """The names of the labels that there are, in their order."""
    if class_names is None:
        return [str(label) for label in labels]
    names = check_class_names(class_names, len(class_names)) or []
    if labels[0] < 0 or labels[-1] >= len(names):
        raise InputError(
            f"class_names must name every label, {labels[0]} to {labels[-1]}. "
            f"Received: {len(names)} names"
        )
    return [names[label] for label in labels]


def _in_words(figures: dict[str, Any]) -> tuple[str, ...]:
    told = [
        f"{figures['train']:,} labelled images of {figures['classes']} classes, tested on "
        f"{figures['test']:,}; {figures['features']:,} features; batch statistics "
        f"{figures['batch_statistics']}"
    ]
    for name, words in NAMES.items():
        figure = figures[name]
        deviation = figure["deviation"]
        told.append(
            f"{words}: accuracy {figure['mean']:.3f}"
            + ("" if deviation is None else f" +- {deviation:.3f}")
        )
    return tuple(told)


def _bars(figures: dict[str, Any]) -> np.ndarray:
    """The accuracies as bars, with a line at chance."""
    sheet = Image.new("RGB", (180 + BAR + 100, LINE * len(NAMES) + 24), "white")
    draw = ImageDraw.Draw(sheet)
    draw.font = ImageFont.load_default(CAPTION_SIZE)
    for place, (name, words) in enumerate(NAMES.items()):
        top, mean = 8 + LINE * place, figures[name]["mean"]
        draw.text((8, top + 4), words, fill="black")
        draw.rectangle((180, top, 180 + BAR * mean, top + LINE - 10), fill=(70, 110, 170))
        deviation = figures[name]["deviation"]
        around = "" if deviation is None else f" +- {deviation:.3f}"
        draw.text((186 + BAR * mean, top + 4), f"{mean:.3f}{around}", fill="black")
    chance = 180 + BAR / figures["classes"]
    draw.line((chance, 4, chance, sheet.height - 16), fill=(200, 60, 60))
    draw.text((chance + 4, sheet.height - 14), "chance", fill=(200, 60, 60))
    return np.asarray(sheet)
