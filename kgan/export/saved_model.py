"""Parts as a TensorFlow SavedModel, one signature per part."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf

from kgan.errors import InputError
from kgan.export.signatures import Part, Runner
from kgan.manifest import MOST_SAMPLES
from kgan.names import text_of_path


def write(functions: Mapping[str, Any], directory: str | os.PathLike[str]) -> None:
    """Writes a SavedModel.

    Args:
        functions: signature -> tf.function of `kgan.export.serving`, whose variables it holds.
        directory: where it goes.
    """
    # A bare module: keras.export.ExportArchive stores every variable twice.
    module = tf.Module()
    # Asked of the functions: a layer made of a SavedModel has weights that Keras does not know.
    module.state = [v for f in functions.values() for v in f.get_concrete_function().variables]
    with without_news():
        tf.saved_model.save(module, _as_tf_takes_it(directory), signatures=dict(functions))


@contextlib.contextmanager
def without_news() -> Iterator[None]:
    """Without TensorFlow's line of each SavedModel: more are written than delivered, elsewhere."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel(max(level, logging.WARNING))
    try:
        yield
    finally:
        logger.setLevel(level)


def _as_tf_takes_it(directory: str | os.PathLike[str]) -> str:
    """The path as text that is its bytes in UTF-8, whatever the locale."""
    text = text_of_path(directory)
    if text.encode() != os.fsencode(directory):
        raise InputError(
            "TensorFlow writes a SavedModel only where each folder's name is in UTF-8. "
            f"Received: {directory}"
        )
    return text


def describe(parts: Sequence[Part]) -> dict[str, Any]:
    """The signatures for a manifest: what each takes, and the name of its output."""
    described = {}
    for part in parts:
        inputs: dict[str, dict[str, Any]] = {
            name: {"dtype": dtype, "shape": ["batch", *shape] if part.batched else [*shape]}
            for name, (dtype, shape) in part.inputs.items()
        }
        if "n" in inputs:
            inputs["n"]["maximum"] = MOST_SAMPLES
        described[part.signature] = {"inputs": inputs, "output": part.output}
    return described


def load_runners(parts: Sequence[Part], directory: str | os.PathLike[str]) -> dict[str, Runner]:
    """Functions of input arrays -> output array that run a SavedModel's signatures, by name."""
    loaded = tf.saved_model.load(_as_tf_takes_it(directory))

    def runner(part: Part) -> Runner:
        serve = loaded.signatures[part.signature]
        return lambda arrays: serve(**{k: tf.constant(v) for k, v in arrays.items()})[
            part.output
        ].numpy()

    return {part.signature: runner(part) for part in parts}
