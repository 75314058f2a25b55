"""What kgan's networks, layers and losses give on the backend that Keras runs on.

`python -m tests.any_backend WEIGHTS OUTPUTS` runs them with the weights of one file, an .npz, and
writes into another: with `KERAS_BACKEND=jax` in JAX. Neither the gradient penalties nor what draws
is among them: both are TensorFlow's, and refuse.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from kgan import layers, losses
from kgan.errors import KganError
from kgan.layers import colour_augment, diff_augment, draws, geometric_augment
from kgan.layers.random_matrices import product
from kgan.models import PRESETS, read_network
from kgan.models.presets import make_networks
from tests.layers.test_every_layer import CASES, IMAGES
from tests.models.battery import random_inputs
from tests.models.test_networks import OTHER_SHAPES

Arrays = dict[str, np.ndarray]
CONDITIONS = {"num_classes": 3}, {"attribute_ranges": [(0.0, 1.0), (-2.0, 6.0)]}
SEED = np.array([3, 4], np.int32)


def networks() -> Iterator[tuple[str, Callable[[], dict[str, keras.Model]]]]:
    """What makes every preset's networks, small; of one also those with classes or attributes."""
    for name in PRESETS:
        sizes = {"image_shape": OTHER_SHAPES[name], "filters": 8}
        if name == "autoencoder":  # it has no width
            del sizes["filters"]
        yield name, partial(make_networks, name, **sizes)
    for condition in CONDITIONS:
        sizes = {"image_shape": (16, 16, 1), "filters": 8} | condition
        yield f"sagan {next(iter(condition))}", partial(make_networks, "sagan", **sizes)


class Weights:
    """The weights of models and layers by name: given ones, or noted ones where none are.

    None of those noted is at its start, so that no zeros hide a mistake; variances stay above 0.
    """

    def __init__(self, given: Arrays | None = None) -> None:
        self.given = given is not None
        self.arrays: Arrays = given or {}

    def made(self, name: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What a function makes, with the weights of that name."""
        made = self._without_values(make) if self.given else make()
        rng = np.random.default_rng(len(self.arrays))
        for role, one in made.items():
            for index, weight in enumerate(one.weights):
                key = f"{name} {role} {index}"
                if not self.given:
                    start = keras.ops.convert_to_numpy(weight)
                    change = rng.uniform(0.02, 0.1, start.shape)
                    self.arrays[key] = start + change.astype(start.dtype)
                weight.assign(self.arrays[key])
        return made

    @staticmethod
    def _without_values(make: Callable[[], Any]) -> Any:
        """In a thread of its own: what Keras notes there of values to come goes with it.

        JAX would compile the draws of the first values for each shape, for a minute in all.
        """

        def run() -> Any:
            with keras.StatelessScope(initialize_variables=False):
                return make()

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(run).result()


def of_networks(weights: Weights) -> Arrays:
    """The outputs of the networks."""
    outputs = {}
    for name, make in networks():
        for role, network in weights.made(name, make).items():
            outputs[f"{name} {role}"] = shown(network(random_inputs(network)))
    return outputs


def of_layers(weights: Weights) -> Arrays:
    """The outputs of every layer in both modes, and the weights after a call in training."""
    outputs = {}
    for name, (layer_class, arguments, inputs, _, told) in CASES.items():
        if layer_class is layers.DiffAugment:
            continue

        def make(kind: Any = layer_class, given: Any = arguments, xs: Any = inputs) -> Any:
            layer = kind(**{key: x() if callable(x) else x for key, x in given.items()})
            layer(*[keras.KerasTensor(x.shape, x.dtype.name) for x in xs])
            return {"layer": layer}

        layer = weights.made(name, make)["layer"]
        for mode in ({"training": False}, {"training": True}) if "training_arg" in told else ({},):
            outputs[f"{name} {mode}"] = shown(layer(*inputs, **mode))
        for index, value in enumerate(layer.get_weights()):
            outputs[f"{name} {index} after"] = value
    return outputs


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
    images, count = keras.ops.convert_to_tensor(IMAGES), len(IMAGES)
    outputs = {
        "jitter": diff_augment.jitter_colour(images, *rng.uniform(0.5, 1, (3, count))),
        "shift": diff_augment.shift(images, *rng.integers(-3, 4, (2, count))),
        "cutout": diff_augment.cut_out(images, *rng.integers(0, 10, (2, count))),
    }
    drawn = [rng.uniform(size=(count, 2)), rng.normal(size=(count, 2))]
    uniform, normal = (keras.ops.convert_to_tensor(x, "float32") for x in drawn)
    sides = np.array([IMAGES.shape[2], IMAGES.shape[1]], np.float32)
    moves = [change(uniform, normal, size=sides) for _, change in geometric_augment.CHANGES]
    colours = [change(uniform, normal) for change in colour_augment.CHANGES.values()]
    outputs["resampled"] = geometric_augment.resample(images, product(moves))
    outputs["recoloured"] = colour_augment.recolour(images, product(colours))
    outputs |= {f"matrix {index}": matrix for index, matrix in enumerate(moves + colours)}
    return {name: shown(value) for name, value in outputs.items()}


def refusals() -> list[str]:
    """What is said where TensorFlow's own would run."""
    said = []
    for use in (
        lambda: draws.uniform(SEED, (2,)),
        lambda: layers.DiffAugment()(IMAGES, SEED),
        lambda: losses.r1_penalty(lambda images: images[:, 0, 0], IMAGES),
        lambda: read_network(Path(__file__).parent),
        lambda: importlib.import_module("kgan.training"),
    ):
        try:
            use()
        except KganError as error:  # of which a command makes one line
            said.append(str(error))
    return said


def shown(value: object) -> np.ndarray:
    """A tensor as an array, if it is one of the backend's."""
    assert keras.ops.is_tensor(value), type(value)
    return keras.ops.convert_to_numpy(value)


def everything(weights: Weights) -> Arrays:
    """All outputs by name."""
    return of_networks(weights) | of_layers(weights) | of_losses() | of_augmentation()


def noted() -> tuple[Arrays, Arrays]:
    """Weights for another backend, and the outputs that they give here."""
    weights = Weights()
    outputs = everything(weights)
    return weights.arrays, outputs


def main(given: str, written: str) -> None:
    """Runs everything with the weights of a file."""
    with np.load(given) as file:
        outputs = everything(Weights(dict(file)))
    said = np.array(refusals())
    np.savez(written, backend=keras.backend.backend(), refusals=said, **outputs)


if __name__ == "__main__":
    main(*sys.argv[1:])
