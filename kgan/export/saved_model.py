"""The generator as a TensorFlow SavedModel with the signature `serving_default`."""

import tensorflow as tf

from kgan.export.serving import serving_function


def write(generator, latent_dim, value_range, directory):
    """Writes a SavedModel: `latents` -> `images`, uint8 where a `value_range` is given."""
    serve, _ = serving_function(generator, latent_dim, value_range)
    # A bare module: keras.export.ExportArchive stores every variable twice.
    module = tf.Module()
    module.state = [variable.value for variable in generator.variables]
    tf.saved_model.save(module, str(directory), signatures={"serving_default": serve})


def load_runner(directory):
    """A function latents -> images (numpy) that runs a SavedModel's `serving_default`."""
    loaded = tf.saved_model.load(str(directory))

    def run(latents):
        return loaded.signatures["serving_default"](latents=tf.constant(latents))["images"].numpy()

    return run
