"""kgan: train GANs with Keras and deliver the generator as a file any application can run."""

import importlib
import sys

__version__ = "0.1.0"

# public name -> module that has it; imported on first use, so that `import kgan`
# costs nothing and `kgan.runtime` never meets tensorflow.
_LAZY = {
    "GAN": "kgan.training",
    "Autoencoder": "kgan.training",
    "InputError": "kgan.errors",
    "callbacks": "kgan.training.callbacks",
    "data": "kgan.data",
    "export": "kgan.export",
    "images": "kgan.images",
    "latents": "kgan.latents",
    "layers": "kgan.layers",
    "load_autoencoder": "kgan.training",
    "load_gan": "kgan.training",
    "losses": "kgan.losses",
    "models": "kgan.models",
    "runtime": "kgan.runtime",
    "shelf": "kgan.shelf",
}
__all__ = ["__version__", *_LAZY]


def __getattr__(name):
    if name not in _LAZY:
        raise AttributeError(f"module 'kgan' has no attribute {name!r}")
    module = importlib.import_module(_LAZY[name])
    # A class lives in its module; a module is itself the public name.
    value = module if module.__name__.rpartition(".")[2] == name else getattr(module, name)
    globals()[name] = value
    return value


def __dir__():
    return sorted(__all__)


# keras.models.load_model only finds classes that are imported. Where Keras is here already,
# importing them costs little; where it is not, `kgan.load_gan` or any use of `kgan.GAN` does it.
if "keras" in sys.modules and sys.modules["keras"].config.backend() == "tensorflow":
    importlib.import_module("kgan.training")
