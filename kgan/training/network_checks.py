"""What a GAN asks of its networks."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from kgan.attributes import Attributes
from kgan.channels import MOST_CHANNELS
from kgan.errors import InputError
from kgan.labels import check_attributes, check_class_names
from kgan.models.conditions import check_classes
from kgan.models.rebuild import all_layers
from kgan.models.self_drawing import what_draws


def check_networks(
    generator: keras.Model, discriminator: keras.Model, pictures: bool = True
) -> tuple[int, tuple[int, ...], tuple[int | None, ...] | None]:
    """Checks that two built Keras models make a GAN.

    Returns:
        (latent_dim, image_shape, shape of the labels): what the generator takes and
        gives, and what both networks take beside it, None for nothing.

    Raises:
        InputError: one is not built, the generator does not map (B, latent_dim)
            to (B, H, W, C), or without `pictures` to (B, ...), the discriminator
            does not map its images to (B, 1), or to (B, N) where it says so, they do not
            take the same labels, or a layer has an activity regularizer.
    """
    for layer in (*all_layers(generator), *all_layers(discriminator)):
        if getattr(layer, "activity_regularizer", None) is not None:
            raise InputError(
                "A GAN counts weight regularizers and no activity regularizers: its networks run "
                f"several times a step. Received a layer that has one: {layer.name}"
            )
    latents, labels = input_shapes("generator", generator)
    if len(latents) != 2 or latents[1] is None:
        raise InputError(
            f"The generator must take latents (batch, latent_dim). It takes: {latents}"
        )
    images = _output_shape("generator", generator, (None, latents[1]), labels)
    if not pictures and (len(images) < 2 or None in images[1:]):
        raise InputError(f"What the generator gives must have one shape. It gives: {images}")
    channels = range(1, MOST_CHANNELS + 1)
    if pictures and (len(images) != 4 or None in images[1:] or images[-1] not in channels):
        raise InputError(
            f"The generator must give images (batch, H, W, C) with C from 1 to {MOST_CHANNELS}"
            f"{_data_format()}. It gives: {images}"
        )
    taken, judged_labels = input_shapes("discriminator", discriminator)
    if tuple(taken[1:]) != tuple(images[1:]):
        raise InputError(
            f"The discriminator must take the generator's images {images}. It takes: {taken}"
        )
    if bool(labels) != bool(judged_labels):
        only = "generator" if labels else "discriminator"
        raise InputError(f"Both networks take labels, or neither. Received: only the {only} does")
    if labels and judged_labels and labels[1:] != judged_labels[1:]:
        raise InputError(
            f"Both networks take the same labels. Received: {labels} for the generator and "
            f"{judged_labels} for the discriminator"
        )
    logits = _output_shape("discriminator", discriminator, (None, *images[1:]), judged_labels)
    several = getattr(discriminator, "gives_several_logits", False) and len(logits) == 2
    if tuple(logits[1:]) != (1,) and not several:
        raise InputError(
            f"The discriminator must give one logit per image, (batch, 1). It gives: {logits}"
        )
    return latents[1], tuple(images[1:]), labels


class Facts(NamedTuple):
    """What a GAN is, by its networks."""

    latent_dim: int
    image_shape: tuple[int, ...]
    num_classes: int | None
    class_names: list[str] | None
    attributes: Attributes | None


def facts_of(
    generator: keras.Model,
    discriminator: keras.Model,
    num_classes: int | None,
    class_names: Sequence[str] | None,
    attributes: Any,
    pictures: bool,
) -> Facts:
    """The `Facts` of two networks, checked; for the arguments see `GAN`."""
    latent_dim, image_shape, labels = check_networks(generator, discriminator, pictures)
    if attributes is not None:
        attributes = _fitting(check_attributes(attributes), labels, num_classes)
    elif labels and labels[1:]:
        raise InputError(
            "Networks that take labels (batch, k) need attributes=kgan.Attributes.of(names, "
            f"values). Received: labels {labels} and attributes=None"
        )
    num_classes = classes_of(generator, bool(labels and not labels[1:]), num_classes)
    names = check_class_names(class_names, num_classes)
    return Facts(latent_dim, image_shape, num_classes, names, attributes)


def _fitting(
    attributes: Attributes, labels: tuple[int | None, ...] | None, num_classes: int | None
) -> Attributes:
    """The attributes, where the networks' labels are these and there are no classes."""
    if num_classes is not None:
        raise InputError(
            "A GAN has classes or attributes, not both. Received: "
            f"num_classes={num_classes} and attributes {', '.join(attributes.names)}"
        )
    k = len(attributes.names)
    if labels is None or labels[1:] != (k,):
        raise InputError(
            f"{k} attributes go with networks that take labels (batch, {k}). They take: {labels}"
        )
    return attributes


