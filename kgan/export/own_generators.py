"""A Keras generator that is no kgan model, as an export sees it: what it takes, gives and means."""

from __future__ import annotations

import dataclasses
import math
import re
from typing import Any, ClassVar

import keras
import tensorflow as tf

from kgan.channels import MOST_CHANNELS
from kgan.errors import InputError
from kgan.export.read_range import RANGES, last_operation
from kgan.images import check_range
from kgan.latents import Distribution, check_distribution
from kgan.models.conditions import check_classes
from kgan.models.rebuild import all_layers

Shape = tuple[int, ...]
SCOPE = r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*"  # what TensorFlow takes as the name of a scope


@dataclasses.dataclass(frozen=True, kw_only=True)
class OwnGenerator:
    """A network that maps latents, and labels where it takes them, to one output.

    Attributes:
        kind: "generator" for one of images, "network" for any other output.
        network: Keras model, latents (B, ...) or [latents, labels (B,)] -> (B, ...).
        latent_shape: shape of one latent, as the network takes it.
        output_shape: shape of one output; of an image (H, W, C).
        value_range: (low, high) of its images; None for any other output.
        latent_distribution: "normal" or "uniform".
        num_classes: of a network that takes labels; None for any other.
        preset: the preset that it was built by; None for a network of the user's own.
        assumed: what nobody said and was taken for granted, a line each.
    """

    kind: str
    network: keras.Model
    latent_shape: Shape
    output_shape: Shape
    value_range: tuple[float, float] | None
    latent_distribution: Distribution
    num_classes: int | None
    preset: str | None
    assumed: tuple[str, ...]
    class_names: ClassVar[None] = None

    @property
    def condition(self) -> int | None:
        """The number of classes; None without labels."""
        return self.num_classes

    @property
    def latent_dim(self) -> int:
        """The numbers in one latent."""
        return math.prod(self.latent_shape)


def own_generator(
    network: Any,
    *,
    value_range: tuple[float, float] | None = None,
    latents: Distribution | None = None,
    num_classes: int | None = None,
    plain: bool = False,
    preset: str | None = None,
) -> OwnGenerator:
    """Looks at a Keras network that is to be exported.

    Args:
        network: built Keras model, latents (batch, latent_dim), or as many numbers in another
            shape, -> images (batch, H, W, C); it may take labels too, (batch,) or (batch, 1).
        value_range: (low, high) of its images; None to read it off its last activation.
        latents: their distribution; None for "normal", which is then noted as assumed.
        num_classes: how many labels there are; None to read it off the network.
        plain: its output is no image: latents and outputs of any shape.
        preset: the preset that it was built by.

    Raises:
        InputError: no built Keras model, inputs or an output that cannot be exported, or a range
            or a number of classes that has to be said.
    """
    network, taken, labels = _inputs(network, plain)
    if labels:
        num_classes = _classes(network, num_classes)
    elif num_classes is not None:
        raise InputError(
            f"num_classes is for a network that takes labels; this one takes none. "
            f"Received: {num_classes}"
        )
    given = _output(network, taken, labels)
    if plain and value_range is not None:
        raise InputError(f"value_range is for images, not for plain. Received: {value_range}")
    if not plain:
        if len(given) != 3 or given[-1] > MOST_CHANNELS:
            raise InputError(
                f"A generator gives images (batch, H, W, C) with C from 1 to {MOST_CHANNELS}; "
                "--plain (plain=True) exports any other output as it is. "
                f"It gives: {(None, *given)}"
            )
    inputs = [tf.TensorSpec([None, *taken], tf.float32)]
    inputs += [tf.TensorSpec([None], tf.int32)] * labels
    last = last_operation(network, inputs)  # of any network: it is told there what has no graph
    if not plain:
        value_range = _range(network, last, value_range)
    assumed: tuple[str, ...] = ()
    if latents is None:
        assumed = (
            "latents: taken as normal, N(0, 1), as the network does not say it; for U(-1, 1) "
            "--latents uniform, in Python latents='uniform'",
        )
    return OwnGenerator(
        kind="network" if plain else "generator",
        network=network,
        latent_shape=taken,
        output_shape=given,
        value_range=value_range,
        latent_distribution=check_distribution(latents or "normal"),
        num_classes=num_classes,
        preset=preset,
        assumed=assumed,
    )


