"""Training: the keras.Model subclasses and their train steps."""

import keras

if keras.backend.backend() != "tensorflow":
    raise ImportError(
        "kgan trains on Keras's TensorFlow backend; unset KERAS_BACKEND or set it to tensorflow. "
        f"Received: {keras.backend.backend()}"
    )

from kgan.training.autoencoder import Autoencoder
from kgan.training.cosine import Cosine
from kgan.training.gan import GAN

__all__ = ["GAN", "Autoencoder", "Cosine"]
