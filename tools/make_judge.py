#!/usr/bin/env python3
"""Makes another judge for `kgan evaluate --features`: a small CNN trained on a set's own labels.

    .venv/bin/python tools/make_judge.py DATA OUT.onnx [--size 64x64] [--epochs 8]
    kgan evaluate runs/NAME --features OUT.onnx

DATA is anything that `kgan train --conditional` takes. A tenth of it is held out; the accuracy
there says what the judge knows. It takes uint8 colour images and gives 128 features.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx

from kgan.data import open_source
from kgan.option_fields import SIZE

BATCH, WIDTHS, FEATURES = 64, (32, 64, 128, 128), 128


def read(data, size):
    """(uint8 images (N, H, W, 3), labels (N,), class names) of a set, mixed."""
    source = open_source(data, image_shape=size, labels=True)
    if source.class_names is None:
        raise SystemExit(f"The judge learns classes, of which these have none. Received: {data}")
    pairs = list(source.read(source.examples()))
    order = np.random.default_rng(0).permutation(len(pairs))
    images = np.stack([np.broadcast_to(pairs[i][0], (*size, 3)) for i in order])
    return images, np.array([pairs[i][1] for i in order]), source.class_names


def train(images, labels, classes, epochs):
    """(network from uint8 images to features, accuracy on the tenth held out)."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    inputs = keras.Input(images.shape[1:], dtype="uint8", name="images")
    x = layers.Rescaling(1 / 127.5, -1)(inputs)
    for width in WIDTHS:
        x = layers.Conv2D(width, 3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.MaxPooling2D()(layers.ReLU()(x))
    x = layers.Dropout(0.3)(layers.GlobalAveragePooling2D()(x))
    features = layers.Dense(FEATURES, activation="relu", name="features")(x)
    classifier = keras.Model(inputs, layers.Dense(len(classes))(features))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    classifier.compile(keras.optimizers.Adam(2e-3), loss, metrics=["accuracy"])
    held = len(images) // 10
    classifier.fit(images[held:], labels[held:], batch_size=BATCH, epochs=epochs, verbose=2)
    _, accuracy = classifier.evaluate(images[:held], labels[:held], verbose=0)
    return keras.Model(inputs, features), accuracy


def export(network, path):
    """Writes the network as .onnx, its batch open."""
    signature = [tf.TensorSpec((None, *network.input_shape[1:]), tf.uint8, name="images")]
    function = tf.function(lambda images: {"features": network(images)}, input_signature=signature)
    model, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=17)
    onnx.save(model, path)


def main():
    """Trains and writes one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", type=SIZE.parse, default=(64, 64))
    parser.add_argument("--epochs", type=int, default=8)
    arguments = parser.parse_args()
    images, labels, classes = read(arguments.data, tuple(arguments.size[:2]))
    network, accuracy = train(images, labels, classes, arguments.epochs)
    export(network, arguments.out)
    print(
        f"{accuracy:.1%} of {len(images) // 10:,} pictures held out, {len(classes)} classes "
        f"({np.bincount(labels).max() / len(labels):.1%} by naming the most frequent)"
    )
    print(arguments.out)


if __name__ == "__main__":
    main()