def _inputs(network: Any, plain: bool) -> tuple[keras.Model, Shape, bool]:
    """(a model of latents or [latents, labels (B,)], one latent's shape, whether it has labels).

    Latents are vectors, those of a plain network what it takes.
    """
    if not isinstance(network, keras.Model):
        raise InputError(
            "Only a Keras model can be exported, or a file or directory of one. "
            f"Received: {network!r}"
        )
    if not re.fullmatch(SCOPE, network.name):
        # Refused before TensorFlow does: Keras would keep the name for all later models.
        raise InputError(
            f"The name of a model must begin with a letter or digit and go on with those and _ . - "
            f"/ alone, as a TensorFlow scope does. Received: {network.name!r}"
        )
    outputs = getattr(network, "output", None)
    if isinstance(outputs, (list, tuple)) and len(outputs) == 1:
        # As in keras.Model(other.inputs, other.outputs).
        alone = isinstance(network.input, (list, tuple)) and len(network.input) == 1
        entry = network.input[0] if alone else network.input
        network = keras.Model(entry, outputs[0], name=network.name)
    shape = getattr(network, "input_shape", None) if network.built else None
    if network.built and shape is None:
        # A subclassed model has no symbolic input; it remembers the shape it was built on.
        shape = (network.get_build_config() or {}).get("input_shape")
    given = getattr(network, "input", None)  # a dict, where it takes its inputs by name
    if isinstance(given, dict):
        shape = [tensor.shape for tensor in given.values()]
    if not shape:
        raise InputError(
            "A network must be built: call it once on a batch, or give it an Input. "
            f"Received: {network.name}"
        )
    shapes = [tuple(each) for each in (shape if isinstance(shape[0], (list, tuple)) else [shape])]
    labels = [index for index, each in enumerate(shapes) if each[1:] in ((), (1,))]
    if len(shapes) == 2 and labels:
        label: int | None = max(labels)
        latent = 1 - max(labels)
    else:
        label, latent = None, 0
    taken = shapes[latent][1:]
    if len(shapes) > (1 if label is None else 2) or not taken or None in taken:
        raise InputError(
            "A network that is exported takes latents of one shape, or latents and labels "
            f"(batch,). It takes: {shapes if len(shapes) > 1 else shapes[0]}"
        )
    flat = taken if plain else (math.prod(taken),)
    in_order = label is None or ((latent, label) == (0, 1) and not shapes[label][1:])
    if in_order and flat == taken and not isinstance(given, dict):
        return network, taken, label is not None
    inputs = [keras.Input(flat, name="latents")]
    values: list[Any] = [None] * len(shapes)
    values[latent] = inputs[0] if flat == taken else keras.layers.Reshape(taken)(inputs[0])
    if label is not None:
        inputs.append(keras.Input((), dtype="int32", name="labels"))
        values[label] = keras.ops.expand_dims(inputs[1], -1) if shapes[label][1:] else inputs[1]
    arranged = dict(zip(given, values, strict=True)) if isinstance(given, dict) else values
    called = network(arranged if len(values) > 1 or arranged is not values else values[0])
    taken_in = inputs if label is not None else inputs[0]
    return keras.Model(taken_in, called, name=network.name), flat, label is not None


def _output(network: keras.Model, taken: Shape, labels: bool) -> Shape:
    inputs: Any = keras.KerasTensor((None, *taken))
    if labels:
        inputs = [inputs, keras.KerasTensor((None,), dtype="int32")]
    output = network.compute_output_spec(inputs)
    if not isinstance(output, keras.KerasTensor) or "float" not in output.dtype:
        raise InputError(
            f"A network that is exported gives one output of floats. {network.name} gives: {output}"
        )
    shape = tuple(output.shape[1:])
    if not shape or None in shape:
        raise InputError(
            "A network that is exported gives outputs of one known shape. "
            f"{network.name} gives: {(None, *shape)}"
        )
    return shape


def _classes(network: keras.Model, num_classes: int | None) -> int:
    """The number of classes that was said, that the network says or that it embeds."""
    if num_classes is None:
        num_classes = getattr(network, "num_classes", None)
    embedded = {
        layer.input_dim
        for layer in all_layers(network)
        if isinstance(layer, keras.layers.Embedding)
    }
    if num_classes is None and len(embedded) == 1:
        (num_classes,) = embedded
    if num_classes is None:
        raise InputError(
            "This network takes labels and does not say how many there are: say it, "
            f"--num-classes 10 or num_classes=10. Received: {network.name}"
        )
    check_classes(num_classes)
    return num_classes


def _range(
    network: keras.Model, last: str, value_range: tuple[float, float] | None
) -> tuple[float, float]:
    """The value range that was said, checked, or the one that the last activation implies."""
    if value_range is not None:
        return check_range("value_range", value_range)
    if last not in RANGES:
        raise InputError(
            "The range of the images cannot be read off the network's last activation (tanh gives "
            "-1 to 1, sigmoid 0 to 1): say it, such as --value-range=-1,1 or "
            f"value_range=(-1, 1). Received: {network.name}, which ends in {last}"
        )
    return RANGES[last]
