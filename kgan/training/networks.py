"""What a GAN asks of the two networks it is given."""

import keras

from kgan.errors import InputError
from kgan.models.precision import all_layers

# Layers that only move values about; the range is that of what comes before them.
VALUES_UNCHANGED = (
    keras.layers.Reshape,
    keras.layers.Flatten,
    keras.layers.Permute,
    keras.layers.Cropping2D,
    keras.layers.Identity,
)


def check_networks(generator, discriminator):
    """Checks that two built Keras models make a GAN.

    Returns:
        (latent_dim, image_shape): what the generator takes and gives.

    Raises:
        InputError: one is not built, the generator does not map (B, latent_dim)
            to (B, H, W, C), the discriminator does not map its images to (B, 1).
    """
    latents = _input_shape("generator", generator)
    if len(latents) != 2 or latents[1] is None:
        raise InputError(
            f"The generator must take latents (batch, latent_dim). It takes: {latents}"
        )
    images = _output_shape(generator, (None, latents[1]))
    if len(images) != 4 or None in images[1:] or images[-1] not in (1, 3):
        raise InputError(
            f"The generator must give images (batch, H, W, C) with C 1 or 3. It gives: {images}"
        )
    taken = _input_shape("discriminator", discriminator)
    if tuple(taken[1:]) != tuple(images[1:]):
        raise InputError(
            f"The discriminator must take the generator's images {images}. It takes: {taken}"
        )
    logits = _output_shape(discriminator, (None, *images[1:]))
    if tuple(logits[1:]) != (1,):
        raise InputError(
            f"The discriminator must give one logit a picture, (batch, 1). It gives: {logits}"
        )
    return latents[1], tuple(images[1:])


def _input_shape(role, network):
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
    return tuple(shape)


def _output_shape(network, input_shape):
    return tuple(network.compute_output_spec(keras.KerasTensor(input_shape)).shape)


def output_range(generator):
    """The value range that a generator's last activation implies: sigmoid (0, 1), else (-1, 1)."""
    for layer in reversed(generator.layers):
        if isinstance(layer, keras.Model):
            return output_range(layer)
        activation = getattr(layer, "activation", None)
        if activation is keras.activations.sigmoid:
            return (0.0, 1.0)
        if activation is not None or not isinstance(layer, VALUES_UNCHANGED):
            break
    return (-1.0, 1.0)


def computes_in_float16(*networks):
    """Whether any layer of the networks computes in float16, which needs loss scaling."""
    return any(
        layer.compute_dtype == "float16" for network in networks for layer in all_layers(network)
    )


def seed_states(model):
    """The states of every random seed generator in a model, which Keras itself does not save."""
    known = {id(v) for v in (*model.weights, *model.metrics_variables)}
    return [v for v in model.variables if id(v) not in known]
