"""Parts as a TensorFlow SavedModel with a signature each."""

import tensorflow as tf

from kgan.export.serving import serving_function
from kgan.manifest import MOST_SAMPLES


def write(parts, levels, directory):
    """Writes a SavedModel with a signature a part; `levels` for uint8 images."""
    # A bare module: keras.export.ExportArchive stores every variable twice.
    module = tf.Module()
    module.state = [variable.value for part in parts for variable in part.network.variables]
    signatures = {part.signature: serving_function(part, levels)[0] for part in parts}
    tf.saved_model.save(module, str(directory), signatures=signatures)


def describe(parts):
    """The signatures for a manifest: what each takes, and the name of what it gives."""
    described = {}
    for part in parts:
        inputs = {
            name: {"dtype": dtype, "shape": ["batch", *shape] if part.batched else [*shape]}
            for name, (dtype, shape) in part.inputs.items()
        }
        if "n" in inputs:
            inputs["n"]["maximum"] = MOST_SAMPLES
        described[part.signature] = {"inputs": inputs, "output": part.output}
    return described


def load_runners(parts, directory):
    """Functions of input arrays -> output array that run a SavedModel's signatures, by name."""
    loaded = tf.saved_model.load(str(directory))

    def runner(part):
        serve = loaded.signatures[part.signature]
        return lambda arrays: serve(**{k: tf.constant(v) for k, v in arrays.items()})[
            part.output
        ].numpy()

    return {part.signature: runner(part) for part in parts}
