"""Training: the keras.Model subclasses and their train steps."""

from kgan.errors import NotInstalled
from kgan.tensors import IN_TENSORFLOW, other_backend

if not IN_TENSORFLOW:
    raise NotInstalled(other_backend(__name__))

from kgan.training.autoencoder import Autoencoder
from kgan.training.cosine import Cosine
from kgan.training.gan import GAN

__all__ = ["GAN", "Autoencoder", "Cosine"]