def classes_of(generator: keras.Model, conditional: bool, num_classes: int | None) -> int | None:
    """The number of classes of a GAN, None for none.

    Args:
        generator: the network, which may say it itself in `num_classes`.
        conditional: whether the networks take labels of classes.
        num_classes: what the user said.

    Raises:
        InputError: a number for networks without labels, or none for networks with.
    """
    if num_classes is None:
        num_classes = getattr(generator, "num_classes", None)
    check_classes(num_classes)
    if conditional != (num_classes is not None):
        takes = "take labels" if conditional else "take no labels"
        raise InputError(
            f"num_classes goes with networks that take labels. Received: num_classes="
            f"{num_classes} and networks that {takes}"
        )
    return num_classes


def input_shapes(role: str, network: Any) -> tuple[tuple, tuple | None]:
    """What a built network takes: (shape, shape of the labels or None).

    Raises:
        InputError: it is not built, or takes more than that.
    """
    shape = None
    if isinstance(network, keras.Model) and network.built:
        # A subclassed model has no symbolic input; it remembers the shape it was built on.
        shape = getattr(network, "input_shape", None)
        shape = shape or (network.get_build_config() or {}).get("input_shape")
    if shape is None:
        raise InputError(
            f"The {role} must be a built Keras model: call it once on a batch, or give it an "
            f"Input. Received: {network!r}"
        )
    several = isinstance(shape, (list, tuple)) and isinstance(shape[0], (list, tuple))
    shapes = [tuple(each) for each in shape] if several else [tuple(shape)]
    if len(shapes) > 2 or (len(shapes) == 2 and not _are_labels(shapes[1])):
        raise InputError(
            f"The {role} must take one input, or [it, labels (batch,)], or [it, labels (batch, "
            f"attributes)]. It takes: {shapes}"
        )
    return shapes[0], shapes[1] if len(shapes) == 2 else None


def _are_labels(shape: tuple) -> bool:
    return len(shape) == 1 or (len(shape) == 2 and shape[1] is not None)


def labels_dtype(shape: tuple) -> str:
    """The type of labels of that shape: (B,) for classes, (B, k) for attributes."""
    return "float32" if shape[1:] else "int32"


def _output_shape(
    role: str, network: keras.Model, input_shape: tuple, labels: tuple | None = None
) -> tuple:
    inputs: Any = keras.KerasTensor(input_shape)
    if labels:
        inputs = [inputs, keras.KerasTensor(labels, dtype=labels_dtype(labels))]
    output = network.compute_output_spec(inputs)
    if not isinstance(output, keras.KerasTensor):
        raise InputError(_several_outputs(role, output))
    return tuple(output.shape)


def _several_outputs(role: str, output: Any) -> str:
    several = {"generator": "images", "discriminator": "one logit per image"}[role]
    classes = (
        ""
        if role == "generator"
        else "; for classes kgan has projection instead of an auxiliary classifier (ACGAN): give "
        "both networks labels (batch,) as a second input"
    )
    shapes = keras.tree.map_structure(lambda one: tuple(one.shape), output)
    return f"The {role} must give one tensor, {several}{classes}. It gives: {shapes}"


def _data_format() -> str:
    """What Keras takes for granted of images, where it is not what kgan does."""
    if keras.config.image_data_format() == "channels_last":
        return ""
    return "; keras.json says channels_first, so its layers need data_format='channels_last'"


def tell_what_draws(generator: keras.Model) -> None:
    """Warns of a generator that is no function of its latents."""
    layers = what_draws(generator)
    if layers:
        warnings.warn(
            "The generator is not a function of its latents, it draws random numbers in inference "
            f"too: {', '.join(layers)}. generate sets Keras's seeds, no others, from a picture's "
            "own; exports are refused",
            stacklevel=3,
        )


def computes_in_float16(*networks: keras.Model) -> bool:
    """Whether any layer of the networks computes in float16, which needs loss scaling."""
    return any(
        layer.compute_dtype == "float16" for network in networks for layer in all_layers(network)
    )


def run_network(network: keras.Model, inputs: Sequence[np.ndarray], batch_size: int) -> np.ndarray:
    """What a network gives in inference mode, on this machine's first device.

    Keras's `predict` spreads the work over the strategy that the network was made in, and
    then waits for every worker, of whom only one makes images.

    Args:
        network: a Keras model.
        inputs: list of arrays (N, ...), one for each input.
        batch_size: rows at a time.

    Returns:
        float32 array (N, ...).
    """
    parts = []
    for first in range(0, len(inputs[0]), batch_size):
        batch = [tf.constant(array[first : first + batch_size]) for array in inputs]
        parts.append(np.asarray(network(batch if len(batch) > 1 else batch[0], training=False)))
    return np.concatenate(parts)


def seed_states(model: keras.Model) -> list[Any]:
    """The states of every random seed generator in a model, which Keras itself does not save."""
    return [v for v in model.variables if v.path.endswith("seed_generator_state")]


def check_trainable(role: str, network: keras.Model) -> None:
    """Raises an InputError where a network has nothing to train."""
    if network.trainable_variables:
        return
    mend = f"set {role}.trainable = True before compile" if network.variables else "give it weights"
    raise InputError(
        f"The {role} has nothing to train: {mend}. kgan itself leaves the discriminator as it is "
        f"while the generator learns. Received: {network!r}"
    )
