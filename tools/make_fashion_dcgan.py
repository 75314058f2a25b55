#!/usr/bin/env python3
"""Exports the pretrained generator of saved_models/fashion_dcgan from a run, with its quality.

    kgan train tfds:fashion_mnist --conditional --filters 32 --ema-half-life-images 20000 \\
        --minutes 50 --name fashion_dcgan
    tools/make_fashion_dcgan.py runs/fashion_dcgan DIRECTORY OUT [--minutes M] [--command TEXT]

DIRECTORY holds Fashion-MNIST's four gzipped IDX files, as Debian's package
dataset-fashion-mnist installs them. A judge, a small convolutional network, is
trained on the 60,000 real pictures. It says of how many drawn pictures it sees
the class that was asked for, and its 64 features give a Fréchet distance to the
10,000 test pictures. Both are said of real pictures too, as the measure.
"""

import argparse
import gzip
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import scipy.linalg

from kgan.export import export
from kgan.runs import load

DRAWN = 10_000
FIRST_SEED = 3_000_000
HEADERS = {"images-idx3": 16, "labels-idx1": 8}


def read(directory, part, kind):
    """The uint8 values of one of the four files."""
    with gzip.open(Path(directory) / f"{part}-{kind}-ubyte.gz") as file:
        values = np.frombuffer(file.read(), np.uint8, offset=HEADERS[kind])
    return values.reshape(-1, 28, 28, 1) if kind.startswith("images") else values


def judge(images, labels):
    """A classifier trained on real pictures, and the network of its features."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    inputs = keras.Input((28, 28, 1))
    x = layers.Rescaling(1 / 127.5, -1)(inputs)
    for filters in (32, 64):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D()(x)
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    features = layers.Dense(64, activation="relu")(x)
    classifier = keras.Model(inputs, layers.Dense(10)(features))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    classifier.compile("adam", loss, metrics=["accuracy"])
    classifier.fit(images, labels, batch_size=128, epochs=4, verbose=2)
    return classifier, keras.Model(inputs, features)


def frechet_distance(one, other):
    """Between normal distributions fitted to two sets of features (Heusel et al. 2017)."""
    means = one.mean(0) - other.mean(0)
    covariances = np.cov(one, rowvar=False), np.cov(other, rowvar=False)
    # The trace of the root of their product, by its eigenvalues.
    eigenvalues = scipy.linalg.eigvals(covariances[0] @ covariances[1]).real
    root = np.sqrt(np.clip(eigenvalues, 0, None)).sum()
    return float(means @ means + np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * root)


def quality(model, directory):
    """What the judge says, as lines of the card."""
    train = [read(directory, "train", kind) for kind in HEADERS]
    test_images, test_labels = (read(directory, "t10k", kind) for kind in HEADERS)
    classifier, features = judge(*train)
    labels = np.arange(DRAWN) % 10
    drawn = model.generate(DRAWN, seed=FIRST_SEED, labels=labels)

    def accuracy(images, labels):
        return float((classifier.predict(images, verbose=0).argmax(1) == labels).mean())

    of = {
        name: features.predict(images, verbose=0).astype(np.float64)
        for name, images in (
            ("drawn", drawn),
            ("test", test_images),
            ("train", train[0][:DRAWN]),
        )
    }
    seen = classifier.predict(drawn, verbose=0).argmax(1) == labels
    by_class = ", ".join(
        f"{name} {seen[labels == label].mean():.0%}" for label, name in enumerate(model.class_names)
    )
    asked, real = accuracy(drawn, labels), accuracy(test_images, test_labels)
    distance, least = (frechet_distance(of[name], of["test"]) for name in ("drawn", "train"))
    return {
        "class a judge sees": (
            f"the one asked for in {asked:.1%} of {DRAWN} drawn pictures ({real:.1%} of the real "
            f"test pictures): {by_class}"
        ),
        "Fréchet distance to the test pictures, judge's features": (
            f"{distance:.2f} ({least:.2f} of real training pictures)"
        ),
    }


def main():
    """Judges and exports."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("directory", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", help="of training, as it was measured")
    parser.add_argument("--command", help="with which the run was made")
    arguments = parser.parse_args()
    model = load.load_model(arguments.run, compile=False)
    facts = load.training_facts(arguments.run)
    facts |= {"minutes": arguments.minutes, "command": arguments.command}
    facts |= quality(model, arguments.directory)
    made = export(
        model,
        arguments.out / "fashion_dcgan",
        saved_model=False,
        training=facts,
        licence="Apache-2.0; trained on Fashion-MNIST, MIT",
    )
    print((made.path / "README.md").read_text())
    print(made.path)


if __name__ == "__main__":
    main()
