"""The generator as an export runs it: inference mode and a fixed signature."""

import tensorflow as tf


def serving_function(generator, latent_dim, value_range=None):
    """A tf.function with the contract's signature: `latents` -> {"images": ...}.

    Args:
        generator: float32 Keras generator.
        latent_dim: length of a latent vector.
        value_range: (low, high) of its images, to give uint8; None to give
            float32 as the generator makes them.

    Returns:
        (function, input signature).
    """
    signature = [tf.TensorSpec([None, latent_dim], tf.float32, name="latents")]

    @tf.function(input_signature=signature)
    def serve(latents):
        images = generator(latents, training=False)
        if value_range is not None:
            low, high = value_range
            images = tf.round((images - low) * (255.0 / (high - low)))
            images = tf.cast(tf.clip_by_value(images, 0.0, 255.0), tf.uint8)
        return {"images": images}

    return serve, signature
