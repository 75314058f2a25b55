"""A SavedModel of TensorFlow's as a Keras network."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from kgan.errors import InputError
from kgan.files import first_line
from kgan.models.rebuild import all_layers
from kgan.tensors import of_tensorflow
from kgan.untrusted.saved_model_graph import FILE, check_saved_model

SIGNATURES = ("serving_default", "serve")


def is_saved_model(path: Path) -> bool:
    """Whether a path is the directory of a SavedModel."""
    return (path / FILE).is_file()


class SavedFunction(keras.layers.Layer):
    """A SavedModel's signature as a layer, whose inputs are in the signature's order.

    Args:
        loaded: what `tf.saved_model.load` gave; the weights live as long as it does.
        signature: the name of its signature, which has one output.

    Attributes:
        specs: input name -> TensorSpec.
    """

    def __init__(self, loaded: Any, signature: str) -> None:
        super().__init__(dtype="float32", name="saved_model")
        self.loaded = loaded
        self.function = loaded.signatures[signature]
        self.specs: dict[str, Any] = dict(self.function.structured_input_signature[1])
        (self.output_name,) = self.function.structured_outputs

    def call(self, *inputs: Any) -> Any:
        given = zip(self.specs.items(), inputs, strict=True)
        named = {name: tf.cast(value, spec.dtype) for (name, spec), value in given}
        return self.function(**named)[self.output_name]


def count_parameters(network: keras.Model) -> int:
    """The numbers in a network's weights, those of a SavedModel in it counted too."""
    loaded = [layer for layer in all_layers(network) if isinstance(layer, SavedFunction)]
    return int(network.count_params()) + sum(
        variable.shape.num_elements() for layer in loaded for variable in layer.function.variables
    )


@of_tensorflow
def saved_function(directory: Path) -> keras.Model:
    """A network of one layer, which has the default signature of a SavedModel and its weights.

    Raises:
        InputError: no SavedModel, one that cannot be read or does more than compute, or one
            without a default signature of one output.
    """
    if not is_saved_model(directory):
        raise InputError(
            f"No trained model in this directory: neither a run nor a SavedModel ({FILE}). "
            f"Received: {directory}"
        )
    check_saved_model(directory)
    try:
        with quiet():
            loaded = tf.saved_model.load(str(directory))
    except Exception as error:  # tensorflow has many of its own
        raise InputError(f"Not a readable SavedModel: {directory} ({first_line(error)})") from error
    signatures = loaded.signatures
    name = next((name for name in SIGNATURES if name in signatures), None)
    if name is None:
        listed = ", ".join(signatures) or "none"
        raise InputError(
            f"A SavedModel needs the signature serving_default, as model.export writes it. "
            f"Received: {directory}, whose signatures are: {listed}"
        )
    outputs = list(signatures[name].structured_outputs)
    if len(outputs) != 1:
        raise InputError(
            f"A network that is exported has one output. Received: {directory}, which has "
            f"{len(outputs)}: {', '.join(outputs)}"
        )
    layer = SavedFunction(loaded, name)
    inputs = []
    for key, spec in layer.specs.items():
        shape = spec.shape.as_list() if spec.shape.rank else [1]
        if shape[0] is not None:
            raise InputError(
                "A SavedModel must take any number of latents at a time; this one is fixed. "
                f"Received: {directory}, whose input {key} is {shape}"
            )
        inputs.append(keras.Input(shape[1:], dtype=spec.dtype.name, name=key))
    taken = inputs if len(inputs) > 1 else inputs[0]
    return keras.Model(taken, layer(*inputs), name=directory.name or "saved_model")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keras and TensorFlow warn of how an old file was written; nothing here needs it."""
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            yield
    finally:
        logger.setLevel(level)
