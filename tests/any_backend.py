"""What kgan's networks, layers and losses give on the backend that Keras runs on.

`python -m tests.any_backend WEIGHTS OUTPUTS` runs them with the weights of one file, an .npz, and
writes into another: with `KERAS_BACKEND=jax` in JAX. Neither the gradient penalties nor what draws
is among them: both are TensorFlow's.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

import keras
import numpy as np

from kgan import layers, losses
from kgan.layers import colour_augment, diff_augment, geometric_augment
from kgan.models import PRESETS, ProjectedDiscriminator
from kgan.models.presets import make_networks
from tests.layers.test_every_layer import CASES, FEATURES, IMAGES
from tests.models.battery import random_inputs
from tests.models.test_networks import OTHER_SHAPES

Arrays = dict[str, np.ndarray]
CONDITIONAL = {"num_classes": 3}, {"attribute_ranges": [(0.0, 1.0), (-2.0, 6.0)]}


def networks() -> Iterator[tuple[str, keras.Model]]:
    """Name -> every network of every preset, small; also those that take classes or attributes."""
    for name in PRESETS:
        filters = {} if name == "autoencoder" else {"filters": 8}
        for role, network in make_networks(name, image_shape=OTHER_SHAPES[name], **filters).items():
            yield f"{name} {role}", network
    for condition in CONDITIONAL:
        for role, network in make_networks("sagan", image_shape=(16, 16, 1), filters=8, **condition).items():
            yield f"sagan {role} of {next(iter(condition))}", network
    # Not the trained weights: they come from a package, and any do here.
    yield "projected", ProjectedDiscriminator((16, 16, 1), 2, pretrained=False)


def moved(name: str, weights: list[np.ndarray]) -> list[np.ndarray]:
    """Weights none of which is at its start: no zeros hide a mistake. Variances stay above 0."""
    rng = np.random.default_rng(list(name.encode()))
    return [w + rng.uniform(0.02, 0.1, w.shape).astype(w.dtype) for w in weights]


def set_weights(name: str, model: keras.Model | keras.Layer, given: Mapping[str, np.ndarray]) -> Arrays:
    """Gives a model those weights, or its own moved ones where there are none; which they are."""
    if not given:
        values = moved(name, model.get_weights())
    else:
        values = [given[f"{name} weight {i}"] for i in range(len(model.weights))]
    model.set_weights(values)
    return {f"{name} weight {i}": value for i, value in enumerate(values)}


def run(given: Mapping[str, np.ndarray]) -> tuple[Arrays, Arrays]:
    """The weights and the outputs, by name."""
    weights: Arrays = {}
    outputs: Arrays = {}
    for name, network in networks():
        weights |= set_weights(name, network, given)
        outputs[name] = shown(network(random_inputs(network)))
    for name, (layer_class, arguments, inputs, _, told) in CASES.items():
        if layer_class is layers.DiffAugment:
            continue
        layer = layer_class(**{k: v() if callable(v) else v for k, v in arguments.items()})
        layer(*inputs)
        weights |= set_weights(name, layer, given)
        for mode in ({"training": False}, {"training": True}) if "training_arg" in told else ({},):
            outputs[f"{name} {mode}"] = shown(layer(*inputs, **mode))
        for i, value in enumerate(layer.get_weights()):  # a call in training changes some
            outputs[f"{name} after {i}"] = value
    return weights, outputs | of_losses() | of_augmentation()


def of_losses() -> Arrays:
    """Every loss of logits, and LeCam's penalty."""
    real, fake = np.random.default_rng(7).normal(size=(2, 6, 1)).astype(np.float32)
    outputs = {"lecam": shown(losses.lecam_penalty(real, np.float32(0.3)))}
    for name, loss_class in losses.LOSSES.items():
        loss = loss_class()
        outputs[f"{name} generator"] = shown(loss.generator_loss(fake, real))
        outputs[f"{name} discriminator"] = shown(loss.discriminator_loss(real, fake))
    return outputs


def of_augmentation() -> Arrays:
    """Every change of `DiffAugment`, by given numbers in the place of drawn ones."""
    rng = np.random.default_rng(9)
    count = len(IMAGES)
    outputs = {
        "jitter": diff_augment.jitter_colour(IMAGES, *rng.uniform(0.5, 1, (3, count))),
        "shift": diff_augment.shift(IMAGES, *rng.integers(-3, 4, (2, count))),
        "cutout": diff_augment.cut_out(IMAGES, *rng.integers(0, 10, (2, count))),
    }
    drawn = [rng.uniform(size=(count, 2)), rng.normal(size=(count, 2))]
    uniform, normal = (keras.ops.convert_to_tensor(x, "float32") for x in drawn)
    sides = np.array([IMAGES.shape[2], IMAGES.shape[1]], np.float32)
    for name, change in geometric_augment.CHANGES:
        matrices = change(uniform, normal, size=sides)
        outputs[f"{name} matrices"] = matrices
        outputs[name] = geometric_augment.resample(IMAGES, matrices)
    for name, change in colour_augment.CHANGES.items():
        outputs[name] = colour_augment.recolour(IMAGES, change(uniform, normal))
    return {name: shown(value) for name, value in outputs.items()}


def shown(value: object) -> np.ndarray:
    """A tensor as an array, if it is one of the backend's."""
    assert keras.ops.is_tensor(value), type(value)
    return keras.ops.convert_to_numpy(value)


if __name__ == "__main__":
    np.savez(sys.argv[2], backend=keras.backend.backend(), **run(np.load(sys.argv[1]))[1])
