"""A row's networks in Keras: kgan's presets, and the TensorFlow tutorial's."""

import math

import keras
from keras import layers

from kgan.models.presets import make_networks
from training_speed.rows import Row


def networks(row: Row) -> tuple[keras.Model, keras.Model]:
    """(generator, discriminator) of a row, under Keras's dtype policy."""
    if row.networks == "tutorial":
        return tutorial_networks(row)
    made = make_networks(
        row.networks,
        image_shape=row.image_shape,
        latent_dim=row.latent_dim,
        filters=row.filters,
    )
    return made["generator"], made["discriminator"]


def tutorial_networks(row: Row) -> tuple[keras.Model, keras.Model]:
    """Those of https://www.tensorflow.org/tutorials/generative/dcgan."""
    height, width, channels = row.image_shape
    wide = 4 * row.filters
    base = (height // 4, width // 4, wide)

    def up(filters: int, stride: int, activation: str | None = None) -> layers.Layer:
        return layers.Conv2DTranspose(
            filters, 5, stride, "same", use_bias=False, activation=activation
        )

    def norm() -> list[layers.Layer]:
        return [layers.BatchNormalization(), layers.LeakyReLU()]

    generator = keras.Sequential(
        [
            keras.Input((row.latent_dim,)),
            layers.Dense(math.prod(base), use_bias=False),
            *norm(),
            layers.Reshape(base),
            up(wide // 2, 1),
            *norm(),
            up(wide // 4, 2),
            *norm(),
            up(channels, 2),
            layers.Activation("tanh", dtype="float32"),
        ]
    )
    discriminator = keras.Sequential(
        [
            keras.Input(row.image_shape),
            layers.Conv2D(wide // 4, 5, 2, "same"),
            layers.LeakyReLU(),
            layers.Dropout(row.dropout),
            layers.Conv2D(wide // 2, 5, 2, "same"),
            layers.LeakyReLU(),
            layers.Dropout(row.dropout),
            layers.Flatten(),
            layers.Dense(1, dtype="float32"),
        ]
    )
    return generator, discriminator
