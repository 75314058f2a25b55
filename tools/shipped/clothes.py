"""How well a generator draws the ten classes of Fashion-MNIST."""

from pathlib import Path

import keras
import numpy as np

from kgan.data.idx_files import read_idx
from shipped.judge import distances, network

DRAWN = 10_000
FIRST_SEED = 3_000_000
KINDS = ("images-idx3", "labels-idx1")


def read(directory, part, kind):
    """The array in one of the four files, of images (N, 28, 28, 1)."""
    values = read_idx(Path(directory) / f"{part}-{kind}-ubyte.gz")
    return values[..., np.newaxis] if values.ndim == 3 else values


def trained_judge(images, labels):
    """A classifier trained on real pictures, and the network of its features."""
    classifier, features = network((28, 28, 1), 10)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    classifier.compile("adam", loss, metrics=["accuracy"])
    classifier.fit(images, labels, batch_size=128, epochs=4, verbose=2)
    return classifier, features


def quality(model, directory):
    """What the judge says, as lines of the card."""
    train = [read(directory, "train", kind) for kind in KINDS]
    test_images, test_labels = (read(directory, "t10k", kind) for kind in KINDS)
    classifier, features = trained_judge(*train)
    labels = np.arange(DRAWN) % 10
    drawn = model.generate(DRAWN, seed=FIRST_SEED, labels=labels)

    def right(images, labels):
        return classifier.predict(images, verbose=0).argmax(1) == labels

    seen, real = right(drawn, labels), right(test_images, test_labels).mean()
    by_class = ", ".join(
        f"{name} {seen[labels == label].mean():.0%}" for label, name in enumerate(model.class_names)
    )
    return {
        "class a judge sees": (
            f"the one asked for in {seen.mean():.1%} of {DRAWN} drawn pictures ({real:.1%} of the "
            f"real test pictures): {by_class}"
        )
    } | distances(features, drawn, test_images, train[0][:DRAWN])
