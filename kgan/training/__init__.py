"""Training: the keras.Model subclasses with their train steps, callbacks and whole runs."""

from kgan.training.gan import GAN
from kgan.training.load import load_gan

__all__ = ["GAN", "load_gan"]
