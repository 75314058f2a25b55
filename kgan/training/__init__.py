"""Training: the keras.Model subclasses with their train steps, callbacks and whole runs."""

import keras

if keras.backend.backend() != "tensorflow":
    raise ImportError(
        "kgan trains on Keras's TensorFlow backend; unset KERAS_BACKEND or set it to tensorflow. "
        f"Received: {keras.backend.backend()}"
    )

from kgan.training.autoencoder import Autoencoder
from kgan.training.gan import GAN
from kgan.training.load import load_autoencoder, load_gan

__all__ = ["GAN", "Autoencoder", "load_autoencoder", "load_gan"]
